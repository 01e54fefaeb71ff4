"""A task's workbench: its worktree, its locked tests, and the way from a passing candidate to the run's branch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentinfra.agents.briefing import requirements_of, rules
from agentinfra.agents.project import AgentPath, Lock, Verdict
from agentinfra.agents.test_suite import Suite
from agentinfra.core.tasks import Task, TaskState
from agentinfra.patching.apply import apply_files
from agentinfra.patching.gate import check_paths, check_size
from agentinfra.proof.guard import guarded_run
from agentinfra.proof.locks import locked_now, verify
from agentinfra.proof.records import judge_green
from agentinfra.proof.report import TestReport
from agentinfra.proof.tamper import Change
from agentinfra.spec.requirements import Spec
from agentinfra.workflow.merging import merge
from agentinfra.workflow.red import LockedTests, package_files, prove_red, report_data
from agentinfra.workflow.strength import measure

if TYPE_CHECKING:
    from agentinfra.workflow.run import Run


class TaskBench:
    """Where one MicroAgent works; made by :meth:`open`, implements :class:`agentinfra.agents.project.Workbench`."""

    def __init__(self, run: Run, task: Task, locked: LockedTests, root: Path) -> None:
        self._run = run
        self._locked = locked
        self.task = task
        self.root = root
        self.start = ""
        self.evidence = ""
        self._cleared: Change | None = None

    @classmethod
    async def open(cls, run: Run, task: Task, locked: LockedTests, evidence: str = "") -> TaskBench:
        """Cut the task's worktree from what is merged so far; the evidence is why it is done again."""
        start = await run.step(f"start {task.id}", lambda: run.parts.git.tip(run.id))
        root = await run.parts.git.task_worktree(f"{run.id}-{task.id}", start)
        bench = cls(run, task, locked, root)
        bench.start = start
        bench.evidence = evidence
        return bench

    @property
    def suite(self) -> Suite:
        """The locked tests."""
        return self._locked.suite

    @property
    def spec(self) -> Spec:
        """The approved spec."""
        assert self._run.spec is not None
        return self._run.spec

    @property
    def max_attempts(self) -> int:
        """How many tries the task has."""
        return self._run.parts.max_attempts

    @property
    def worktree(self) -> str:
        """Name of the worktree."""
        return f"{self._run.id}-{self.task.id}"

    async def read(self, path: str) -> str:
        """Text of a file as it was when the task started; empty when there was none."""
        if path not in await self._run.parts.git.list_files(self.start):
            return ""
        return await self._run.parts.git.read_file(self.start, path)

    async def try_files(self, files: Mapping[str, str], *, attempt: int, agent: AgentPath) -> TestReport:
        """Run the locked tests on a copy of the worktree with these files in it.

        Raises:
            PatchError: The change was refused.
        """
        await asyncio.to_thread(check_paths, self.root, files)
        check_size(files)
        await self._run.set_state(self.task, TaskState.CODING, attempt=attempt, max_attempts=self.max_attempts)
        report = TestReport.from_json(await self._run.step(f"try {self.task.id}", lambda: self._test(files)))
        await self._run.emit("test_result", report_data(report, self.task.id, "attempt", attempt=attempt), agent)
        return report

    async def relock(self, suite: Suite, reason: str) -> Lock:
        """Replace the tests by fewer, proven RED again."""
        if suite == self.suite:
            return Lock(suite, ok=True)
        path: AgentPath = ("planner", self.task.engineer)
        await self._run.emit("notice", {"level": "info", "text": f"{self.task.id}: {reason}"}, path)
        lock, locked = await prove_red(self._run, self.task, suite)
        if locked is not None:
            self._locked = locked
            self._run.locks[self.task.id] = locked
        return lock

    async def submit(self, files: Mapping[str, str]) -> Verdict:
        """Prove the files GREEN against the locked tests and merge them."""
        await self._place(files)
        violations = await asyncio.to_thread(verify, self.root, self._locked.lock)
        tests_sha = (await asyncio.to_thread(locked_now, self.root, self._locked.lock)).sha
        report = TestReport.from_json(await self._run.step(f"green {self.task.id}", lambda: self._test(files)))
        verdict = judge_green(self._locked.red, report, violations, tests_sha=tests_sha)
        path: AgentPath = ("planner", self.task.engineer)
        told = report_data(report, self.task.id, "green", tests_sha=tests_sha)
        await self._run.emit("test_result", {**told, "reason": "; ".join(verdict.reasons)}, path)
        if verdict.record is None:
            return Verdict(False, reason="; ".join(verdict.reasons))
        await self._run.set_state(self.task, TaskState.GREEN)
        before = await self.read(self.task.files[0])
        await measure(self._run, self.task, self.suite, self.root, before, self._locked.lock.sha)
        return await merge(self._run, self)

    async def _place(self, files: Mapping[str, str]) -> None:
        """The worktree as it was at the start, plus these files and the locked tests."""
        await self._run.parts.git.task_worktree(self.worktree, self.start)
        packages = {path: await self.read(path) for path in package_files(files)}
        await apply_files(self.root, {**packages, **files, self.suite.path: self.suite.source()})

    async def _test(self, files: Mapping[str, str]) -> dict[str, Any]:
        suite = self.suite
        packages = {path: await self.read(path) for path in package_files(files)}
        overlay = {**packages, **files, suite.path: suite.source()}
        runner, change = self._run.parts.runner, await self._change(files)
        if change == self._cleared:  # what the guard has passed already is proven by its tests alone
            report = await runner.run(self.root, [suite.path], expected=len(suite.cases), overlay=overlay)
        else:
            report = await guarded_run(runner, self.root, change, expected=len(suite.cases), overlay=overlay)
            self._cleared = change if report.all_passed else self._cleared
        return report.to_json()

    async def _change(self, files: Mapping[str, str]) -> Change:
        before = {path: await self.read(path) for path in files}
        stated = rules(requirements_of(self.task, self.spec))
        return Change(dict(files), self.suite.path, self.suite.source(), before, self.task.files, stated)
