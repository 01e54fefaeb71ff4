"""How the indentation of a hunk becomes that of its file."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_BLANKS = " \t"


def indent_of(line: str) -> str:
    """The blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip(_BLANKS))]


@dataclass(frozen=True, slots=True)
class Shift:
    """A way from one indentation to the other.

    Attributes:
        known: The file's indentation by the hunk's, of the lines that both have.
        added: What is put before every line; None where the two do not differ by a fixed beginning.
        taken: What is taken off before that.
        unit: What one level is in the hunk, and in the file; empty where it is not known.
    """

    known: Mapping[str, str] = field(default_factory=dict[str, str])
    added: str | None = ""
    taken: str = ""
    unit: tuple[str, str] = ("", "")

    def fit(self, line: str) -> str | None:
        """A new line as the file indents; None where its indentation cannot be told."""
        if not line.strip():
            return line
        indent = indent_of(line)
        body = line[len(indent) :]
        if self.added is not None:
            return self.added + indent.removeprefix(self.taken) + body if indent.startswith(self.taken) else None
        fitted = self._level(indent)
        return None if fitted is None else fitted + body

    def _level(self, indent: str) -> str | None:
        base = max((known for known in self.known if indent.startswith(known)), key=len, default=None)
        if base is None:
            return None
        more = indent[len(base) :]
        mine, theirs = self.unit
        levels, rest = divmod(len(more), len(mine)) if mine else (0, len(more))
        return self.known[base] + theirs * levels if rest == 0 and more == mine * levels else None


SAME = Shift()


def shift_between(pairs: Iterable[tuple[str, str]]) -> Shift | None:
    """Find the shift that explains how lines of a hunk are indented in the file.

    Args:
        pairs: A line of the hunk and the same line in the file; blank ones are passed over.

    Returns:
        The shift, or None where one indentation of the hunk stands for two of the file.
    """
    known: dict[str, str] = {}
    for mine, theirs in pairs:
        if mine.strip() and known.setdefault(indent_of(mine), indent_of(theirs)) != indent_of(theirs):
            return None
    return _fixed(known) or _by_levels(known)


def _fixed(known: Mapping[str, str]) -> Shift | None:
    if not known:
        return SAME
    mine, theirs = next(iter(known.items()))
    if theirs.endswith(mine):
        shift = Shift(known, added=theirs.removesuffix(mine))
    elif mine.endswith(theirs):
        shift = Shift(known, added="", taken=mine.removesuffix(theirs))
    else:
        return None
    return shift if all(shift.fit(indent + "x") == there + "x" for indent, there in known.items()) else None


def _by_levels(known: Mapping[str, str]) -> Shift:
    """Tabs for blanks, or four blanks for two: one level of the one is one level of the other."""
    levels = {"": "", **known} if all(known) and all(known.values()) else dict(known)
    ordered = sorted(levels.items(), key=lambda pair: len(pair[0]))
    steps = [
        (mine[len(below) :], theirs[len(under) :])
        for (below, under), (mine, theirs) in itertools.pairwise(ordered)
        if mine.startswith(below) and theirs.startswith(under) and len(theirs) > len(under)
    ]
    unit = min(steps, key=lambda step: len(step[0]), default=("", ""))
    return Shift(levels, added=None, unit=unit)
