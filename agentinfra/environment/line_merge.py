"""Merge three versions of a text line by line, where git sees a conflict already in changes that merely touch.

What comes out has still to be proven: it is used where tests are run on the merged tree, or where it only takes back
what was merged before.
"""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import PurePosixPath

MAX_CHARACTERS = 500_000
_PARSERS: Mapping[str, Callable[[str], object]] = {".py": ast.parse, ".json": json.loads, ".toml": tomllib.loads}


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines start to end of the base become others; an insertion has start == end."""

    start: int
    end: int
    lines: tuple[str, ...]

    @property
    def inserts(self) -> bool:
        """Whether it takes nothing away."""
        return self.start == self.end

    def overlaps(self, other: Edit) -> bool:
        """Whether both change the same line, or one inserts within what the other changes."""
        if self.inserts and other.inserts:
            return False
        return max(self.start, other.start) < min(self.end, other.end) or self._within(other) or other._within(self)

    def _within(self, other: Edit) -> bool:
        return self.inserts and other.start < self.start < other.end


def merge_lines(path: str, base: str, ours: str, theirs: str) -> str | None:
    """Bring what changed from ``base`` to ``theirs`` into ``ours``.

    Where both insert at the same place, ours comes first.

    Args:
        path: The file's name; Python, JSON and TOML must still be that afterwards.
        base: The version that both come from; "" where there was none.
        ours: The version that is changed.
        theirs: The version whose changes are brought over.

    Returns:
        The merged text; None where both changed the same line, or the texts are too long for a comparison.
    """
    if max(map(len, (base, ours, theirs))) > MAX_CHARACTERS:
        return None
    before, mine, other = (text.splitlines(keepends=True) for text in (base, ours, theirs))
    own = edits(before, mine)
    brought = [edit for edit in edits(before, other) if edit not in own]
    if any(one.overlaps(two) for one in own for two in brought):
        return None
    merged = joined(_applied(before, own, brought))
    return merged if _is_sound(path, merged) else None


def edits(before: Sequence[str], after: Sequence[str]) -> list[Edit]:
    """What leads from one list of lines to another, from the top."""
    head, tail = _shared_ends(before, after)
    middle = after[head : len(after) - tail]
    matcher = SequenceMatcher(None, before[head : len(before) - tail], middle, autojunk=False)
    return [
        Edit(head + start, head + end, tuple(middle[first:last]))
        for kind, start, end, first, last in matcher.get_opcodes()
        if kind != "equal"
    ]


def _shared_ends(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """How many lines both begin with, and end with. Set aside first: among equal lines the matcher takes any."""
    shorter = min(len(before), len(after))
    head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    most = shorter - head
    return head, next((at for at in range(most) if before[-1 - at] != after[-1 - at]), most)


def _applied(before: Sequence[str], own: Sequence[Edit], brought: Sequence[Edit]) -> list[str]:
    """The base with all edits; at one place insertions come before changes, and ours before theirs."""
    ranked = [(edit.start, not edit.inserts, rank, edit) for rank, side in enumerate((own, brought)) for edit in side]
    lines: list[str] = []
    done = 0
    for start, _, _, edit in sorted(ranked, key=lambda entry: entry[:3]):
        lines += [*before[done:start], *edit.lines]
        done = max(done, edit.end)
    return [*lines, *before[done:]]


def joined(lines: Sequence[str]) -> str:
    """The lines as a text; what was a last line without an end gets one where others follow it."""
    return "".join(line if line.endswith(("\n", "\r")) else f"{line}\n" for line in lines[:-1]) + "".join(lines[-1:])


def _is_sound(path: str, text: str) -> bool:
    parse = _PARSERS.get(PurePosixPath(path).suffix)
    try:
        if parse is not None:
            parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True
