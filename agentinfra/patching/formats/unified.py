"""Unified diffs, from git and from ``diff -u``.

Counts in hunk headers are believed as long as the lines agree with them; models miscount, so marks decide otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from agentinfra.core.errors import PatchError
from agentinfra.patching.formats.marks import MARKS, marked_lines
from agentinfra.patching.formats.paths import NOWHERE, header_path, unquoted, without_prefixes
from agentinfra.patching.patch import ADD, REMOVE, Action, FileEdit, Format, Hunk

_GIT = "diff --git "
_HUNK = re.compile(r"@@ -(?P<line>\d+)(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@")
_INDEX = re.compile(r"index (?P<old>[0-9a-f]{7,64})\.\.(?P<new>[0-9a-f]{7,64})(?: (?P<mode>\d{6}))?")
_MODE = re.compile(r"(?:old|new|deleted file|new file) mode (?P<mode>\d{6})")
_KNOWN = re.compile(r"(?:old|new|deleted|similarity|dissimilarity|rename|copy|index) |GIT binary patch|Binary files ")
_ORDINARY = ("100644", "100755", "100664")
_LONGEST_NAMES = 10_000
_STRAY = re.compile(r"[-+](?:[^\s*+-]|[ \t]{2,}\S)")  # a changed line, and no bullet of prose
_SIGNATURE = "--"


@dataclass(slots=True)
class _Head:
    """What stands above the hunks of one file."""

    old: str = ""
    new: str = ""
    created: bool = False
    deleted: bool = False
    old_blob: str = ""
    new_blob: str = ""
    notes: list[str] = field(default_factory=list[str])


def begins(lines: Sequence[str], index: int) -> bool:
    """Whether a file's part of a diff begins here."""
    return lines[index].startswith(_GIT) or _is_pair(lines, index)


def begins_hunk(line: str) -> bool:
    """Whether a hunk begins here, the names above it left out."""
    return line.startswith("@@ -") and _HUNK.match(line) is not None


def _is_pair(lines: Sequence[str], index: int) -> bool:
    return lines[index].startswith("--- ") and index + 1 < len(lines) and lines[index + 1].startswith("+++ ")


def read(lines: Sequence[str], start: int, *, fenced: bool, path: str = "") -> tuple[FileEdit | None, list[str], int]:
    """Read one file's part of a diff.

    Args:
        lines: The reply's lines.
        start: Index of its first line.
        fenced: Whether it stands inside a fence, whose end ends it too.
        path: The file that its fence names, for hunks without names above them.

    Returns:
        The edit, or None where nothing of the content changes; notes; the index of the line after it.

    Raises:
        PatchError: It was cut, names no file, or changes what is no text.
    """
    head, index = _head(lines, start)
    hunks: list[Hunk] = []
    while index < len(lines) and lines[index].startswith("@@"):
        hunk, index = _hunk(lines, index, fenced)
        hunks.append(hunk)
    head.old, head.new = head.old or path, head.new or path
    if not head.old:
        _refuse(start, "changes lines of no file", "Put --- a/path and +++ b/path above the first @@")
    return _edit(head, hunks, start), head.notes, index


def _edit(head: _Head, hunks: list[Hunk], start: int) -> FileEdit | None:
    if head.created or head.old == NOWHERE:
        if any(mark != ADD for hunk in hunks for mark, _ in hunk.lines):
            _refuse(start, "makes a new file out of lines that must be there already", "Begin each of its lines with +")
        text = "".join(line for hunk in hunks for line in hunk.new)
        return FileEdit(head.new, Action.CREATE, Format.UNIFIED, start + 1, text=text)
    edit = FileEdit(head.old, Action.EDIT, Format.UNIFIED, start + 1, hunks=tuple(hunks))
    edit = replace(edit, old_blob=head.old_blob, new_blob=head.new_blob)
    if head.deleted or head.new == NOWHERE:
        return replace(edit, action=Action.DELETE)
    if not hunks and head.old == head.new:
        if not head.notes:
            _refuse(start, "begins a diff without any change", "Send its hunks, each below a line @@ -1,3 +1,4 @@")
        return None
    return replace(edit, move_to=head.new if head.new != head.old else "")


def _head(lines: Sequence[str], start: int) -> tuple[_Head, int]:
    head, index = _Head(), start
    if lines[index].startswith(_GIT):
        head.old, head.new = _git_names(lines[index][len(_GIT) :].rstrip("\r\n"))
        index += 1
        while index < len(lines) and _KNOWN.match(lines[index]):
            _read_header(head, lines[index].rstrip("\r\n"), index)
            index += 1
    if index < len(lines) and _is_pair(lines, index):
        names = _pair_names(lines, index)
        if head.old == head.new or NOWHERE in names:
            head.old, head.new = names
        index += 2
    return head, index


def _pair_names(lines: Sequence[str], index: int) -> tuple[str, str]:
    """The names above a hunk; a file compared with its copy under another name (``app.py.orig``) is the file."""
    (old, old_gone), (new, new_gone) = (header_path(line[4:]) for line in lines[index : index + 2])
    old, new = without_prefixes(old, new)
    if old_gone or new_gone:
        return (NOWHERE, new) if old_gone else (old, NOWHERE)
    if NOWHERE not in (old, new) and old != new:
        return (new, new) if old.startswith(new) else (old, old) if new.startswith(old) else (old, new)
    return old, new


def _git_names(text: str) -> tuple[str, str]:
    """The two names of a git header; where blanks make them unclear, both are the same."""
    if len(text) > _LONGEST_NAMES:
        return "", ""
    quoted = re.fullmatch(r'("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)', text)
    if quoted:
        return without_prefixes(unquoted(quoted[1]), unquoted(quoted[2]))
    middle = len(text) // 2
    return without_prefixes(text[:middle], text[middle + 1 :])


def _read_header(head: _Head, line: str, index: int) -> None:
    if mode := _MODE.fullmatch(line):
        _check_mode(mode["mode"], index)
        head.created = head.created or line.startswith("new file")
        head.deleted = head.deleted or line.startswith("deleted file")
        if line.startswith(("new mode", "new file mode 100755")):
            head.notes.append(f"{head.new}: its mode {mode['mode']} is left as it is; only contents are changed")
    elif found := _INDEX.fullmatch(line):
        _check_mode(found["mode"] or _ORDINARY[0], index)
        head.old_blob, head.new_blob = found["old"], found["new"]
    elif line.startswith("rename from "):
        head.old = unquoted(line.removeprefix("rename from "))
    elif line.startswith("rename to "):
        head.new = unquoted(line.removeprefix("rename to "))
    elif line.startswith("copy "):
        _refuse(index, "copies a file", "Send the copy as a new file")
    elif line.startswith(("GIT binary", "Binary files")):
        _refuse(index, "changes a file that is no text", "Leave it out")


def _check_mode(mode: str, index: int) -> None:
    if mode not in _ORDINARY:
        kind = {"120000": "a symbolic link", "160000": "a submodule"}.get(mode, f"a file of mode {mode}")
        _refuse(index, f"is about {kind}", "Leave it out: only ordinary files are changed")


def _hunk(lines: Sequence[str], start: int, fenced: bool) -> tuple[Hunk, int]:
    header = _HUNK.match(lines[start])
    counts = (int(header["old"] or 1), int(header["new"] or 1)) if header else (0, 0)
    end = _hunk_end(lines, start + 1, counts, fenced)
    given = list(lines[start + 1 : end])
    if not header:
        while given and not given[-1].strip("\r\n"):
            given.pop()
    if not given:
        _refuse(start, "begins a hunk without any line", "Send the changed lines below it")
    line = int(header["line"]) if header else 0
    text = "" if header else lines[start].strip("@ \t\r\n")
    anchors = (text,) if re.search(r"\w", text) else ()
    return Hunk(marked_lines(given), number=start + 1, line=line, anchors=anchors), end


def _hunk_end(lines: Sequence[str], index: int, counts: tuple[int, int], fenced: bool) -> int:
    """The line after a hunk: where its counts are used up and nothing goes on, or where something else begins."""
    old, new = counts
    while index < len(lines):
        line = lines[index]
        mark = line[0]
        open_ = old > 0 or new > 0
        belongs = open_ and mark in MARKS and (mark != REMOVE or not line.startswith("--- "))
        if not belongs and mark != "\\":
            if _is_other(lines, index, fenced, open_):
                return index
            if not open_ and not line.strip("\r\n") and not _goes_on(lines, index, fenced):
                return index
            if mark not in MARKS and line.strip() and not fenced:
                return index if not open_ else _refuse_cut(index)
        old -= mark not in (ADD, "\\")
        new -= mark not in (REMOVE, "\\")
        index += 1
    return index if old <= 0 and new <= 0 else _refuse_cut(index - 1)


def _is_other(lines: Sequence[str], index: int, fenced: bool, open_: bool) -> bool:
    line = lines[index]
    if line.startswith(("@@", _GIT)) or (fenced and line.startswith(("```", "~~~"))):
        return True
    if _is_pair(lines, index):
        return not open_ or (index + 2 < len(lines) and lines[index + 2].startswith("@@ "))
    return not open_ and line.rstrip() == _SIGNATURE


def _goes_on(lines: Sequence[str], index: int, fenced: bool) -> bool:
    """Whether the empty line is one of the hunk's, its blank lost: more of the hunk stands below."""
    below = next((n for n in range(index, min(index + 4, len(lines))) if lines[n].strip()), index)
    line = lines[below]
    if _is_other(lines, below, fenced, open_=False) or line[0] not in MARKS:
        return False
    if not fenced and _STRAY.match(line):
        _refuse(below, "belongs to no hunk", "Correct the counts in the line @@ above it")
    return fenced


def _refuse_cut(index: int) -> NoReturn:
    _refuse(index, "ends a hunk before its counts are reached", "Send the whole patch again: it may have been cut")


def _refuse(index: int, what: str, next_step: str) -> NoReturn:
    raise PatchError(f"Line {index + 1} of the patch {what}", next_step=next_step)
