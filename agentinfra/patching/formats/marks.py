"""Lines that carry their meaning in their first character: kept, removed, added."""

from __future__ import annotations

from collections.abc import Sequence

from agentinfra.patching.patch import ADD, KEEP, REMOVE

MARKS = (KEEP, REMOVE, ADD)
_NO_LINE_END = "\\"
_MARKED = {*MARKS}
_BEGINNINGS = {*MARKS, _NO_LINE_END, "\r", "\n"}


def marked_lines(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Part the marks from the lines of one hunk.

    A line that begins with none of them shows that context came without its leading blank; it is then taken as it
    stands, in the whole hunk. ``\\ No newline at end of file`` takes the end off the line above it.
    """
    beginnings = {line[0] for line in lines}
    if beginnings <= _MARKED:
        return tuple([(line[0], line[1:]) for line in lines])
    bare = not beginnings <= _BEGINNINGS
    marked: list[tuple[str, str]] = []
    for line in lines:
        mark = line[0]
        if mark == _NO_LINE_END and not bare:
            if marked:
                marked[-1] = (marked[-1][0], marked[-1][1].removesuffix("\n"))
        elif mark in (REMOVE, ADD) or (mark == KEEP and not bare):
            marked.append((mark, line[1:]))
        else:
            marked.append((KEEP, line))
    return tuple(marked)
