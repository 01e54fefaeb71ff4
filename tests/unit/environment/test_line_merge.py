"""Merging by lines: what touches is merged, what overlaps is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.environment import line_merge
from agentinfra.environment.line_merge import merge_lines

BASE = "a\nb\nc\nd\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        ("a\nb\nc\nd\nX\n", "a\nb\nc\nd\nY\n", "a\nb\nc\nd\nX\nY\n"),
        ("a\nB\nc\nd\n", "a\nb\nC\nd\n", "a\nB\nC\nd\n"),
        ("a\nX\nb\nc\nd\n", "a\nc\nd\n", "a\nX\nc\nd\n"),
        ("a\nb\nX\nc\nd\n", "a\nc\nd\n", "a\nX\nc\nd\n"),
        ("a\nb\nc\n", "a\nb\nc\n", "a\nb\nc\n"),
        ("a\nb\nc\nd\nX\n", "a\nb\nc\nd\nX\n", "a\nb\nc\nd\nX\n"),
    ],
    ids=["both append", "neighbours", "insert above a removed line", "below it", "same removal", "same addition"],
)
def test_what_only_touches_is_merged(ours: str, theirs: str, merged: str) -> None:
    assert merge_lines("notes.txt", BASE, ours, theirs) == merged


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("a\nX\nc\nd\n", "a\nY\nc\nd\n"), ("a\nX\nd\n", "a\nb\nY\nd\n"), ("a\nX\nd\n", "a\nb\nnew\nc\nd\n")],
    ids=["same line", "overlap", "insertion within what the other changes"],
)
def test_what_overlaps_is_left_to_others(ours: str, theirs: str) -> None:
    assert merge_lines("notes.txt", BASE, ours, theirs) is None
    assert merge_lines("notes.txt", BASE, theirs, ours) is None


def test_a_last_line_without_its_end_is_not_glued_to_the_next() -> None:
    assert merge_lines("notes.txt", "a\n", "a\nX", "a\nY") == "a\nX\nY"


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs"),
    [
        ("a.py", "x = [\n1,\n]\n", "x = [\n1,\n2,\n]\n", "x = [\n1,\n]) + (\n]\n"),
        ("a.json", '{\n"a": 1\n}\n', '{\n"a": 1\n,"b": 2\n}\n', '{\n"a": 1\n"c": 3\n}\n'),
        ("a.toml", "[a]\n", "[a]\nx = 1\n", "[a]\nx = 2\n"),
    ],
)
def test_what_can_no_longer_be_read_is_no_merge(path: str, base: str, ours: str, theirs: str) -> None:
    assert merge_lines(path, base, ours, theirs) is None


def test_long_texts_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_merge, "MAX_CHARACTERS", 10)
    assert merge_lines("a.txt", "a\n", "a\nb\n", "a\n" + "c" * 10) is None


LINES = st.lists(st.sampled_from("abcde"), max_size=8)


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@given(LINES, LINES)
def test_a_side_that_changed_nothing_takes_the_other(base: list[str], other: list[str]) -> None:
    assert merge_lines("a.txt", text(base), text(base), text(other)) == text(other)
    assert merge_lines("a.txt", text(base), text(other), text(base)) == text(other)
    assert merge_lines("a.txt", text(base), text(other), text(other)) == text(other)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_insertions_among_equal_lines_stay_where_they_are(place: int) -> None:
    base = ["a", "a", "a"]
    ours, theirs = ([*base[:at], mark, *base[at:]] for at, mark in ((1, "X"), (place, "Y")))
    merged = merge_lines("a.txt", text(base), text(ours), text(theirs))
    assert merged is not None
    lines = merged.splitlines()
    assert [line for line in lines if line != "Y"] == ours
    assert [line for line in lines if line != "X"] == theirs


@given(st.lists(st.sampled_from("abcdefgh"), max_size=8, unique=True), st.data())
def test_every_line_that_either_side_inserted_is_there_and_nothing_else_is_lost(
    base: list[str], data: st.DataObject
) -> None:
    sides = []
    for mark in "XY":
        side = [*base]
        for number in range(data.draw(st.integers(0, 3))):
            side.insert(data.draw(st.integers(0, len(side))), f"{mark}{number}")
        sides.append(side)
    merged = merge_lines("a.txt", text(base), *map(text, sides))
    assert merged is not None
    for side in sides:
        others = {line for one in sides if one is not side for line in one if line[0] in "XY"}
        assert [line for line in merged.splitlines() if line not in others] == side
