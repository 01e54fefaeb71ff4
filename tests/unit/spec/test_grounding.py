import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.spec.grounding import ground
from agentinfra.spec.requirements import Example, Expect, Ground

from .ideas import DISTANCE, LIBRARY, TICKETS

EXPECT: list[Expect] = ["returns", "raises", "prints"]
DESK = "d = Desk(3)"

STATED: list[tuple[str, str, Expect, str, tuple[str, ...]]] = [
    (TICKETS, "price(5)", "returns", "0", ()),
    (TICKETS, "price(6)", "returns", "450", ()),
    (TICKETS, "price(age=66)", "returns", "600", ()),
    (TICKETS, "price(-1)", "raises", "ValueError", ()),
    (TICKETS, "price(-40)", "raises", "ValueError", ()),
    (TICKETS, 'seat_label("c", 7)', "returns", '"C07"', ()),
    (TICKETS, "seat_label('c', 7)", "returns", "'C07'", ()),
    (TICKETS, 'seat_label("a", 0)', "raises", "KeyError", ()),
    (TICKETS, 'tidy_title("  the   fog ")', "returns", '"the fog"', ()),
    (TICKETS, 'tidy_title("")', "returns", '""', ()),
    (TICKETS, 'tidy_title("???")', "raises", "ValueError", ()),
    (TICKETS, 'tidy_title("--")', "raises", "ValueError", ()),
    (LIBRARY, "Desk(0)", "raises", "ValueError", ()),
    (LIBRARY, 'd.lend("Emma", 61)', "raises", "ValueError", (DESK,)),
    (LIBRARY, 'd.lend("Emma", days=0)', "raises", "ValueError", (DESK,)),
    (LIBRARY, "d.count()", "returns", "0", ("from desk import Desk", DESK)),
    (LIBRARY, "python desk.py --version", "prints", "desk 1\n", ()),
    (DISTANCE, 'scale("2 eggs", Fraction(1, 2))', "returns", '"1 eggs"', ()),
    ("`f(n)`: 3 → 9", "f(3)", "returns", "9", ()),
    ("`f(n)` : aus 3 wird 9.", "f(3)", "returns", "9", ()),
    ("`f(n)` returns 9 for 3.", "f(3)", "returns", "9", ()),
    ("`f(n)`: -3 gives -9, minus two gives -6", "f(-2)", "returns", "-6", ()),
    ("`f(t)`: «ab» gives “AB”.", "f('ab')", "returns", "'AB'", ()),
    ("`f(t)`: 'ab' gives 'AB'.", "f('ab')", "returns", "'AB'", ()),
    ('`f(t)`: "a", "b" and "c" give True', "f('b')", "returns", "True", ()),
    ("`f(items)` gives None for an empty list.", "f([])", "returns", "None", ()),
    ("`f(day)`: 2024-02-30 raises ValueError", "f('2024-02-30')", "raises", "ValueError", ()),
    ('`f(day)`: "2024-03-01" is True', "f(date(2024, 3, 1))", "returns", "True", ()),
    ("`f(n)` raises ValueError for values above ten", "f(11)", "raises", "ValueError", ()),
    ("`f(n)`: n must be at least 2, otherwise ValueError", "f(1)", "raises", "ValueError", ()),
    ("`f(n)`: numbers outside 0 to 9 raise IndexError", "f(10)", "raises", "IndexError", ()),
    ("`f(n)`: n must not be negative, else ValueError", "f(-1)", "raises", "ValueError", ()),
    ("`f(text)`: zero or a negative number raises ValueError", "f('-3')", "raises", "ValueError", ()),
    ("`f(n)`: 1,200 is 12", "f(1200)", "returns", "12", ()),
]

GUESSED: list[tuple[str, str, Expect, str, tuple[str, ...]]] = [
    (TICKETS, "price(7)", "returns", "450", ()),
    (TICKETS, "price(5)", "returns", "450", ()),
    (TICKETS, "price(66)", "returns", "450", ()),
    (TICKETS, "price(6)", "returns", "0", ()),
    (TICKETS, "price(6)", "returns", "5", ()),
    (TICKETS, "price(6)", "raises", "ValueError", ()),
    (TICKETS, 'seat_label("c", 8)', "returns", '"C07"', ()),
    (TICKETS, 'seat_label("a", 1)', "raises", "KeyError", ()),
    (TICKETS, 'seat_label("a", 3)', "raises", "ValueError", ()),
    (TICKETS, 'seat_label("z", 3)', "raises", "ValueError", ()),
    (TICKETS, 'tidy_title("the")', "returns", '"The"', ()),
    (TICKETS, 'price("  the   fog ")', "returns", '"the fog"', ()),
    (TICKETS, 'tidy_title("the fog")', "returns", '"the fog"', ()),
    (TICKETS, 'tidy_title("")', "raises", "ValueError", ()),
    (LIBRARY, "Desk(1)", "raises", "ValueError", ()),
    (LIBRARY, 'd.lend("Emma", 60)', "raises", "ValueError", (DESK,)),
    (LIBRARY, 'd.lend("Emma", 1)', "raises", "ValueError", (DESK,)),
    (LIBRARY, "d.count()", "returns", "0", (DESK, "d.lend('Emma')")),
    (LIBRARY, "d.count()", "returns", "0", (DESK, "for t in 'ab': d.lend(t)")),
    (LIBRARY, "d.titles()", "returns", "[]", (DESK,)),
    (LIBRARY, "fee(20)", "returns", "500", ()),
    (LIBRARY, "python desk.py NAME", "prints", "hello NAME", ()),
    (LIBRARY, "python desk.py --version", "prints", "desk", ()),
    (LIBRARY, "python desk.py --version", "prints", "", ()),
    (LIBRARY, "python desk.py --version", "prints", "desk 1", ("import os",)),
    ("`f(n)`: 3 is not 9", "f(3)", "returns", "9", ()),
    ('`f(n)`: 3 gives "a" or "b"', "f(3)", "returns", "'a'", ()),
    ('`f(t)`: "a" and "b" give "x" and "y"', "f('b')", "returns", "'x'", ()),
    ("`f(n)`: from 3 to 9", "f(3)", "returns", "9", ()),
    ("`f(n)`: 3 gives at most 9", "f(3)", "returns", "9", ()),
    ("`f(n)`: 3 gives 9. 4 is out.", "f(4)", "returns", "9", ()),
    ("`f(n)` never raises ValueError for 3", "f(3)", "raises", "ValueError", ()),
    ("`f(n)`: only 3 is fine, otherwise ValueError", "f(3)", "raises", "ValueError", ()),
    ("`f(n)`: a bad one raises ValueError", "f(1)", "raises", "ValueError", ()),
    ("`f(t)`: a text over 9 characters raises ValueError", "f(10)", "raises", "ValueError", ()),
    ("`f(n)`: 3 gives 9", "f(3", "returns", "9", ()),
    ("`f(n)`: 3 gives 9", "f(x)", "returns", "9", ()),
    ("`f(n)`: 3 gives 9", "f(3 * 1)", "returns", "9", ()),
    ("`f(n)`: 3 gives 9", "3", "returns", "9", ()),
    ("`f(n)`: 3 gives 9", "f(3)", "returns", "g(", ()),
    ("", "f(3)", "returns", "9", ()),
]


@pytest.mark.parametrize(("idea", "call", "expect", "value", "setup"), STATED)
def test_what_the_idea_says_is_stated(idea: str, call: str, expect: Expect, value: str, setup: tuple[str, ...]):
    assert ground(Example(call, expect, value, setup), idea) is Ground.STATED


@pytest.mark.parametrize(("idea", "call", "expect", "value", "setup"), GUESSED)
def test_what_it_does_not_say_is_a_guess(idea: str, call: str, expect: Expect, value: str, setup: tuple[str, ...]):
    assert ground(Example(call, expect, value, setup), idea) is Ground.GUESSED


def test_what_a_person_answered_is_answered():
    example = Example("price(17)", "returns", "550")
    assert ground(example, TICKETS, ["No.", "17 gives 550, I think."]) is Ground.ANSWERED
    assert ground(example, TICKETS, ["`tidy_title(text)`: 17 gives 550"]) is Ground.GUESSED


def test_the_mark_that_an_example_brings_along_counts_for_nothing():
    assert ground(Example("price(7)", "returns", "1", ground=Ground.STATED), TICKETS) is Ground.GUESSED


@settings(deadline=None)
@given(
    st.text(max_size=60), st.text(max_size=20), st.text(max_size=20), st.sampled_from(["returns", "raises", "prints"])
)
def test_any_text_has_a_ground(idea: str, call: str, value: str, expect: Expect):
    assert ground(Example(call, expect, value, (value,)), idea) in (Ground.STATED, Ground.GUESSED)


def test_a_long_idea_is_read_once_and_fast():
    idea = TICKETS + "Some words (with 12 numbers) and `f(x)` in between; more of it. " * 1500
    begin = time.monotonic()
    for seat in range(1, 60):
        ground(Example(f'seat_label("b", {seat})', "returns", '"B"'), idea)
    assert time.monotonic() - begin < 20
