"""Damaged and made-up documents for the readers of spec.md and tasks.md: a document or a clear error, and in time.

    python -m benchmarks.spec_fuzz --seconds 600 --seed 1

Real documents are cut, doubled, mixed and sprinkled with marks; others are put together from the lines that the
readers know, from one line many times, or from random bytes. Each case goes through both readers, both parsers, the
front matter, the checks and one edit of every kind. A case fails where anything but an error with a place comes out,
where a byte is lost, or where 100 kB take longer than a second.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import TaskState
from agentinfra.spec.diagnostics import check_documents
from agentinfra.spec.document import parse
from agentinfra.spec.edits import (
    add_example,
    add_requirement,
    answer_question,
    remove_example,
    remove_requirement,
    replace_statement,
    replace_title,
    set_state,
)
from agentinfra.spec.front_matter import read_front_matter, split, with_front_matter
from agentinfra.spec.requirements import Example, Requirement
from agentinfra.spec.source import Block, Edit, apply_edits, render
from agentinfra.spec.spec_source import SpecSource, read_spec
from agentinfra.spec.tasks_document import parse_tasks
from agentinfra.spec.tasks_source import TasksSource, read_tasks

ROOT = Path(__file__).parents[1]
LIMIT_SECONDS = 1.0
MOST_CHARACTERS = 100_000
GIVE_UP_SECONDS = 30.0
T = TypeVar("T")
_MARKS = "`*_#-+:;,.[]() \t\r\n~<>!\"'\\·–→=xX0\0\x0b\x1c\u00a0\u0131\u2028\u0660\ud800\ufeff"
_PIECES = (
    "# Tea timer", "## Goal", "## Requirements", "## Open questions", "## User stories", "## Out of scope",
    "## Interface",
    "### FR-1 · Title", "### NFR-2 Speed", "### No id", "#### Part", "#", "> idea", "Words.", "  more words", "", "   ",
    "File: `a.py`", "File: plain.py", "Area: frontend", "Area: middle", "Interface:", "Interface: `f(n)`, `g`",
    "Acceptance:", "**Acceptance:**", "- `f(1)` returns `2` _(stated)_", "* f() → 3 (guessed)", "- works well",
    "- Given a, when b, then c", "- Given a", "  When b", "  Then c", "- after `a` then `f()` raises `E`",
    "- `p` prints", "  ```", "```", "````py", "~~~", "<!-- c -->", "<!-- open", "close -->", "- [ ] Q-1 · Which?",
    "- [x] **Q-2** What", "  - Why: because", "  - Option: a", "  - Recommended: a", "  - Answer:", "  - Answer: yes",
    "  and that", "- [ ] T-1 · A task _(pending)_", "- [x] T-2 · B _(done: x)_", "* [ ] **T-3** C",
    "  - Requirements: FR-1, NFR-2", "  - Files: `a`, `b`", "  - Files: a, b", "  - Symbols: `` f`g ``",
    "  - Depends on: T-1, T-2", "  - Engineer: me", "- [ ] buy", "---", "id: a", "status: done",
    'status: "odd', "-", "\\#",
)  # fmt: skip
# One of these many times over is what makes a careless reader slow.
_REPEATED = (
    *_PIECES, *_MARKS, "``` x\n", "~~~~\n", "<!--\n", "-->", "`` ", "` ``` ", "_(done", "(stated)", " given when",
    ", when", "_(", "**", "- - ", "\n\n", "\r\n", "FR-1 ", "T-1, ", "- when\n", "  a\n", "key: ", "\\:",
)  # fmt: skip


@dataclass
class Tally:
    """What was tried, and what came of it.

    Attributes:
        cases: How many documents.
        characters: Their length together.
        refused: How many errors the parsers raised, as they should.
        edits: How many changes were made.
        slowest: The longest time of each thing that was tried, in seconds.
        failures: What went wrong, each with the document.
    """

    cases: int = 0
    characters: int = 0
    refused: int = 0
    edits: int = 0
    slowest: dict[str, float] = field(default_factory=dict[str, float])
    failures: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


class Documents:
    """An endless source of documents.

    Args:
        seed: For the same documents again.
        real: Documents to damage.
    """

    def __init__(self, seed: int, real: Sequence[str]) -> None:
        self._random = random.Random(seed)
        self._real = real
        self._kinds: Sequence[Callable[[], str]] = (
            self._damaged,
            self._damaged,
            self._lines,
            self._repeated,
            self._noise,
        )

    def next(self) -> str:
        """Another document of at most 100 kB."""
        return self._random.choice(self._kinds)()[:MOST_CHARACTERS]

    def word(self) -> str:
        """Text for an edit."""
        return self._random.choice((*_PIECES, "", "a\nb", "\ud800", "-->", "```\n"))

    def pick(self, items: Sequence[T]) -> T:
        """One of these."""
        return self._random.choice(items)

    def _damaged(self) -> str:
        text = self._random.choice(self._real)
        for _ in range(self._random.choice((1, 1, 2, 4, 16))):
            text = self._once_more_damaged(text)
        return text

    def _once_more_damaged(self, text: str) -> str:
        place = self._random.randint(0, len(text))
        length = self._random.choice((1, 1, 2, 8, 40, 400))
        other = self._random.randint(0, len(text))
        match self._random.randrange(6):
            case 0:
                return text[:place] + text[place + length :]
            case 1:
                return text[:place] + "".join(self._random.choices(_MARKS, k=min(length, 8))) + text[place:]
            case 2:
                return text[:place] + text[other : other + length] + text[place:]
            case 3:
                return text[:place] + self._random.choice(("\n", "")) + self._random.choice(_PIECES) + text[place:]
            case 4:
                return text.replace("\n", self._random.choice(("\r\n", "\r", "\n\n")), self._random.choice((1, -1)))
            case _:
                return text[:place]

    def _lines(self) -> str:
        lines = self._random.choices(_PIECES, k=self._random.choice((0, 3, 20, 100)))
        head = self._random.choice(("", "# T\n", "---\nid: a\n---\n# T\n", "\ufeff"))
        return head + self._random.choice(("\n", "\r\n")).join(lines)

    def _repeated(self) -> str:
        """Much of the same, behind and before something else."""
        piece, other = self._random.choices(_REPEATED, k=2)
        mixed = piece + self._random.choice(("", "", " ", "\n", other)) or "\n"
        count = self._random.choice((10, 1_000, MOST_CHARACTERS // len(mixed)))
        head = self._random.choice(
            ("", "# T\n## Requirements\n### FR-1 · A\n", "- [ ] T-1 · A\n", "---\nkey: ", *_PIECES)
        )
        label = self._random.choice(("", "Acceptance:\n- ", "## Open questions\n- [ ] Q-1 · A\n  - Answer: "))
        tail = self._random.choice(("", "\n---\n", other, "\rx"))
        return head + label + (mixed * count)[: MOST_CHARACTERS - 200] + tail

    def _noise(self) -> str:
        data = self._random.randbytes(self._random.choice((10, 300, 3_000)))
        return data.decode(self._random.choice(("utf-8", "latin-1", "utf-16")), "replace")


def real_documents() -> list[str]:
    """The documents of the repository: examples, and what is shown in the documentation and the tests."""
    paths = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("tests/unit/spec/*.py")]
    whole = [path.read_text(encoding="utf-8") for path in sorted(paths)]
    shown = [found[1] for text in whole for found in re.finditer(r"(?s)(?:```+md\n|\"\"\")(.*?)(?:```|\"\"\")", text)]
    return [text for text in (*whole, *shown) if "# " in text and len(text) < MOST_CHARACTERS]


class TooSlow(Exception):
    """A document took so long that it was given up."""


def fuzz(seconds: float, seed: int, most_cases: int | None = None) -> Tally:
    """Try documents until the time is over, or so many of them."""
    documents, tally = Documents(seed, real_documents()), Tally()
    signal.signal(signal.SIGVTALRM, _give_up)
    end = time.monotonic() + seconds
    while time.monotonic() < end and tally.cases != most_cases:
        text = documents.next()
        signal.setitimer(signal.ITIMER_VIRTUAL, GIVE_UP_SECONDS)
        try:
            Case(text, documents, tally).run()
        except Exception:  # whatever comes out is the finding
            tally.failures.append((traceback.format_exc(limit=-4), text))
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        tally.cases += 1
        tally.characters += len(text)
    return tally


def _give_up(_number: int, _frame: object) -> None:
    raise TooSlow


class Case:
    """One document, on its way through everything that reads it.

    Args:
        text: The document.
        documents: Where texts for edits come from.
        tally: Where the outcome goes.
    """

    def __init__(self, text: str, documents: Documents, tally: Tally) -> None:
        self.text = text
        self.documents = documents
        self.tally = tally

    def run(self) -> None:
        """Try it all; what goes wrong is raised."""
        spec = self._timed("read_spec", lambda: read_spec(self.text))
        tasks = self._timed("read_tasks", lambda: read_tasks(self.text))
        for blocks in (spec.blocks, tasks.blocks):
            self._complete(blocks)
        self._parsed("parse", lambda: parse(self.text), bool(spec.problems))
        ids = [one.id.name for one in tasks.tasks]
        doubled = len(set(ids)) < len(ids)
        self._parsed("parse_tasks", lambda: parse_tasks(self.text), doubled or bool(tasks.problems))
        self._timed("checks", lambda: check_documents(spec, tasks))
        self._front_matter()
        for name, change in self._changes(spec, tasks):
            self._edit(name, change)

    def _timed(self, name: str, work: Callable[[], T]) -> T:
        begin = time.process_time()
        try:
            return work()
        finally:
            taken = time.process_time() - begin
            self.tally.slowest[name] = max(taken, self.tally.slowest.get(name, 0))
            if taken > LIMIT_SECONDS:
                self.tally.failures.append((f"{name} took {taken:.1f} s", self.text))

    def _complete(self, blocks: Sequence[Block]) -> None:
        assert render(self.text, blocks) == self.text, "bytes are lost"
        assert all(one.end == two.start for one, two in pairwise(blocks)), "blocks leave a gap"

    def _parsed(self, name: str, work: Callable[[], object], refused: bool) -> None:
        try:
            self._timed(name, work)
        except SpecError as error:
            assert refused, "an error that the reader did not see"
            assert re.search(r"at line \d+$", error.what), "an error without a place"
            assert error.why
            assert error.next_step
            self.tally.refused += 1
        else:
            assert not refused, "a problem that was not raised"

    def _front_matter(self) -> None:
        value = self.documents.word()
        edited = self._timed("front matter", lambda: with_front_matter(self.text, status=value))
        assert edited.endswith(split(self.text).body), "the body changed"
        assert read_front_matter(edited)["status"] == value, "the value is lost"

    def _edit(self, name: str, change: Callable[[], list[Edit]]) -> None:
        try:
            edits = self._timed(name, change)
        except SpecError:
            return
        self._timed("edited", lambda: read_spec(apply_edits(self.text, edits)))
        self.tally.edits += 1

    def _changes(self, spec: SpecSource, tasks: TasksSource) -> Iterator[tuple[str, Callable[[], list[Edit]]]]:
        word = self.documents.word()
        yield "add requirement", lambda: add_requirement(spec, Requirement("FR-1", word, word))
        if spec.requirements:
            one = self.documents.pick(spec.requirements)
            yield "title", lambda: replace_title(spec, one, word)
            yield "statement", lambda: replace_statement(spec, one, word)
            yield "add example", lambda: add_example(spec, one, Example("f()", "prints", word))
            yield "remove requirement", lambda: remove_requirement(spec, one)
            if one.acceptance:
                item = self.documents.pick(one.acceptance)
                yield "remove example", lambda: remove_example(spec, one, item)
        if spec.questions:
            question = self.documents.pick(spec.questions)
            yield "answer", lambda: answer_question(spec, question, word)
        if tasks.tasks:
            task = self.documents.pick(tasks.tasks)
            yield "state", lambda: set_state(tasks, task, TaskState.BLOCKED, word)


def main() -> int:
    """Run it and say what was seen; 1 when a case failed."""
    parser = argparse.ArgumentParser(
        description="Damaged and made-up documents for the readers of spec.md and tasks.md."
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tally = fuzz(arguments.seconds, arguments.seed)
    print(f"{tally.cases} documents, {tally.characters / 1e6:.0f} MB, {arguments.seconds:.0f} s")
    print(f"{tally.refused} errors with a place, {tally.edits} edits")
    slowest = sorted(tally.slowest.items(), key=lambda one: -one[1])
    print("slowest:", ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in slowest))
    print(f"failures: {len(tally.failures)}")
    for what, text in tally.failures[:5]:
        print(f"\n{what}\n{text[:2000]!r}")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
