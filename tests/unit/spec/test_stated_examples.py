import pytest

from agentinfra.spec.requirements import Example, Ground
from agentinfra.spec.stated_examples import find_examples

from .ideas import DISTANCE, LIBRARY, TICKETS


def shown(idea: str) -> list[str]:
    return [f"{example.call} {example.expect} {example.value}" for example in find_examples(idea)]


def test_stated_examples_are_found_and_nothing_else():
    assert shown(TICKETS) == [
        "price(5) returns 0",
        "price(6) returns 450",
        "price(66) returns 600",
        "price(-1) raises ValueError",
        'seat_label("c", 7) returns "C07"',
        'tidy_title("  the   fog ") returns "the fog"',
        'tidy_title("") returns ""',
        'tidy_title("???") raises ValueError',
        'tidy_title("--") raises ValueError',
    ]
    assert all(example.ground is Ground.STATED for example in find_examples(TICKETS))


def test_what_a_call_constructs_is_imported_from_where_the_idea_says():
    expected = Example(
        'scale("2 eggs", Fraction(1, 2))', "returns", '"1 eggs"', ("from fractions import Fraction",), Ground.STATED
    )
    assert find_examples(DISTANCE) == (expected,)
    assert find_examples(DISTANCE.replace("`fractions.Fraction`", "exact numbers")) == ()


@pytest.mark.parametrize(
    ("idea", "examples"),
    [
        ("`f(n)`: f(2) returns 4, so f(0) is 0.", ["f(2) returns 4", "f(0) returns 0"]),
        ("`f(n)`: 2 → 4; 3 = 9", ["f(2) returns 4", "f(3) returns 9"]),
        ('`f(items)`: an empty list gives "none".', ['f([]) returns "none"']),
        ('`f(t)`: "it\'s" is True', ['f("it\'s") returns True']),
        ('`f(t)`: "a" or "b" gives 1.', ['f("b") returns 1']),
        ('`f(t)`: every "a" becomes "b"', []),
        ('`f(t)`: "a" becomes "b" at the end', []),
        ('`f(a, b)`: "a" becomes "b"', []),
        ('`f(t)` and `g(t)`: "a" becomes "b"', []),
        ("`f(t)`: negative numbers raise ValueError", []),
        ('`f(t)`: must be "a", otherwise ValueError', []),
        ("Class `C(n)` with `m(n)`: 2 gives 4", []),
        ("", []),
    ],
)
def test_phrasings(idea: str, examples: list[str]):
    assert shown(idea) == examples


def test_methods_need_an_object_and_are_left_alone():
    assert shown(LIBRARY) == []
