"""The one way onto a run's branch: finished tasks are merged and tested together, and what breaks them goes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from agentinfra.environment.git_objects import MergeResult
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner
from agentinfra.proof.triage import Cause, file_of, not_passed
from agentinfra.workflow.guilt import find_guilty
from agentinfra.workflow.merge_trees import Stack, Ticket, Trees

MAX_TOGETHER = 64
_SHOWN_TESTS = 5
_SHOWN_CHARACTERS = 600
_SHOWN_LINES = 40
_MARKS = re.compile(r"^<{7} .*?^>{7} [^\n]*$", re.MULTILINE | re.DOTALL)
_LABEL = re.compile(r"^(<{7}|>{7}) .*$", re.MULTILINE)
_SIDES = {"<<<<<<<": "<<<<<<< on the branch", ">>>>>>>": ">>>>>>> yours"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task in the merge queue.

    Attributes:
        commit: Its commit on the branch; "" where it was sent back.
        reason: Why it was sent back, one line.
        evidence: The conflict or the failing tests, for whoever does it again.
        report: The merged tree's tests, as JSON; None where it came to no test.
        triage: Cause of each test that did not pass: "new", "pre-existing" or "flaky".
        together: Ids of the tasks that were tested together.
    """

    commit: str = ""
    reason: str = ""
    evidence: str = ""
    report: Mapping[str, Any] | None = None
    triage: Mapping[str, Cause] = field(default_factory=dict[str, Cause])
    together: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The outcome as a JSON object."""
        return asdict(self) | {"together": list(self.together)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """Read what :meth:`to_json` wrote."""
        fields: dict[str, Any] = {**data, "together": tuple(data["together"])}
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class _Waiting:
    ticket: Ticket
    outcome: asyncio.Future[Outcome]


class MergeQueue:
    """Merges finished tasks of one run; only trees whose tests pass come onto its branch.

    Whoever hands in a task first works for all that wait meanwhile: they are put on the branch's commit in the order of
    the task graph and tested together. Where that fails, the guilty ones are found and sent back, and the rest is
    tried again. Everything may be repeated after a crash: a task that is on the branch is not merged again.

    Args:
        git: The repository.
        runner: What runs the tests.
        run_id: The run.
        date: Date of the commits; None for the present.
        together: How many tasks are tested together at most.

    Attributes:
        whole_runs: How often all tests were run.
        partial_runs: How often only those in question were run.
    """

    def __init__(
        self,
        git: GitWorkspace,
        runner: TestRunner,
        run_id: str,
        date: str | None = None,
        *,
        together: int = MAX_TOGETHER,
    ) -> None:
        self._git = git
        self._runner = runner
        self._run_id = run_id
        self._date = date
        self._together = together
        self._waiting: dict[str, _Waiting] = {}
        self._idle = asyncio.Event()  # whoever finds it set works on the branch: it has one writer
        self._idle.set()
        self._locked_tests: set[str] = set()
        self._suspects: set[str] = set()
        self._out: dict[str, frozenset[str]] = {}  # tasks sent back for a conflict, with the files it is in
        self._news = asyncio.Event()  # another ticket, or one task less to wait for
        self.whole_runs = 0
        self.partial_runs = 0

    async def submit(self, ticket: Ticket) -> Outcome:
        """Wait until the task is merged or sent back.

        Raises:
            WorkspaceError: The repository does not allow it; the task stays as it is.
            SandboxError: Tests cannot be run here.
        """
        entry = self._waiting[ticket.task] = _Waiting(ticket, asyncio.get_running_loop().create_future())
        self._news.set()
        try:
            await asyncio.sleep(0)  # tasks that come at the same moment are taken together
            while not entry.outcome.done():
                if self._idle.is_set():
                    await self._lead_round()
                else:
                    await _first_of(entry.outcome, self._idle)
            return entry.outcome.result()
        finally:
            if self._waiting.get(ticket.task) is entry:
                del self._waiting[ticket.task]

    def abandon(self, task: str) -> None:
        """Nobody does the task again: those that would conflict with it need not wait for it."""
        self._out.pop(task, None)
        self._news.set()

    async def _lead_round(self) -> None:
        self._idle.clear()
        try:
            self._news.clear()
            if not await self._round():
                await self._news.wait()
        finally:
            self._idle.set()

    async def _round(self) -> bool:
        """Merge and test what waits; False where all of it waits for tasks that are out for the same conflicts."""
        tickets = self._next()
        merged = await self._git.merged_tasks(self._run_id)
        tip = await self._git.tip(self._run_id)
        standing = await self._standing_tests(tip)
        trees = Trees(self._git, self._runner, self._run_id, tickets, tip, standing, self._date)
        try:
            again = [ticket.task for ticket in tickets if ticket.task in merged]
            if not again:
                return await self._try_together(trees, tuple(ticket.task for ticket in tickets), tip)
            report = await trees.run(tip)
            for task in again:
                self._settle(task, Outcome(merged[task], report=report.to_json(), together=tuple(again)))
            return True
        finally:
            self.whole_runs += trees.whole_runs
            self.partial_runs += trees.partial_runs

    def _next(self) -> list[Ticket]:
        """Tickets to be tried together; what was guilty before comes after all others and by itself."""
        tickets = ready(entry.ticket for entry in self._waiting.values())
        fresh = [ticket for ticket in tickets if ticket.task not in self._suspects or ticket.task in self._out]
        return fresh[: self._together] or tickets[:1]

    async def _try_together(self, trees: Trees, tasks: tuple[str, ...], tip: str) -> bool:
        """Merge the tasks without those that have to go back; whether anything came of it."""
        moved = False
        while tasks:
            stack = await trees.stack(tasks)
            for task, result in (await trees.conflicts(stack)).items():
                moved |= self._send_back(task, result)
            tasks = tuple(stack.commits)
            if tasks:
                tasks, moved = await self._test(trees, stack, tip), True
        return moved

    def _send_back(self, task: str, result: MergeResult) -> bool:
        """Have a task done again; of those that conflict in a file one at a time, lest each is in the next's way."""
        files = frozenset(result.conflicts)
        if any(files & others for other, others in self._out.items() if other != task):
            return False
        self._settle(task, conflict_outcome(result))
        self._out[task] = files
        return True

    async def _test(self, trees: Trees, stack: Stack, tip: str) -> tuple[str, ...]:
        """Merge the stack if its tests pass; otherwise send the guilty back and return those that are left."""
        tasks = tuple(stack.commits)
        report = await trees.run(stack.top)
        amiss = not_passed(report, trees.required(tasks))
        causes = await trees.triage(amiss, stack.top) if amiss else {}
        new = {test: amiss[test] for test, cause in causes.items() if cause == "new"}
        if not new:
            await self._merge(trees, stack, tip, report, causes)
            return ()
        owners = {test: trees.owner(test, tasks) for test in new}
        guilty = await find_guilty(tasks, owners, partial(trees.fails, tasks))
        for task, tests in guilty.items():
            reason, evidence = describe_failures({test: new[test] for test in sorted(tests)})
            self._suspects.add(task)
            self._settle(task, Outcome("", reason, evidence, report.to_json(), causes, tasks))
        return tuple(task for task in tasks if task not in guilty)

    async def _merge(
        self, trees: Trees, stack: Stack, tip: str, report: TestReport, causes: Mapping[str, Cause]
    ) -> None:
        if await self._git.tip(self._run_id) != tip:
            return  # somebody committed to the branch meanwhile: what counts is the tree on top of that
        await self._git.advance(self._run_id, stack.top, tip)
        self._locked_tests |= trees.required(stack.commits)
        for task, commit in stack.commits.items():
            outcome = Outcome(commit, report=report.to_json(), triage=causes, together=tuple(stack.commits))
            self._settle(task, outcome)

    async def _standing_tests(self, tip: str) -> set[str]:
        """Locked tests of tasks that were merged here and whose files are still there."""
        files = set(await self._git.list_files(tip)) if self._locked_tests else set[str]()
        return {test for test in self._locked_tests if file_of(test) in files}

    def _settle(self, task: str, outcome: Outcome) -> None:
        self._out.pop(task, None)
        entry = self._waiting.pop(task, None)  # None where nobody waits any longer
        if entry is not None and not entry.outcome.done():
            entry.outcome.set_result(outcome)


async def _first_of(outcome: asyncio.Future[Outcome], event: asyncio.Event) -> None:
    """Wait until the outcome is there or the event is set."""
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((outcome, waiter), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()


def ready(tickets: Iterable[Ticket]) -> list[Ticket]:
    """The tickets that wait for no other one, in the order of the task graph."""
    waiting = {ticket.task: ticket for ticket in tickets}
    free = [ticket for ticket in waiting.values() if not any(needed in waiting for needed in ticket.needs)]
    # Tasks that wait for each other in a circle must not wait for ever.
    return sorted(free or waiting.values(), key=lambda ticket: (ticket.place, ticket.task))


def conflict_outcome(result: MergeResult) -> Outcome:
    """A task sent back because others changed the same lines."""
    files = ", ".join(result.conflicts)
    parts = [f"What was merged meanwhile changes the same lines as yours, in {files}:"]
    for path, text in result.shown.items():
        hunks = "\n".join(_LABEL.sub(_side, hunk[0]) for hunk in _MARKS.finditer(text))
        parts.append(f"{path}\n{_cut(hunks)}")
    return Outcome(reason=f"It conflicts in {files}", evidence="\n".join(parts))


def describe_failures(failing: Mapping[str, str]) -> tuple[str, str]:
    """Reason and evidence of a task that is sent back because tests (id to message) fail with it."""
    names = ", ".join(list(failing)[:_SHOWN_TESTS])
    more = f" and {len(failing) - _SHOWN_TESTS} more" if len(failing) > _SHOWN_TESTS else ""
    told = [f"{test}: {message[:_SHOWN_CHARACTERS]}" for test, message in list(failing.items())[:_SHOWN_TESTS]]
    evidence = "With what was merged meanwhile these tests fail because of it:\n" + "\n".join(told)
    return f"The merged tree's tests fail: {names}{more}", evidence


def _side(mark: re.Match[str]) -> str:
    return _SIDES[mark[1]]


def _cut(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(lines[:_SHOWN_LINES] + (["…"] if len(lines) > _SHOWN_LINES else []))
