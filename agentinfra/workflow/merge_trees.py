"""Trees of a run's branch with some of the waiting tasks on top, and what the tests say of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agentinfra.environment.git_objects import MergeResult
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner
from agentinfra.proof.triage import WHOLE_RUN, Cause, file_of, run_again, triage


@dataclass(frozen=True, slots=True)
class Ticket:
    """A finished task that waits to be merged.

    Attributes:
        task: Its id.
        sha: Its commit, on the commit that it started from.
        place: Its place in the task graph; what is merged together is merged in this order.
        needs: Tasks that must be merged before it, as far as they wait too.
        tests: Ids of its locked tests; they have to be there and pass on the merged tree.
    """

    task: str
    sha: str
    place: int = 0
    needs: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """Tasks on top of the branch, one commit each, without those that conflict.

    Attributes:
        top: The last commit.
        commits: Commit by task, in order.
        conflicts: What the others met, by task.
    """

    top: str
    commits: Mapping[str, str] = field(default_factory=dict[str, str])
    conflicts: Mapping[str, MergeResult] = field(default_factory=dict[str, MergeResult])


class Trees:
    """Builds and tests the trees of one round of the merge queue; what it has built and run it knows.

    Args:
        git: The repository.
        runner: What runs the tests.
        run_id: The run.
        tickets: The tasks at hand.
        tip: The commit of the branch on which they are put.
        standing: Ids of locked tests on that commit: with any of the tasks they must still be there.
        date: Date of the commits; None for the present.
    """

    def __init__(
        self,
        git: GitWorkspace,
        runner: TestRunner,
        run_id: str,
        tickets: Sequence[Ticket],
        tip: str,
        standing: Collection[str] = (),
        date: str | None = None,
    ) -> None:
        self._git = git
        self._runner = runner
        self._run_id = run_id
        self._standing = frozenset(standing)
        self._on_branch = git.stack(run_id, tip, date=date)
        self._tickets = {ticket.task: ticket for ticket in tickets}
        self._stacks: dict[tuple[str, ...], Stack] = {(): Stack(tip)}
        self._owners = {file_of(test): ticket.task for ticket in tickets for test in ticket.tests}
        self.whole_runs = 0
        self.partial_runs = 0

    async def stack(self, tasks: tuple[str, ...]) -> Stack:
        """Put the tasks on the branch's commit, one after the other."""
        known = next(length for length in range(len(tasks), -1, -1) if tasks[:length] in self._stacks)
        stack = self._stacks[tasks[:known]]
        for length in range(known + 1, len(tasks) + 1):
            stack = self._stacks[tasks[:length]] = await self._on_top(stack, tasks[length - 1])
        return stack

    async def conflicts(self, stack: Stack) -> dict[str, MergeResult]:
        """What tasks that conflict in a stack meet on the branch itself; others met tasks that may not be merged."""
        alone = {task: await self.stack((task,)) for task in stack.conflicts}
        return {task: one.conflicts[task] for task, one in alone.items() if one.conflicts}

    async def _on_top(self, stack: Stack, task: str) -> Stack:
        result = await asyncio.to_thread(self._on_branch.put, self._tickets[task].sha, stack.top)
        if result.commit is None:
            return Stack(stack.top, stack.commits, {**stack.conflicts, task: result})
        return Stack(result.commit, {**stack.commits, task: result.commit}, stack.conflicts)

    def required(self, tasks: Collection[str]) -> frozenset[str]:
        """Ids of tests that have to be there with these tasks on the branch."""
        return self._standing.union(*(self._tickets[task].tests for task in tasks))

    async def run(self, commit: str) -> TestReport:
        """Run all tests of a commit."""
        self.whole_runs += 1
        root = await self._git.task_worktree(f"{self._run_id}-merge", commit)
        try:
            return await self._runner.run(root)
        finally:
            await self._git.remove_worktree(f"{self._run_id}-merge")

    async def fails(self, among: tuple[str, ...], tasks: tuple[str, ...], tests: frozenset[str]) -> frozenset[str]:
        """Which of the tests fail with only some of the tasks on the branch; see :func:`.guilt.find_guilty`.

        Args:
            among: The tasks that are judged; the tests of others are nobody's.
            tasks: Those of them that are on the branch.
            tests: The tests in question.
        """
        stack = await self.stack(tasks)
        owners = {test: self.owner(test, among) for test in tests}
        judged = {test for test, owner in owners.items() if owner is None or owner in stack.commits}
        required = [test for test in judged if owners[test] is not None or test in self._standing]
        if not judged:
            return frozenset()
        self._count(judged)
        root = await self._git.task_worktree(f"{self._run_id}-merge", stack.top)
        try:
            return frozenset(await run_again(self._runner, root, judged, required))
        finally:
            await self._git.remove_worktree(f"{self._run_id}-merge")

    async def triage(self, failing: Collection[str], commit: str) -> dict[str, Cause]:
        """Say of each test that fails on a commit whether it failed on the branch before, or is flaky."""
        names = (f"{self._run_id}-merge", f"{self._run_id}-base")
        self._count(failing)
        try:
            tree = await self._git.task_worktree(names[0], commit)
            base = await self._git.task_worktree(names[1], self._stacks[()].top)
            return await triage(self._runner, failing, tree, base)
        finally:
            for name in names:
                await self._git.remove_worktree(name)

    def owner(self, test: str, among: Collection[str]) -> str | None:
        """To which of the tasks a test belongs."""
        owner = self._owners.get(file_of(test))
        return owner if owner in among else None

    def _count(self, tests: Collection[str]) -> None:
        if WHOLE_RUN in tests:
            self.whole_runs += 1
        else:
            self.partial_runs += 1
