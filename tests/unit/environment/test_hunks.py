"""The hunks of a change, and what is left without some of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.environment.hunks import hunks, without
from agentinfra.environment.line_merge import MAX_CHARACTERS

BEFORE = "a\nb\nc\nd\ne\n"
AFTER = "new\na\nb\nC\nd\n"
TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=12).map("".join)


def test_hunks_are_numbered_from_the_top_with_their_lines_on_both_sides():
    assert [(one.number, one.before, one.after) for one in hunks(BEFORE, AFTER)] == [
        (1, (0, 0), (0, 1)),
        (2, (2, 3), (3, 4)),
        (3, (4, 5), (5, 5)),
    ]


@pytest.mark.parametrize(
    ("numbers", "left"),
    [
        ((1,), "a\nb\nC\nd\n"),
        ((2,), "new\na\nb\nc\nd\n"),
        ((3,), "new\na\nb\nC\nd\ne\n"),
        ((3, 1), "a\nb\nC\nd\ne\n"),
        ((), AFTER),
        ((1, 2, 3), BEFORE),
    ],
)
def test_what_is_left_has_the_older_lines_in_their_place(numbers, left):
    assert without(BEFORE, AFTER, numbers) == left


def test_a_new_file_is_one_hunk():
    (only,) = hunks("", "a\nb\n")
    assert (only.before, only.after) == ((0, 0), (0, 2))
    assert without("", "a\nb\n", (1,)) == ""


def test_texts_too_long_to_compare_have_none():
    assert hunks("", "x" * (MAX_CHARACTERS + 1)) == []


@given(TEXTS, TEXTS)
def test_without_all_of_them_it_is_the_older_text_and_without_none_the_newer(before, after):
    numbers = [one.number for one in hunks(before, after)]
    assert without(before, after, numbers) == before
    assert without(before, after, ()) == after
    for one in hunks(before, after):
        assert before.splitlines()[slice(*one.before)] != after.splitlines()[slice(*one.after)]
