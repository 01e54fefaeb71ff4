"""Place one hunk in its file: up the ladder, one step after the other, until it fits in exactly one place."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agentinfra.patching.indent import SAME, Shift, indent_of, shift_between
from agentinfra.patching.ladder import Fit, Target, fits, plain
from agentinfra.patching.misfit import Misfit, already, ambiguous, applied, missing, nothing_to_hold_on
from agentinfra.patching.patch import ADD, BOM, KEEP, REMOVE, Hunk, Step

_COMPARED = 10_000  # pairs of lines up to which the replaced lines of a hunk are compared with the new ones
_CLOSING = re.compile(r"[ \t]*(?:[)\]}{]|else\b|elif\b|except\b|finally\b|catch\b|end\b)")


@dataclass(frozen=True, slots=True)
class Change:
    """Lines of a file that give way to others.

    Attributes:
        start: Index of the first line that goes.
        end: Index of the line after the last; equal to ``start`` where lines are only added.
        lines: What stands there afterwards, with line ends.
    """

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a hunk was placed.

    Attributes:
        line: The place's first line in the file, from 1.
        step: The step of the ladder that found it.
        changes: What changes there, from top to bottom.
    """

    line: int
    step: Step
    changes: tuple[Change, ...]


def place(target: Target, hunk: Hunk, *, known: bool = False) -> Placement | Misfit:
    """Find the one place of a hunk.

    Args:
        target: The file.
        hunk: The hunk.
        known: Whether the file is known to be the very one that the hunk was made for, so that its line number holds.

    Returns:
        The placement, or why there is none.
    """
    if not hunk.old:
        return _placed_in_empty(target, hunk)
    if hunk.line and target.stands_at(Step.EXACT, hunk.old, hunk.line - 1):
        fit = Fit(tuple(range(hunk.line - 1, hunk.line - 1 + len(hunk.old))), hunk.line - 1)
        return _settled(target, hunk, Step.EXACT, fit, known=known)
    for step in Step:
        hunk = _refined(hunk) if step is Step.TRAILING_BLANKS else hunk
        if step is Step.DRIFT and (standing := already(target, hunk)) is not None:
            return standing
        found = [fit for fit in fits(target, step, hunk) if _new_lines(target, hunk, step, fit) is not None]
        found = _narrowed(target, hunk, found)
        if len(found) > 1:
            return ambiguous(target, hunk, step, [fit.start for fit in found])
        if found:
            return _settled(target, hunk, step, found[0])
    return missing(target, hunk)


def _placed_in_empty(target: Target, hunk: Hunk) -> Placement | Misfit:
    if target.text.strip(BOM):
        return nothing_to_hold_on(hunk)
    return Placement(1, Step.EXACT, (Change(0, 0, tuple(hunk.new)),))


def _settled(target: Target, hunk: Hunk, step: Step, fit: Fit, *, known: bool = False) -> Placement | Misfit:
    if not known and (standing := _stands_already(target, hunk, step, fit)) is not None:
        return applied(hunk, standing)
    new = _new_lines(target, hunk, step, fit)
    return Placement(fit.start + 1, step, tuple(_changes(hunk, fit, new or [])))


def _stands_already(target: Target, hunk: Hunk, step: Step, fit: Fit) -> int | None:
    """Where the result stands around the place: it was applied before, or cannot be told from that.

    Of an insertion that is so where its result stands at all, of lines in the place of as many others where the result
    stands more exactly than what was there before.
    """
    new, count = hunk.new, len(hunk.old)
    if len(new) == count and new != hunk.old:
        stricter = itertools.takewhile(lambda other: other is not step, Step)
        return fit.start if any(target.stands_at(other, new, fit.start) for other in stricter) else None
    if len(new) <= count:
        return None
    if step is Step.DRIFT:
        return _drifted_already(target, hunk, fit)
    starts = range(max(0, fit.start + count - len(new)), fit.start + 1)
    return target.first(Step.LINE_ENDS if step.keeps_line_ends else step, new, starts)


def _drifted_already(target: Target, hunk: Hunk, fit: Fit) -> int | None:
    """The same where context drifts; what was added must stand there as sent."""
    done = [(KEEP if mark == KEEP else REMOVE, text) for mark, text in hunk.lines if mark != REMOVE]
    standing = fits(target, Step.DRIFT, replace(hunk, lines=tuple(done)))
    return next((other.start for other in standing if not {*other.spots}.isdisjoint({*fit.spots} - {None})), None)


def _refined(hunk: Hunk) -> Hunk:
    """Keep the lines that a hunk removes and adds again, so that the file's own version of them stays."""
    lines: list[tuple[str, str]] = []
    removed: list[str] = []
    added: list[str] = []
    for mark, text in (*hunk.lines, (KEEP, "")):
        if mark == KEEP:
            lines += [*_aligned(removed, added), (mark, text)]
            removed, added = [], []
        else:
            (removed if mark == REMOVE else added).append(text)
    return replace(hunk, lines=tuple(lines[:-1]))


def _aligned(removed: Sequence[str], added: Sequence[str]) -> Iterator[tuple[str, str]]:
    same: list[tuple[int, int, int]] = [(len(removed), len(added), 0)]
    if 0 < len(removed) * len(added) <= _COMPARED:
        same = [*difflib.SequenceMatcher(None, removed, added, autojunk=False).get_matching_blocks()]
    mine = theirs = 0
    for old, new, count in same:
        yield from ((REMOVE, line) for line in removed[mine:old])
        yield from ((ADD, line) for line in added[theirs:new])
        yield from ((KEEP, line) for line in removed[old : old + count])
        mine, theirs = old + count, new + count


def _narrowed(target: Target, hunk: Hunk, found: list[Fit]) -> list[Fit]:
    """Of several places those that the format points at: its anchors, the file's end, or exactly its line number."""
    scopes = _scopes(target, hunk.anchors) if found and hunk.anchors else []
    if scopes:
        inside = [fit for fit in found if any(start <= fit.start < end for start, end in scopes)]
        found = inside or [fit for fit in found if fit.start >= scopes[0][0]]
    if len(found) > 1 and hunk.at_end:
        form = target.form(Step.PUNCTUATION)
        found = [fit for fit in found if not any(form[max(spot or 0 for spot in fit.spots) + 1 :])] or found
    if len(found) > 1 and hunk.line:
        found = [fit for fit in found if fit.start == hunk.line - 1] or found
    return found


def _scopes(target: Target, anchors: Sequence[str]) -> list[tuple[int, int]]:
    """The parts of the file below the anchors; none where one of them is not in the file."""
    form = target.form(Step.PUNCTUATION)
    scopes = [(0, len(form))]
    for anchor in anchors:
        sought = plain(anchor)
        inner = [
            (at, _scope_end(target, at, end)) for begin, end in scopes for at in _lines_of(form, sought, begin, end)
        ]
        if not inner:
            return []
        scopes = inner
    return scopes


def _lines_of(form: Sequence[str], sought: str, begin: int, end: int) -> list[int]:
    """Lines that are an anchor, or begin with it where none is: ``class A`` stands for ``class A(B):``."""
    same = [at for at in range(begin, end) if form[at] == sought]
    longer = re.compile(re.escape(sought) + r"(?!\w)")
    return same or [at for at in range(begin, end) if longer.match(form[at])]


def _scope_end(target: Target, at: int, last: int) -> int:
    """The line after the block that a line opens, told by indentation."""
    depth = len(indent_of(target.lines[at]))
    for index in range(at + 1, last):
        line = target.lines[index]
        if line.strip() and len(indent_of(line)) <= depth and not _CLOSING.match(line):
            return index
    return last


def _shift(target: Target, hunk: Hunk, fit: Fit) -> Shift | None:
    pairs = zip(hunk.old, fit.spots, strict=True)
    return shift_between(
        (line, target.lines[spot])
        for index, (line, spot) in enumerate(pairs)
        if spot is not None and index not in fit.drifted
    )


def _new_lines(target: Target, hunk: Hunk, step: Step, fit: Fit) -> list[str] | None:
    """The added lines as the file writes them; None where their indentation cannot be told."""
    if step.keeps_line_ends:
        return [line for mark, line in hunk.lines if mark == ADD]
    shift = _shift(target, hunk, fit) if step.reindents else SAME
    if shift is None:
        return None
    fitted = [shift.fit(line) for mark, line in hunk.lines if mark == ADD]
    added = [line for line in fitted if line is not None]
    if len(added) < len(fitted):
        return None
    return _with_line_ends(target, hunk, fit, added)


def _with_line_ends(target: Target, hunk: Hunk, fit: Fit, added: Sequence[str]) -> list[str]:
    end = target.line_end
    lines = [line.rstrip("\r\n") + end if line.endswith("\n") else line for line in added]
    last = fit.spots[-1] == len(target.lines) - 1 and hunk.lines[-1][0] == ADD
    if last and hunk.old[-1].endswith("\n") == hunk.new[-1].endswith("\n"):
        bare = lines[-1].rstrip("\r\n")
        lines[-1] = bare + end if target.lines[-1].endswith("\n") else bare
    return lines


def _changes(hunk: Hunk, fit: Fit, added: Sequence[str]) -> Iterator[Change]:
    spots, new = iter(fit.spots), iter(added)
    start = end = fit.start
    lines: list[str] = []
    for mark, _ in hunk.lines:
        if mark == ADD:
            lines.append(next(new))
            continue
        spot = next(spots)
        if spot is None:
            continue
        if mark == KEEP or spot != end:
            if lines or end > start:
                yield Change(start, end, tuple(lines))
            start, lines = spot + (mark == KEEP), []
        end = spot + 1
    if lines or end > start:
        yield Change(start, end, tuple(lines))
