"""From a model's raw reply to a patch: every format, several of them, prose and fences around them.

The reply is read once, line by line; what begins a patch is read to its end or refused, never tried again, so that the
time is linear in the reply's length.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace

from agentinfra.core.errors import NotAPatch, PatchError
from agentinfra.patching.formats import search_replace, unified, v4a, whole_file
from agentinfra.patching.formats.paths import path_in
from agentinfra.patching.patch import Action, FileEdit, Format, Patch, split_lines

ALL = (Format.WHOLE, Format.SEARCH_REPLACE, Format.V4A, Format.UNIFIED)
_DIFF_LANGUAGES = ("diff", "patch", "udiff")
_NO_LANGUAGES = ("", "text", "txt", "plaintext")
_TOP = 4  # so far from the top of a fence a patch in it begins, or it is none


def read_patch(text: str, format: Format | str = Format.AUTO) -> Patch:
    """Read what a reply changes.

    Args:
        text: The reply as it came, or the contents of a patch file.
        format: The only format to look for; ``auto`` looks for all of them.

    Returns:
        Its edits, in order.

    Raises:
        NotAPatch: It holds none.
        PatchError: A patch in it is cut, broken or names no file.
        InputError: There is no such format.
    """
    wanted = Format.named(format)
    patch = find_patch(text, ALL if wanted is Format.AUTO else (wanted,))
    if patch is None:
        raise NotAPatch(
            "This is not a patch",
            why="no file in a fence with its path, no search/replace block, V4A patch or unified diff begins in it"
            if wanted is Format.AUTO
            else f"nothing in the format {wanted} begins in it",
            next_step="Send the change in one of these formats",
        )
    return patch


def find_patch(text: str, formats: Collection[Format]) -> Patch | None:
    """Read what a reply changes by some formats; the others are prose.

    Returns:
        Its edits, in order; None where there are none.

    Raises:
        PatchError: A patch in it is cut, broken or names no file.
    """
    reader = _Reader(_lines(text), formats)
    index = 0
    while index < len(reader.lines):
        index = reader.read(index)
    edits = _settled(reader.edits)
    return Patch(tuple(edits), tuple(reader.notes)) if edits or reader.notes else None


def _lines(text: str) -> list[str]:
    """A reply whose every line ends in CRLF was made so on its way: what it carries may have other line ends."""
    crlf = text.count("\r\n")
    return split_lines(text.replace("\r\n", "\n") if crlf and crlf == text.count("\n") else text)


class _Reader:
    """Where the reading of a reply stands."""

    def __init__(self, lines: Sequence[str], wanted: Collection[Format]) -> None:
        self.lines = lines
        self.edits: list[FileEdit] = []
        self.notes: list[str] = []
        self._wanted = wanted
        self._fence = ""
        self._in_code = False
        self._path = ""
        self._diff_path = ""

    def read(self, index: int) -> int:
        """Read what begins in a line; returns the index of the line after it."""
        line = self.lines[index]
        if self._wants(Format.V4A) and v4a.begins(line):
            edits, after = v4a.read(self.lines, index, fenced=bool(self._fence))
            self.edits += edits
            return after
        if self._wants(Format.SEARCH_REPLACE) and search_replace.begins(line):
            edit, after = search_replace.read(self.lines, index, self._path)
            self.edits.append(edit)
            self._path = edit.path
            return after
        begins_diff = unified.begins(self.lines, index) or unified.begins_hunk(line)
        if begins_diff and self._wants(Format.UNIFIED) and not self._in_code:
            return self._read_diff(index)
        return self._read_fence(index)

    def _wants(self, format: Format) -> bool:
        return format in self._wanted

    def _read_diff(self, index: int) -> int:
        edit, notes, after = unified.read(self.lines, index, fenced=bool(self._fence), path=self._diff_path)
        self.notes += notes
        if edit is not None:
            self.edits.append(edit)
        return after

    def _read_fence(self, index: int) -> int:
        fence = whole_file.fence_in(self.lines[index])
        if fence is None:
            return index + 1
        if self._fence:
            self._fence = "" if fence.closes(self._fence) else self._fence
            self._in_code = self._in_code and bool(self._fence)
            self._diff_path = self._diff_path if self._fence else ""
            return index + 1
        return self._open_fence(index, fence)

    def _open_fence(self, index: int, fence: whole_file.Fence) -> int:
        is_diff = fence.language in _DIFF_LANGUAGES
        path = whole_file.path_of(self.lines, index, fence)
        holds_patch = self._wanted != (Format.WHOLE,) and (is_diff or self._begins_patch(index + 1))
        if path and not holds_patch and self._wants(Format.WHOLE):
            edit, after = whole_file.read(self.lines, index, fence, path)
            self.edits.append(edit)
            return after
        self._fence = fence.mark
        self._in_code = not holds_patch and fence.language not in _NO_LANGUAGES
        self._diff_path = path if is_diff else ""
        return index + 1

    def _begins_patch(self, index: int) -> bool:
        """Whether a fence holds a patch from its top on; a line with the file's path may stand above it."""
        filled = (n for n in range(index, min(index + _TOP, len(self.lines))) if self.lines[n].strip())
        first = next(filled, None)
        if first is not None and path_in(self.lines[first], bare=True):
            first = next(filled, None)
        return first is not None and (
            v4a.begins(self.lines[first])
            or search_replace.begins(self.lines[first])
            or unified.begins(self.lines, first)
        )


def _settled(edits: Sequence[FileEdit]) -> list[FileEdit]:
    """Beside edits of other formats a fence with a path may be an excerpt: there it can only be a new file."""
    whole = [edit for edit in edits if edit.format is Format.WHOLE]
    texts: dict[str, str] = {}
    for edit in whole:
        if texts.setdefault(edit.path, edit.text) != edit.text:
            raise PatchError(
                f"The reply holds {edit.path} twice",
                why="both are whole files and they differ",
                next_step="Send it once",
            )
    if len(whole) < len(edits):
        return _joined([replace(edit, action=Action.CREATE) if edit.format is Format.WHOLE else edit for edit in edits])
    return list({edit.path: edit for edit in edits}.values())


def _joined(edits: Sequence[FileEdit]) -> list[FileEdit]:
    """Search/replace blocks for one file, one below the other, as one edit with many hunks."""
    joined: list[FileEdit] = []
    for key, group in itertools.groupby(edits, key=lambda edit: (edit.path, edit.in_turn)):
        several = list(group)
        hunks = tuple(hunk for edit in several for hunk in edit.hunks)
        joined += [replace(several[0], hunks=hunks)] if key[1] else several
    return joined
