"""Why a hunk has no place, told so that its writer can mend it: what is near, what stands already, what to send."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agentinfra.patching.ladder import Target, fits, plain
from agentinfra.patching.patch import ADD, Hunk, Step

_LISTED = 8
_SHOWN = 12  # lines of the file
_WIDTH = 160
_SEARCHED = 3_000  # lines that are compared one by one when none of them is the same
_LIKENESS = 0.6


@dataclass(frozen=True, slots=True)
class Misfit:
    """A hunk that has no place.

    Attributes:
        number: Line of the reply where it begins.
        what: What is the matter.
        next_step: What to send instead.
        stands: Whether its result stands in the file already.
    """

    number: int
    what: str
    next_step: str
    stands: bool = False


def ambiguous(target: Target, hunk: Hunk, step: Step, starts: Sequence[int]) -> Misfit:
    """Several places fit equally well."""
    listed = ", ".join(str(start + 1) for start in starts[:_LISTED])
    more = f" and {len(starts) - _LISTED} more" if len(starts) > _LISTED else ""
    how = "exactly" if step is Step.EXACT else f"equally well ({step} aside)"
    around = " | ".join(
        f"above line {start + 1}: {_cut(target.lines[start - 1])!r}" for start in starts[:3] if start > 0
    )
    return Misfit(
        hunk.number,
        f"it fits {how} in {len(starts)} places: lines {listed}{more}" + (f" ({around})" if around else ""),
        "Add neighbouring lines that only the wanted place has",
    )


def applied(hunk: Hunk, start: int) -> Misfit:
    """The result stands around the place already."""
    return Misfit(
        hunk.number,
        f"its result stands already in line {start + 1}",
        "Leave it out; where the lines are wanted once more, show them in the lines that are there",
        stands=True,
    )


def already(target: Target, hunk: Hunk) -> Misfit | None:
    """The result stands in the file, and what was there before does not."""
    new = hunk.new
    if not any(plain(line) for line in new) or new == hunk.old:
        return None
    for step in (Step.EXACT, Step.LINE_ENDS, Step.PUNCTUATION):
        found = target.find(step, new)
        if found:
            where = ", ".join(str(start + 1) for start in found[:_LISTED])
            what = f"what it searches for is not in the file, but its result stands already in line {where}"
            return Misfit(hunk.number, what, "Leave it out", stands=True)
    return None


def nothing_to_hold_on(hunk: Hunk) -> Misfit:
    """A hunk without old lines, for a file that has lines."""
    return Misfit(
        hunk.number,
        "it shows no line that is in the file, so it has no place",
        "Add the lines above and below the place, unchanged",
    )


def missing(target: Target, hunk: Hunk) -> Misfit:
    """Nothing fits: show what comes nearest."""
    indented = fits(target, Step.INDENTATION, hunk)
    if indented:
        where = ", ".join(str(fit.start + 1) for fit in indented[:_LISTED])
        what = f"its lines stand in line {where}, but indented in another way that cannot be carried over"
        return Misfit(hunk.number, what, "Copy the lines with their indentation")
    if not target.lines:
        return Misfit(hunk.number, "the file is empty", "Send its new text as a new file")
    start = _nearest(target, hunk)
    if start is None:
        what = f"nothing in the file is like its first line {_cut(_first(hunk))!r}"
        return Misfit(hunk.number, what, "Look at the file again and copy the lines from it")
    return _near(target, hunk, start)


def _near(target: Target, hunk: Hunk, start: int) -> Misfit:
    here = target.form(Step.PUNCTUATION)[start : start + len(hunk.old)]
    strange = [line for line in hunk.old if plain(line) and plain(line) not in here]
    told = "; ".join(repr(_cut(line)) for line in strange[:3]) or "its lines in this order"
    end = min(len(target.lines), start + min(len(hunk.old), _SHOWN))
    shown = "\n".join(f"  {index + 1}| {_cut(target.lines[index])}" for index in range(start, end))
    return Misfit(
        hunk.number,
        f"not in the file: {told}; nearest is\n{shown}\n",
        f"Copy lines {start + 1} to {end} of the file as they are into what it searches for",
    )


def _nearest(target: Target, hunk: Hunk) -> int | None:
    """Where the window with most of the hunk's lines begins, or the line most like one of them."""
    form = target.form(Step.PUNCTUATION)
    wanted = Counter(line for line in map(plain, hunk.old) if line)
    size = len(hunk.old)
    score = best = 0
    start: int | None = None
    for index, line in enumerate(form):
        score += line in wanted
        score -= index >= size and form[index - size] in wanted
        if score > best:
            best, start = score, max(0, index - size + 1)
    if start is None:
        return _most_alike(form, wanted)
    return next(index for index in range(start, len(form)) if form[index] in wanted) if size == 1 else start


def _most_alike(form: Sequence[str], wanted: Counter[str]) -> int | None:
    sought = max(wanted, key=len, default="")[:_WIDTH]
    lines = [line[:_WIDTH] for line in form[:_SEARCHED]]
    close = difflib.get_close_matches(sought, lines, n=1, cutoff=_LIKENESS) if sought else []
    return lines.index(close[0]) if close else None


def _first(hunk: Hunk) -> str:
    return next((text for mark, text in hunk.lines if mark != ADD and text.strip()), "")


def _cut(line: str) -> str:
    text = line.rstrip("\r\n")
    return text if len(text) <= _WIDTH else text[:_WIDTH] + "…"
