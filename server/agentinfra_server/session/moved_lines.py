"""Where a line of one version of a text stands in another one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def number_in(other: Sequence[str], lines: Sequence[str], index: int) -> int | None:
    """The number, from 1, that a line has in another version of its text; None for a line that is not in it.

    Args:
        other: The lines of the other version.
        lines: The lines of this one.
        index: A line of these, from 0.
    """
    if list(other) == list(lines):
        return index + 1 if index < len(lines) else None
    matcher = difflib.SequenceMatcher(None, other, lines, autojunk=False)
    for there, here, size in matcher.get_matching_blocks():
        if here <= index < here + size:
            return there + index - here + 1
    return None
