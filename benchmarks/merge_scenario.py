"""Tasks that are finished at the same moment, some of them bad, for the merge queue: with real git and real test runs.

Every task is green alone. A bad one is not beside the others: it changes what the base's or another task's test rests
on, ends the test run, or asks in its own test for a tree on which nobody else has worked. Many edit the same lines:
some can be merged by a machine, others have to be done again on top of what is merged.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner
from agentinfra.workflow.merge_queue import MergeQueue, Outcome
from agentinfra.workflow.merge_trees import Ticket

Kind = Literal["alone", "register", "step", "breaks the base", "breaks another", "ends the run", "fits nobody"]
GOOD: tuple[Kind, ...] = ("alone", "alone", "alone", "register", "register", "register", "step")
BAD: tuple[Kind, ...] = ("breaks the base", "breaks another", "ends the run", "fits nobody")
RUN = "queue"
MAX_TRIES = 3  # how often a good task is done again
PARALLEL = 2  # so many tasks are done again at the same time
MANY = 5
BAD_SHARE = 10  # one task in so many is bad
_CORE = "import os\n\n\ndef double(number):\n    return 2 * number\n\n\nTABLE = {\n%s}\n"
_TEST_CORE = "from core import double\n\n\ndef test_double():\n    assert double(4) == 8\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """One task of the scenario: what it does, and to whom."""

    number: int
    kind: Kind
    victim: int = -1

    @property
    def id(self) -> str:
        """``T-`` and its number."""
        return f"T-{self.number}"

    @property
    def is_bad(self) -> bool:
        """Whether it must not come onto the branch."""
        return self.kind in BAD

    @property
    def test(self) -> str:
        """Its test file."""
        return f"tests/test_t{self.number}.py"

    def work(self, root: Path) -> None:
        """Do the task in a worktree: its module, its test, and what it changes of the rest."""
        (root / f"m{self.number}.py").write_text(f"def f{self.number}(x):\n    return x + {self.number}\n")
        (root / self.test).write_text(self._test_text())
        if self.kind in ("register", "fits nobody"):
            _change(root / "registry.py", lambda text: text.replace("]\n", f'    "{self.id}",\n]\n'))
        if self.kind == "step":
            _change(root / "steps.py", lambda text: text.replace("]", f', "{self.id}"]'))
        if self.kind == "breaks the base":
            _change(root / "core.py", lambda text: text.replace("2 * number", f"2 * number + {self.number + 1}"))
        if self.kind == "ends the run":
            _change(root / "core.py", lambda text: text.replace("    return 2 ", "    os._exit(0)\n    return 2 "))
        if self.kind == "breaks another":
            _change(root / "core.py", lambda text: re.sub(rf"( {self.victim}): \d+", r"\1: -1", text))

    def _test_text(self) -> str:
        lines = [
            *("import core", "import registry", "import steps", f"from m{self.number} import f{self.number}", "", ""),
            *("def test_it():", f"    assert f{self.number}(1) == {self.number + 1}"),
            f"    assert core.TABLE[{self.number}] == {self.number}",
        ]
        checks = {
            "register": f'    assert "{self.id}" in registry.NAMES',
            "step": f'    assert "{self.id}" in steps.STEPS',
            "fits nobody": f'    assert registry.NAMES == ["base", "{self.id}"]',
        }
        return "\n".join([*lines, *([checks[self.kind]] if self.kind in checks else [])]) + "\n"


def _change(file: Path, edit: Callable[[str], str]) -> None:
    file.write_text(edit(file.read_text()))


def make_pieces(count: int, seed: int) -> list[Piece]:
    """So many tasks, a tenth of them bad, of random kinds in a random order; victims are good tasks."""
    chance = random.Random(seed)
    bad = chance.sample(range(count), max(1, count // BAD_SHARE))
    good = [number for number in range(count) if number not in bad]
    victims = chance.sample(good, len(bad))
    pieces = [Piece(number, chance.choice(GOOD)) for number in range(count)]
    # What fits beside nobody is told from what breaks others only where there are several others.
    kinds = BAD if sum(piece.kind == "register" for piece in pieces) > MANY else BAD[:-1]
    for number, victim in zip(bad, victims, strict=True):
        pieces[number] = Piece(number, chance.choice(kinds), victim)
    return pieces


def make_repository(folder: Path, count: int) -> None:
    """A repository with one commit, whose tests pass."""
    (folder / "tests").mkdir(parents=True)
    (folder / "core.py").write_text(_CORE % "".join(f"    {number}: {number},\n" for number in range(count)))
    (folder / "registry.py").write_text('NAMES = [\n    "base",\n]\n')
    (folder / "steps.py").write_text('STEPS = ["base"]\n')
    (folder / "tests" / "test_core.py").write_text(_TEST_CORE)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "Begin"]):
        _git(folder, *words)


def _git(folder: Path, *words: str) -> None:
    own = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgSign=false")
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(("git", *own, *words), cwd=folder, env=env, check=True, capture_output=True)


@dataclass(frozen=True, slots=True)
class Result:
    """How a scenario ended.

    Attributes:
        merged: Ids of the tasks on the branch.
        refused: The last word on each of the others.
        report: All tests of the final tree.
        whole_runs: How often the queue ran all tests.
        partial_runs: How often it ran only those in question.
        returns: How often tasks were sent back.
    """

    merged: frozenset[str]
    refused: dict[str, Outcome]
    report: TestReport
    whole_runs: int
    partial_runs: int
    returns: int


class Scenario:
    """Plays tasks that all start from the same commit and finish at the same moment.

    Args:
        folder: An empty folder.
        pieces: The tasks.
        runner: What runs the tests.
        together: How many tasks the queue may test together; 1 is the floor, one after the other.
    """

    def __init__(self, folder: Path, pieces: list[Piece], runner: TestRunner, *, together: int = 64) -> None:
        make_repository(folder / "repository", len(pieces))
        self.pieces = pieces
        self.runner = runner
        self.git = GitWorkspace.open(folder / "repository", scratch=folder / "scratch")
        self.queue = MergeQueue(self.git, runner, RUN, together=together)
        self._returns = 0
        self._slots = asyncio.Semaphore(PARALLEL)

    async def play(self) -> Result:
        """Do all tasks, hand them in, and do again what is sent back."""
        start = await self.git.start_branch(RUN)
        shas = {piece.id: await self._do(piece, start) for piece in self.pieces}
        outcomes = await asyncio.gather(*(self._until_settled(piece, shas[piece.id]) for piece in self.pieces))
        tip = await self.git.tip(RUN)
        root = await self.git.task_worktree(f"{RUN}-final", tip)
        refused = {piece.id: one for piece, one in zip(self.pieces, outcomes, strict=True) if not one.commit}
        return Result(
            frozenset(await self.git.merged_tasks(RUN)),
            refused,
            await self.runner.run(root),
            self.queue.whole_runs,
            self.queue.partial_runs,
            self._returns,
        )

    async def _until_settled(self, piece: Piece, sha: str) -> Outcome:
        ticket = Ticket(piece.id, sha, piece.number, tests=(f"{piece.test}::test_it",))
        outcome = await self.queue.submit(ticket)
        for _ in range(1 if piece.is_bad else MAX_TRIES):
            if outcome.commit:
                break
            self._returns += 1
            async with self._slots:
                again = await self._do(piece, await self.git.tip(RUN))
            outcome = await self.queue.submit(replace(ticket, sha=again))
        self.queue.abandon(piece.id)
        return outcome

    async def _do(self, piece: Piece, start: str) -> str:
        name = f"{RUN}-{piece.id}"
        root = await self.git.task_worktree(name, start)
        await asyncio.to_thread(piece.work, root)
        sha = await self.git.commit_worktree(name, f"Do {piece.id}", {"AgentInfra-Task": piece.id})
        await self.git.remove_worktree(name)
        assert sha is not None
        return sha


async def is_green_alone(piece: Piece, folder: Path, count: int, runner: TestRunner) -> bool:
    """Whether the task's own test passes on the base with it alone."""
    make_repository(folder, count)
    piece.work(folder)
    return (await runner.run(folder, [piece.test])).all_passed
