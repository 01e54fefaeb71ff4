"""A patch carried out in memory: what every file would read afterwards, or everything that is wrong with the patch."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agentinfra.core.errors import PatchError
from agentinfra.patching.gate import canonical_path
from agentinfra.patching.ladder import Target
from agentinfra.patching.misfit import Misfit
from agentinfra.patching.patch import BOM, Action, FileEdit, Format, Hunk, Patch, Step
from agentinfra.patching.place import Change, Placement, place

_TOLD = 10  # so many faults of one patch


@dataclass(frozen=True, slots=True)
class PlacedHunk:
    """Where a hunk was placed.

    Attributes:
        line: First line of the place, from 1, in the file as the hunk met it.
        step: The step of the ladder that found it.
    """

    line: int
    step: Step


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file.

    Attributes:
        path: The file; of a moved one the new path.
        change: "created", "changed", "deleted", "moved" or "unchanged".
        hunks: Its hunks, in the order of the patch.
        moved_from: Where it was before; empty where it was not moved.
    """

    path: str
    change: str
    hunks: tuple[PlacedHunk, ...] = ()
    moved_from: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A patch carried out in memory.

    Attributes:
        texts: New text of each file that changes; None for one that goes.
        moved: Where a file comes from, by its new path.
        results: One for each edit of the patch.
    """

    texts: Mapping[str, str | None]
    moved: Mapping[str, str]
    results: tuple[FileResult, ...]


Read = Callable[[str], "str | None"]
Near = Callable[[str], "list[str]"]


def draft(patch: Patch, read: Read, near: Near = lambda _: []) -> Draft:
    """Carry a patch out in memory.

    Args:
        patch: The patch.
        read: Gives the text of a file by its canonical path; None where there is none.
        near: Gives paths like one that is not there, for the message.

    Returns:
        The files as they would be.

    Raises:
        PatchError: Some of it does not fit; the message names every edit that does not.
    """
    work = _Work(read, near)
    for edit in patch.edits:
        work.carry_out(edit)
    if work.faults:
        raise _refusal(work.faults, sum(max(1, len(edit.hunks)) for edit in patch.edits))
    changed = {path: text for path, text in work.texts.items() if text != work.before[path]}
    return Draft(changed, work.moved, tuple(work.results))


def _refusal(faults: list[tuple[str, Misfit]], count: int) -> PatchError:
    told = [f"{path}, line {fault.number} of the patch: {fault.what}" for path, fault in faults[:_TOLD]]
    more = [f"and {len(faults) - _TOLD} more"] if len(faults) > _TOLD else []
    steps = dict.fromkeys(f"line {fault.number}: {fault.next_step}" for _, fault in faults[:_TOLD])
    if len(faults) == count and all(fault.stands for _, fault in faults):
        what = "All of the patch stands in the files already, so nothing was changed"
        return PatchError(what, why="; ".join([*told, *more]), next_step="Send nothing again that stands already")
    fitting = count - len(faults)
    rest = "" if fitting <= 0 else f"; the other {fitting} fit as they are" if fitting > 1 else "; the other one fits"
    return PatchError(
        f"{len(faults)} of {count} changes do not fit, so none was made{rest}",
        why="; ".join([*told, *more]),
        next_step="Send all of them again, with these corrected: " + "; ".join(steps),
    )


@dataclass(slots=True)
class _Work:
    """The files as far as the patch is carried out."""

    read: Read
    near: Near
    texts: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    before: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    moved: dict[str, str] = field(default_factory=dict[str, str])
    results: list[FileResult] = field(default_factory=list[FileResult])
    faults: list[tuple[str, Misfit]] = field(default_factory=list[tuple[str, Misfit]])

    def carry_out(self, edit: FileEdit) -> None:
        path = canonical_path(edit.path)
        text = self._text(path)
        if edit.action in (Action.WRITE, Action.CREATE):
            self._write(path, edit, text)
        elif text is None:
            self._refuse_missing(path, edit)
        else:
            self._edit(path, edit, text)

    def _text(self, path: str) -> str | None:
        if path not in self.texts:
            self.texts[path] = self.before[path] = self.read(path)
        return self.texts[path]

    def _write(self, path: str, edit: FileEdit, text: str | None) -> None:
        new = edit.text if text is None else _as_before(text, edit.text)
        # A search/replace block that searches for nothing fills an empty file, too.
        fills = edit.format is Format.SEARCH_REPLACE and text is not None and not text.strip()
        if edit.action is Action.CREATE and text is not None and not fills:
            self._refuse(path, edit, _there_already(same=new == text))
            return
        self.texts[path] = new
        self.results.append(FileResult(path, "created" if text is None else _changed(text, new)))

    def _edit(self, path: str, edit: FileEdit, text: str) -> None:
        if edit.new_blob and edit.new_blob != edit.old_blob and _is_blob(text, edit.new_blob):
            self._refuse(path, edit, Misfit(0, "the file is already as the patch makes it", "Leave it out", True))
            return
        new, placed = self._placed(path, edit, text)
        if new is None:
            return
        if edit.action is Action.DELETE:
            self._delete(path, edit, new, placed)
        elif edit.move_to:
            self._move(path, edit, new, placed)
        else:
            self.texts[path] = new
            self.results.append(FileResult(path, _changed(text, new), placed))

    def _delete(self, path: str, edit: FileEdit, rest: str, placed: tuple[PlacedHunk, ...]) -> None:
        if edit.hunks and rest.strip(BOM):
            what = "it deletes the file, but the file holds more than the patch shows"
            self._refuse(path, edit, Misfit(0, what, "Show the whole file as removed lines"))
            return
        self.texts[path] = None
        self.results.append(FileResult(path, "deleted", placed))

    def _move(self, path: str, edit: FileEdit, new: str, placed: tuple[PlacedHunk, ...]) -> None:
        target = canonical_path(edit.move_to)
        if target != path and self._text(target) is not None:
            self._refuse(target, edit, Misfit(0, f"{path} cannot move there: a file is there", "Delete that one first"))
            return
        self.texts[path] = None
        self.texts[target] = new
        self.moved[target] = self.moved.pop(path, path)
        self.results.append(FileResult(target, "moved", placed, moved_from=path))

    def _placed(self, path: str, edit: FileEdit, text: str) -> tuple[str | None, tuple[PlacedHunk, ...]]:
        target = Target(text)
        known = bool(edit.old_blob) and _is_blob(text, edit.old_blob)
        found = [_place(target, hunk, edit, known=known) for hunk in edit.hunks]
        misfits = [one for one in found if isinstance(one, Misfit)]
        placements = [one for one in found if isinstance(one, Placement)]
        if not misfits and not edit.in_turn:
            misfits = _make(target, edit.hunks, placements)
        self.faults += [(path, misfit) for misfit in misfits]
        if misfits:
            return None, ()
        new = _whole_lines(target)
        if text.startswith(BOM) and new and not new.startswith(BOM) and not _names_bom(edit):
            new = BOM + new
        return new, tuple(PlacedHunk(one.line, one.step) for one in placements)

    def _refuse_missing(self, path: str, edit: FileEdit) -> None:
        near = self.near(path)
        gone = edit.action is Action.DELETE or bool(edit.move_to)
        what = "the file is not there" + (": it is gone already" if gone else "")
        what += f"; did you mean {' or '.join(near)}?" if near else ""
        self._refuse(path, edit, Misfit(0, what, "Leave it out" if gone else "Name a file that is there"))

    def _refuse(self, path: str, edit: FileEdit, misfit: Misfit) -> None:
        number = edit.hunks[0].number if edit.hunks else edit.number
        self.faults.append((path, Misfit(number, misfit.what, misfit.next_step, misfit.stands)))


def _place(target: Target, hunk: Hunk, edit: FileEdit, *, known: bool) -> Placement | Misfit:
    placement = place(target, hunk, known=known)
    if edit.in_turn and isinstance(placement, Placement):
        for change in reversed(placement.changes):
            target.replace(change.start, change.end, change.lines)
    return placement


def _make(target: Target, hunks: tuple[Hunk, ...], placements: list[Placement]) -> list[Misfit]:
    """Make the changes of hunks that were all placed in the old file; two that meet are refused."""
    pairs = [(change, hunk) for hunk, one in zip(hunks, placements, strict=True) for change in one.changes]
    pairs.sort(key=lambda pair: (pair[0].start, pair[0].end))
    for (above, _), (below, hunk) in itertools.pairwise(pairs):
        if _meet(above, below):
            what = f"it changes line {below.start + 1}, which another hunk of the patch changes, too"
            return [Misfit(hunk.number, what, "Send one hunk for both")]
    for change, _ in reversed(pairs):
        target.replace(change.start, change.end, change.lines)
    return []


def _meet(above: Change, below: Change) -> bool:
    return below.start < above.end or (below.start, below.end) == (above.start, above.end)


def _whole_lines(target: Target) -> str:
    """The text, with an end on every line but the last."""
    for index in [at for at, line in enumerate(target.lines[:-1]) if line[-1] != "\n"]:
        target.replace(index, index + 1, [target.lines[index] + target.line_end])
    return target.text


def _names_bom(edit: FileEdit) -> bool:
    return any(text.startswith(BOM) for hunk in edit.hunks for _, text in hunk.lines)


def _is_blob(text: str, beginning: str) -> bool:
    """Whether this is the file that git names so."""
    content = text.encode("utf-8", "surrogatepass")
    kind = hashlib.sha256 if len(beginning) == 64 else hashlib.sha1
    digest = kind(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return digest.startswith(beginning)


def _as_before(old: str, new: str) -> str:
    """A file's new text with the old one's line ends, byte order mark and missing end."""
    lines = Target(old)
    if lines.line_end == "\r\n" and "\r\n" not in new:
        new = new.replace("\n", "\r\n")
    if old.startswith(BOM) and not new.startswith(BOM):
        new = BOM + new
    if old and not old.endswith("\n"):
        new = new.removesuffix("\n").removesuffix("\r")
    return new


def _changed(old: str, new: str) -> str:
    return "changed" if new != old else "unchanged"


def _there_already(*, same: bool) -> Misfit:
    if same:
        return Misfit(0, "it makes a file that stands already, just as sent", "Leave it out", True)
    return Misfit(0, "it makes a new file, but one is there", "Send the changed lines, or the whole file alone")
