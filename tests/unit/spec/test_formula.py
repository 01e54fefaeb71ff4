import pytest

from agentinfra.core.errors import InputError
from agentinfra.spec.formula import computed, evaluate
from agentinfra.spec.prose import parse_expression
from agentinfra.spec.requirements import Example

from .ideas import DISTANCE


@pytest.mark.parametrize(
    ("call", "value", "formula"),
    [
        ("miles(10)", "6.214", "round(kilometres / 1.609344, 3)"),
        ("miles(kilometres=10)", "6.214", "round(kilometres / 1.609344, 3)"),
        ("miles(-10)", "-6.214", "round(kilometres / 1.609344, 3)"),
        ("total(3, 4)", "10", "2 * a + b"),
        ("total(b=4, a=3)", "10", "2 * a + b"),
    ],
)
def test_what_a_stated_formula_gives_is_computed(call: str, value: str, formula: str):
    idea = DISTANCE.replace("twice", "two times")
    assert computed(Example(call, "returns", value), formula, idea)


@pytest.mark.parametrize(
    ("call", "value", "formula"),
    [
        ("miles(10)", "6.2", "round(kilometres / 1.609344, 3)"),
        ("miles(10)", "6.25", "kilometres / 1.6"),
        ("miles(10)", "6.214", "6.214"),
        ("miles(10)", "10", "metres"),
        ("total(3, 4)", "10.0", "a + a + b"),
        ("total(3, 4)", "True", "a + a + b"),
        ("total(3, 4)", '"10"', "a + a + b"),
        ("total(3)", "6", "a + a + b"),
        ("total(3, x)", "6", "a + b"),
        ("total(0, 0)", "1", "a / b"),
        ("total(3, 4)", "10", "__import__('os').system('true')"),
        ("total(3, 4)", "10", "[a for a in range(9)]"),
        ("total(3, 4)", "10", "a.real"),
        ("total(9, 9)", "0", "a ** b ** a"),
        ("total(3, 4)", "10", "a +"),
        ("total(3, 4)", "10", "(" * 600 + "a"),
        ("total", "10", "a"),
    ],
)
def test_what_does_not_follow_from_the_idea_is_not_computed(call: str, value: str, formula: str):
    assert not computed(Example(call, "returns", value), formula, DISTANCE)


def test_only_results_of_calls_without_history_are_computed():
    assert not computed(Example("total(3, 4)", "returns", "10", ("x = 1",)), "a + a + b", DISTANCE)
    assert not computed(Example("total(3, 4)", "raises", "10"), "a + a + b", DISTANCE)
    assert computed(Example("total(3, 4)", "returns", "10"), "a + a + b", DISTANCE)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("7 // 2 + 7 % 2", 4),
        ("-abs(-3)", -3),
        ("max(min(1, 2), len(word))", 4),
        ("2 ** 3", 8),
        ("1 ** 64", 1),
        ("int(float(2)) / 4", 0.5),
    ],
)
def test_arithmetic(formula: str, value: float):
    node = parse_expression(formula)
    assert node is not None
    assert evaluate(node, {"word": "four"}) == value


@pytest.mark.parametrize("formula", ["10 ** 16", "2 ** 65", "'a' * 9", "True", "word + 1", "pow(2, 3)", "min(*[1])"])
def test_what_is_no_small_arithmetic_is_refused(formula: str):
    node = parse_expression(formula)
    assert node is not None
    with pytest.raises(InputError):
        evaluate(node, {"word": "four"})
