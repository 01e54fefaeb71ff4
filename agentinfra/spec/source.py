"""A text as it stands, cut into blocks that leave nothing out, and edits that change their own bytes alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from agentinfra.core.errors import InputError


class Span(NamedTuple):
    """Characters of a text, from ``start`` up to, but without, ``end``."""

    start: int
    end: int


class Edit(NamedTuple):
    """Put ``text`` in the place of the characters from ``start`` up to ``end``."""

    start: int
    end: int
    text: str


class Block(NamedTuple):
    """A part of a document: whole lines, with their line ends.

    Attributes:
        kind: What the lines are, such as "heading", "statement", "example", "task" or "comment".
        owner: Id of the requirement, question or task that they belong to, or "".
        start: The first character.
        end: The end of the last line.
    """

    kind: str
    owner: str
    start: int
    end: int


class Mention(NamedTuple):
    """An id, file or signature, and where it is written."""

    name: str
    start: int
    end: int


class Problem(NamedTuple):
    """Something that must be understood is not, and what to write instead."""

    span: Span
    why: str
    next_step: str


class Position(NamedTuple):
    """A place as people and editors count: lines and columns from 1, columns in characters."""

    line: int
    column: int


class Lines:
    """The lines of a text, without their ends, and where each begins.

    Line ends are ``"\\n"`` and ``"\\r\\n"``, also mixed; a lone ``"\\r"`` is a character like any other.

    Args:
        text: The text.
        begin: Where the first of these lines begins; what stands before is not part of them.
    """

    def __init__(self, text: str, begin: int = 0) -> None:
        self.text = text
        self.begin = begin
        raw = text[begin:].split("\n")
        self.starts = list(accumulate([len(line) + 1 for line in raw], initial=begin))[:-1]
        self.lines: list[str] = raw
        if "\r\n" in text:
            self.lines = [line.removesuffix("\r") for line in raw[:-1]] + raw[-1:]

    @property
    def newline(self) -> str:
        """The line end that new lines get: that of the first line."""
        end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"

    def span(self, index: int) -> Span:
        """A line without its end, by its index."""
        start = self.starts[index]
        return Span(start, start + len(self.lines[index]))

    def start(self, index: int) -> int:
        """Where a line begins; the end of the text for a line behind the last."""
        return self.starts[index] if index < len(self.starts) else len(self.text)

    def position(self, offset: int) -> Position:
        """Line and column of a character, also of one before these lines."""
        if offset < self.begin:
            return Position(self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset))
        index = bisect_right(self.starts, offset) - 1
        above = self.text.rfind("\n", 0, self.begin) if not index else -1
        column = offset - (above if not index else self.starts[index] - 1)
        return Position(self._above + index + 1, column)

    @cached_property
    def _above(self) -> int:
        return self.text.count("\n", 0, self.begin)


class Label(NamedTuple):
    """What a line is: its kind and owner, and whether it begins something, such as an item of a list."""

    kind: str
    owner: str
    begins: bool


def blocks(lines: Lines, labels: Sequence[Label]) -> Iterator[Block]:
    """Join neighbouring lines of one kind.

    Args:
        lines: The text.
        labels: What each line is.

    Yields:
        Blocks that follow each other without a gap and make up the whole text.
    """
    first = 0
    for index in range(1, len(labels) + 1):
        if index < len(labels) and not labels[index].begins and labels[index][:2] == labels[first][:2]:
            continue
        if lines.start(index) > lines.start(first):
            yield Block(labels[first].kind, labels[first].owner, lines.start(first), lines.start(index))
        first = index


def render(text: str, parts: Iterable[Block]) -> str:
    """Put a document together from its blocks: the text that they were cut from, to the byte."""
    return "".join(text[part.start : part.end] for part in parts)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Make edits that were all made for this text; every character outside of them stays.

    Raises:
        InputError: Two edits overlap, or one lies outside the text.
    """
    parts: list[str] = []
    end = 0
    for edit in sorted(edits, key=lambda one: one[:2]):
        if not end <= edit.start <= edit.end <= len(text):
            raise InputError(
                "These edits do not fit the text",
                why=f"One of them is for the characters {edit.start} to {edit.end}; others, or the text, end before",
                next_step="Make them for the text as it is, one after the other",
            )
        parts += [text[end : edit.start], edit.text]
        end = edit.end
    return "".join([*parts, text[end:]])
