"""The hunks of a change: runs of lines that differ, numbered from 1, which a person may decline one by one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from agentinfra.environment.line_merge import MAX_CHARACTERS, edits, joined


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that differ; they count from 0, the last one is left out, and either side may be empty.

    Attributes:
        number: From 1, from the top.
        before: First and last line of the older text.
        after: First and last line of the newer text.
    """

    number: int
    before: tuple[int, int]
    after: tuple[int, int]


def hunks(before: str, after: str) -> list[Hunk]:
    """What differs between two versions of a text; nothing where they are too long for a comparison."""
    if max(len(before), len(after)) > MAX_CHARACTERS:
        return []
    found: list[Hunk] = []
    shift = 0
    for number, edit in enumerate(edits(_lines(before), _lines(after)), start=1):
        start = edit.start + shift
        end = start + len(edit.lines)
        found.append(Hunk(number, (edit.start, edit.end), (start, end)))
        shift = end - edit.end
    return found


def without(before: str, after: str, numbers: Collection[int]) -> str:
    """The newer text with these hunks as they were in the older one."""
    old, new = _lines(before), _lines(after)
    for hunk in reversed(hunks(before, after)):
        if hunk.number in numbers:
            new[slice(*hunk.after)] = old[slice(*hunk.before)]
    return joined(new)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
