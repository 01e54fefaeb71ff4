"""V4A, the format between ``*** Begin Patch`` and ``*** End Patch``.

Read more kindly than it is specified: the frame may be missing inside a fence, and context lines may lack their leading
blank, when all of a hunk do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from agentinfra.core.errors import PatchError
from agentinfra.patching.formats.marks import marked_lines
from agentinfra.patching.patch import ADD, Action, FileEdit, Format, Hunk

BEGIN, END, END_OF_FILE = "*** Begin Patch", "*** End Patch", "*** End of File"
_SECTION = re.compile(r"\*\*\* (?P<kind>Add|Update|Delete) File:[ \t]*(?P<path>[^\r\n]+)")
_MOVE = re.compile(r"\*\*\* (?:Move|Rename)(?: File)? to:[ \t]*(?P<path>[^\r\n]+)")
_NUMBERS = re.compile(r"-\d+(?:,\d+)? \+\d+(?:,\d+)?(?: @@|$)")


def begins(line: str) -> bool:
    """Whether a patch, or a section of one without its frame, begins here."""
    return line.startswith("***") and (line.rstrip() == BEGIN or _SECTION.match(line) is not None)


def read(lines: Sequence[str], start: int, *, fenced: bool) -> tuple[list[FileEdit], int]:
    """Read one patch.

    Args:
        lines: The reply's lines.
        start: Index of its first line.
        fenced: Whether it stands inside a fence, whose end ends it too.

    Returns:
        The edits, and the index of the line after the patch.

    Raises:
        PatchError: It has no end, or a line of it means nothing.
    """
    end = _end(lines, start, fenced)
    index = start + 1 if lines[start].rstrip() == BEGIN else start
    edits: list[FileEdit] = []
    while index < end:
        section = _SECTION.match(lines[index])
        if section is None:
            if lines[index].strip():
                _refuse(index, "belongs to no file", "Begin each file with *** Update File: path")
            index += 1
            continue
        stop = next((n for n in range(index + 1, end) if _is_section(lines[n])), end)
        edits.append(_section(section["kind"], section["path"].strip(), lines, index + 1, stop))
        index = stop
    if not edits:
        _refuse(start, "begins a patch without any file", "Begin each file with *** Update File: path")
    closed = end < len(lines) and lines[end].rstrip() == END
    return edits, end + 1 if closed else end


def _end(lines: Sequence[str], start: int, fenced: bool) -> int:
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if line.rstrip() == END or (fenced and line.startswith(("```", "~~~"))):
            return index
        if line.rstrip() == BEGIN:
            break
    return _refuse(start, f"begins a patch without an end ({END}); the reply may be cut", "Send the whole patch again")


def _is_section(line: str) -> bool:
    return line.startswith("*** ") and _SECTION.match(line) is not None


def _section(kind: str, path: str, lines: Sequence[str], start: int, stop: int) -> FileEdit:
    if kind == "Add":
        return FileEdit(path, Action.CREATE, Format.V4A, start, text="".join(_added(lines, start, stop)))
    if kind == "Delete":
        _only_blank(lines, start, stop)
        return FileEdit(path, Action.DELETE, Format.V4A, start)
    move = _MOVE.match(lines[start]) if start < stop else None
    hunks = _hunks(lines, start + 1 if move else start, stop)
    if not hunks and not move:
        _refuse(start - 1, "updates a file without any change", "Send the changed lines with - and +")
    target = move["path"].strip() if move else ""
    return FileEdit(path, Action.EDIT, Format.V4A, start, hunks=tuple(hunks), move_to=target)


def _only_blank(lines: Sequence[str], start: int, stop: int) -> None:
    for index in range(start, stop):
        if lines[index].strip():
            _refuse(index, "stands below a file that is deleted", "Leave it out")


def _added(lines: Sequence[str], start: int, stop: int) -> list[str]:
    while stop > start and not lines[stop - 1].strip():
        stop -= 1
    given = lines[start:stop]
    if any(line.startswith(ADD) for line in given):
        for index in range(start, stop):
            if lines[index].strip() and not lines[index].startswith(ADD):
                _refuse(index, "of a new file lacks its +", "Begin every line of a new file with +")
        return [line[1:] if line.startswith(ADD) else line for line in given]
    return list(given)


def _hunks(lines: Sequence[str], start: int, stop: int) -> list[Hunk]:
    hunks: list[Hunk] = []
    anchors: list[str] = []
    index = start
    while index < stop:
        if lines[index].startswith("@@"):
            anchors += _anchor(lines[index])
            index += 1
            continue
        after = next((n for n in range(index, stop) if lines[n].startswith("@@")), stop)
        hunk = _hunk(lines, index, after, tuple(anchors))
        if hunk is not None:
            hunks.append(hunk)
            anchors = []
        index = after
    if anchors:
        _refuse(stop - 1, "begins a hunk without any line", "Send the changed lines below it")
    return hunks


def _anchor(line: str) -> list[str]:
    text = line.rstrip()[2:].removesuffix("@@")
    text = text.removeprefix(" ")
    return [text] if re.search(r"\w", text) and not _NUMBERS.match(text.strip()) else []


def _hunk(lines: Sequence[str], start: int, stop: int, anchors: tuple[str, ...]) -> Hunk | None:
    at_end = False
    while stop > start and (not lines[stop - 1].rstrip("\r\n") or lines[stop - 1].rstrip() == END_OF_FILE):
        at_end = at_end or lines[stop - 1].rstrip() == END_OF_FILE
        stop -= 1
    given = lines[start:stop]
    if not given:
        return None
    return Hunk(marked_lines(given), number=start + 1, anchors=anchors, at_end=at_end)


def _refuse(index: int, what: str, next_step: str) -> NoReturn:
    raise PatchError(f"Line {index + 1} of the patch {what}", next_step=next_step)
