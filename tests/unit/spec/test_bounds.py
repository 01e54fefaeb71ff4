import pytest

from agentinfra.spec.bounds import bind, breaks_a_bound
from agentinfra.spec.idea_text import read_symbols
from agentinfra.spec.prose import parse_call

SYMBOLS = read_symbols("`f(width, height=1)` and `g(n)`")


@pytest.mark.parametrize(
    ("clause", "breaking", "keeping"),
    [
        ("a width below 4 raises E", "f(3)", "f(4)"),
        ("width above four raises E", "f(5)", "f(4)"),
        ("widths over 10 raise E, width 3 or less too", "f(3)", "f(4)"),
        ("width of 10 or more raises E", "f(10)", "f(9)"),
        ("a negative width raises E", "f(-1, 2)", "f(1, -2)"),
        ("`n` outside 2 to 5 raises E", "g(6)", "g(5)"),
        ("not positive: E", "g(0)", "g(1)"),
        ("`n` must be above zero, otherwise E", "g(0)", "g(1)"),
        ("`n` must be at least 2, otherwise E", "g(1)", "g(2)"),
        ("`n` has to be at most 2, otherwise E", "g(3)", "g(2)"),
        ("`n` should be between 2 and 5, otherwise E", "g(1)", "g(2)"),
        ("`n` must not be below 2, otherwise E", "g(1)", "g(2)"),
        ("`n` must be non-negative, otherwise E", "g(-1)", "g(0)"),
        ("`n` must be positive, otherwise E", "g(0)", "g(1)"),
        ("width at least 1, height at least 3, otherwise E", "f(1, 2)", "f(1, 3)"),
        ("height at least 3, otherwise E", "f(0, height=2)", "f(0, height=3)"),
        ("negative numbers raise E", "g('-1')", "g('1')"),
    ],
)
def test_a_number_on_the_wrong_side_breaks_a_bound(clause: str, breaking: str, keeping: str):
    wrong, right = parse_call(breaking), parse_call(keeping)
    assert wrong is not None and right is not None
    assert breaks_a_bound(wrong, clause, SYMBOLS)
    assert not breaks_a_bound(right, clause, SYMBOLS)


@pytest.mark.parametrize(
    ("clause", "call"),
    [
        ("values below 4 raise E", "f(1, 2)"),
        ("names below 4 characters raise E", "g(1)"),
        ("at least 4 raise E", "g(9)"),
        ("a negative height raises E", "f(-1)"),
        ("below 4 raises E", "g('abc')"),
        ("below 4 raises E", "g(True)"),
        ("below 4 raises E", "g(x)"),
        ("below 4 raises E", "unknown(1)"),
    ],
)
def test_what_may_speak_of_another_thing_decides_nothing(clause: str, call: str):
    parsed = parse_call(call)
    assert parsed is not None
    assert not breaks_a_bound(parsed, clause, SYMBOLS)


def test_arguments_are_bound_to_the_stated_parameters():
    call = parse_call("f(2, height=[1], depth=x)")
    assert call is not None
    assert bind(call, SYMBOLS) == {"width": 2, "height": [1]}
