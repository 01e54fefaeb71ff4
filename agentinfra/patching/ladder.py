"""The ladder: where in a file the lines of a hunk stand, from exactly there to nearly there.

Each step compares a simpler form of the lines. The last one also lets context drift within bounds: in a hunk of two
lines at least, blank lines between lines do not count, and one line in three, three at most, may read differently as
long as it is alike by :data:`LIKENESS`. Only lines that are kept may drift; those that are removed must stand there.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agentinfra.patching.patch import ADD, BOM, KEEP, Hunk, Step, split_lines

LIKENESS = 0.6  # share of characters that a drifted line has in common with the file's
MOST_DRIFTED = 3
LEAST_LINES = 2  # a single line drifts into anything
_DRIFT_SHARE = 3  # one in so many
_BLANKS = " \t"
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ＇", "'"),
        **dict.fromkeys("“”„‟″＂", '"'),
        **dict.fromkeys("‐‑‒–—―−－", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\u205f\u3000", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", ""),
        "…": "...",
        "：": ":",
        "，": ",",
        "；": ";",
        "（": "(",
        "）": ")",
        "×": "x",
    }
)


def _without_trailing_blanks(line: str) -> str:
    content = line.removeprefix(BOM).rstrip("\r\n")
    return content.rstrip(_BLANKS) + line[len(line.rstrip("\r\n")) :]


def _content(line: str) -> str:
    return line.removeprefix(BOM).rstrip("\r\n").rstrip(_BLANKS)


def plain(line: str) -> str:
    """A line without its indentation, trailing blanks and end, in plain punctuation."""
    return line.rstrip("\r\n").translate(_PLAIN).strip(_BLANKS)


_FORMS: dict[Step, Callable[[str], str]] = {
    Step.EXACT: str,
    Step.TRAILING_BLANKS: _without_trailing_blanks,
    Step.LINE_ENDS: _content,
    Step.INDENTATION: lambda line: _content(line).lstrip(_BLANKS),
    Step.PUNCTUATION: plain,
}


@dataclass(frozen=True, slots=True)
class Fit:
    """A place where a hunk fits.

    Attributes:
        spots: Index of the file's line for each old line of the hunk; None for a blank one that is not there.
        start: The first of them.
        drifted: Indices, among the old lines, of those that read differently.
    """

    spots: tuple[int | None, ...]
    start: int
    drifted: frozenset[int] = frozenset()


class Target:
    """A file's lines, with the forms in which the steps compare them."""

    def __init__(self, text: str) -> None:
        self.lines = split_lines(text)
        self._forms: dict[Step, list[str]] = {Step.EXACT: self.lines}

    @property
    def text(self) -> str:
        """The file as it stands."""
        return "".join(self.lines)

    def form(self, step: Step) -> list[str]:
        """The lines as a step compares them."""
        if step not in self._forms:
            self._forms[step] = [*map(_FORMS[step], self.lines)]
        return self._forms[step]

    def replace(self, start: int, end: int, lines: Sequence[str]) -> None:
        """Put other lines in the place of some."""
        for step, form in self._forms.items():
            form[start:end] = map(_FORMS[step], lines)

    def stands_at(self, step: Step, wanted: Sequence[str], start: int) -> bool:
        """Whether lines stand at one place, as a step compares them."""
        if start < 0 or start + len(wanted) > len(self.lines):
            return False
        form = _FORMS[step]
        return self.form(step)[start : start + len(wanted)] == [form(line) for line in wanted]

    @property
    def line_end(self) -> str:
        """The line end that most lines have."""
        carried = sum(line.endswith("\r\n") for line in self.lines)
        return "\r\n" if carried * 2 > sum(line.endswith("\n") for line in self.lines) else "\n"

    def first(self, step: Step, wanted: Sequence[str], starts: range) -> int | None:
        """The first of some places where lines stand, as a step compares them."""
        form = self.form(step)
        sought = [*map(_FORMS[step], wanted)]
        end = len(sought)
        return next((at for at in starts if form[at : at + 1] == sought[:1] and form[at : at + end] == sought), None)

    def find(self, step: Step, wanted: Sequence[str]) -> list[int]:
        """Every place where lines stand, as a step compares them."""
        form = self.form(step)
        sought = [*map(_FORMS[step], wanted)]
        # The longest line is the rarest as a rule.
        probe = max(range(len(sought)), key=lambda index: len(sought[index]))
        places = (index - probe for index in _occurrences(form, sought[probe]))
        return [start for start in places if start >= 0 and form[start : start + len(sought)] == sought]


def _occurrences(lines: list[str], line: str) -> Iterator[int]:
    index = -1
    try:
        while True:
            index = lines.index(line, index + 1)
            yield index
    except ValueError:
        return


def fits(target: Target, step: Step, hunk: Hunk) -> list[Fit]:
    """Every place where the old lines of a hunk fit, at one step."""
    if step is Step.DRIFT:
        return [*_drifted(target, hunk)]
    old = hunk.old
    return [Fit(tuple(range(start, start + len(old))), start) for start in target.find(step, old)]


def _drifted(target: Target, hunk: Hunk) -> Iterator[Fit]:
    """Compare without blank lines; what is kept may differ in a few lines."""
    marks = [mark for mark, _ in hunk.lines if mark != ADD]
    old = [*map(plain, hunk.old)]
    sought = [index for index, line in enumerate(old) if line]
    there = [index for index, line in enumerate(target.form(Step.PUNCTUATION)) if line]
    form = [target.form(Step.PUNCTUATION)[index] for index in there]
    most = min(MOST_DRIFTED, len(sought) // _DRIFT_SHARE)
    wanted = [(old[index], marks[index] == KEEP) for index in sought]
    for start in _candidates(form, wanted):
        strange = _strange(form, wanted, start, most)
        if strange is not None:
            found = [there[start + offset] for offset in range(len(sought))]
            spots = _with_blanks(old, dict(zip(sought, found, strict=True)), target)
            if all(spot is not None or mark == KEEP for spot, mark in zip(spots, marks, strict=True)):
                yield Fit(spots, found[0], frozenset(sought[offset] for offset in strange))


def _candidates(form: list[str], wanted: Sequence[tuple[str, bool]]) -> Iterator[int]:
    """Places worth a look: where a line stands that must, or all of them where every line may drift."""
    last = len(form) - len(wanted)
    firm = [offset for offset, (_, may_drift) in enumerate(wanted) if not may_drift]
    if len(wanted) < LEAST_LINES:
        return
    if firm:
        probe = max(firm, key=lambda offset: len(wanted[offset][0]))
        yield from (at - probe for at in _occurrences(form, wanted[probe][0]) if 0 <= at - probe <= last)
    else:
        yield from range(last + 1)


def _strange(form: list[str], wanted: Sequence[tuple[str, bool]], start: int, most: int) -> list[int] | None:
    """Offsets of the lines that differ; None where too many do, or one that must not, or one not alike."""
    strange: list[int] = []
    for offset, (line, may_drift) in enumerate(wanted):
        if form[start + offset] != line:
            strange.append(offset)
            if not may_drift or len(strange) > most:
                return None
    alike = all(_alike(form[start + offset], wanted[offset][0]) for offset in strange)
    return strange if alike else None


def _alike(one: str, other: str) -> bool:
    if max(len(one), len(other)) > 1000:  # the comparison is quadratic
        return False
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= LIKENESS and matcher.ratio() >= LIKENESS


def _with_blanks(old: Sequence[str], found: dict[int, int], target: Target) -> tuple[int | None, ...]:
    """Give blank lines of a hunk the blank lines of the file that stand between the same two others."""
    form = target.form(Step.PUNCTUATION)
    spots: list[int | None] = []
    before: int | None = None
    for index in range(len(old)):
        at = found.get(index)
        if at is None and before is not None and before + 1 < len(form) and not form[before + 1]:
            at = before + 1
        spots.append(at)
        before = at if at is not None else before
    return tuple(spots)
