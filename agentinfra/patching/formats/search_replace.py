"""Search/replace blocks: what stands in the file, a line of equals signs, what shall stand there.

::

    src/app.py
    <<<<<<< SEARCH
    old lines
    =======
    new lines
    >>>>>>> REPLACE

Markers have five to nine characters. Contents that hold such lines themselves need markers of ten or more, all of one
length. A block without lines to search for makes a new file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from agentinfra.core.errors import PatchError
from agentinfra.patching.formats.paths import path_in
from agentinfra.patching.patch import ADD, KEEP, REMOVE, Action, FileEdit, Format, Hunk

_BEGIN = re.compile(r"[ \t]*(?P<mark><{5,}|-{5,}) ?SEARCH\b>?[ \t]*(?P<path>[^\r\n]{0,300})")
_DIVIDER = re.compile(r"[ \t]*(={5,})[ \t]*")
_END = re.compile(r"[ \t]*(>{5,}|\+{5,}) ?REPLACE\b")
_START_LINE = re.compile(r":start_line: ?\d+\s*|:end_line: ?\d+\s*|-{7}\s*")
_ABOVE = 4  # so far above a block its path may stand, fences and blank lines between


def begins(line: str) -> bool:
    """Whether a block begins here."""
    return "SEARCH" in line[:200] and _BEGIN.match(line) is not None


def read(lines: Sequence[str], start: int, path: str) -> tuple[FileEdit, int]:
    """Read one block.

    Args:
        lines: The reply's lines.
        start: Index of the block's first marker.
        path: The file of the block before, for a block that names none.

    Returns:
        The edit, and the index of the line after the block.

    Raises:
        PatchError: The block has no end, no file, or cannot be told into its two halves.
    """
    size, number = len(_mark(lines[start])), start + 1
    dividers, end = _inside(lines, start, size)
    divider = _divider(lines, start, size, dividers)
    begin = _BEGIN.match(lines[start])
    named = path_in(begin["path"], bare=True) if begin else ""
    named = named or _path_above(lines, start) or path
    if not named:
        _refuse(start, "names no file", "Put the file's path on a line of its own above the block")
    old = _searched(lines[start + 1 : divider])
    new = lines[divider + 1 : end]
    if not old:
        return FileEdit(named, Action.CREATE, Format.SEARCH_REPLACE, number, text="".join(new)), end + 1
    hunk = Hunk(tuple(_marked(old, new)), number=number)
    return FileEdit(named, Action.EDIT, Format.SEARCH_REPLACE, number, hunks=(hunk,), in_turn=True), end + 1


def _inside(lines: Sequence[str], start: int, size: int) -> tuple[list[int], int]:
    """Indices of the dividers of a block, and of its end."""
    dividers: list[int] = []
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if "=====" in line[:200] and (found := _DIVIDER.fullmatch(line.rstrip("\r\n"))) and _fits(found[1], size):
            dividers.append(index)
        elif "REPLACE" in line[:200] and (found := _END.match(line)) and _fits(found[1], size):
            return dividers, index
        elif begins(line) and _fits(_mark(line), size):
            _refuse(start, f"has no end before the next one in line {index + 1}", "Close it with >>>>>>> REPLACE")
    return _refuse(start, "has no end: the reply was cut, or >>>>>>> REPLACE is missing", "Send the whole block again")


def _mark(line: str) -> str:
    found = _BEGIN.match(line)
    return found["mark"] if found else ""


def _fits(mark: str, size: int) -> bool:
    return len(mark) == size if size > 9 else len(mark) <= 9


def _divider(lines: Sequence[str], start: int, size: int, dividers: Sequence[int]) -> int:
    same = [index for index in dividers if len(lines[index].strip()) == size]
    chosen = same or dividers
    if len(chosen) != 1:
        which = " and ".join(str(index + 1) for index in chosen[:5])
        told = f"has {len(chosen)} dividing lines ({which})" if chosen else "has no dividing line ======="
        _refuse(start, told, "Send it with one; where the content holds such a line, with markers of ten characters")
    return chosen[0]


def _searched(lines: Sequence[str]) -> list[str]:
    """The lines to search for, without the line numbers that some tools ask models for."""
    hinted = bool(lines) and lines[0].startswith(":start_line:")
    skip = 0
    while hinted and skip < min(len(lines), 3) and _START_LINE.fullmatch(lines[skip]):
        skip += 1
    return list(lines[skip:])


def _path_above(lines: Sequence[str], start: int) -> str:
    for line in reversed(lines[max(0, start - _ABOVE) : start]):
        text = line.strip()
        fence = text.startswith(("```", "~~~"))
        found = path_in(text.lstrip("`~").partition(" ")[2] if fence else text, bare=not fence)
        if found or (text and not fence):
            return found
    return ""


def _marked(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Lines that both halves begin or end with are kept, the rest is replaced."""
    shorter = min(len(old), len(new))
    head = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    tail = next((index for index in range(shorter - head) if old[-1 - index] != new[-1 - index]), shorter - head)
    yield from ((KEEP, line) for line in old[:head])
    yield from ((REMOVE, line) for line in old[head : len(old) - tail])
    yield from ((ADD, line) for line in new[head : len(new) - tail])
    yield from ((KEEP, line) for line in old[len(old) - tail :])


def _refuse(start: int, what: str, next_step: str) -> NoReturn:
    raise PatchError(f"The search/replace block in line {start + 1} of the patch {what}", next_step=next_step)
