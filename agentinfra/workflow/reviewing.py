"""A person's review of a task's commit: lines that are taken back, and comments with which it is done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentinfra.core.errors import InputError, WorkspaceError
from agentinfra.core.events import EventDraft
from agentinfra.environment.git_objects import REVIEW_TRAILER
from agentinfra.environment.hunks import Hunk, hunks, without
from agentinfra.environment.line_merge import merge_lines
from agentinfra.patching.apply import apply_files
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner
from agentinfra.proof.triage import file_of, not_passed, triage
from agentinfra.workflow.delivery import Delivery
from agentinfra.workflow.instructions import checked
from agentinfra.workflow.red import report_data
from agentinfra.workflow.run_state import TaskView, reduce

Chosen = Mapping[str, Sequence[int]]
"""Numbers of hunks, by path."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What a person says of a line of a task's commit; lines count from 0."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """The commit that took lines back; "" where the failing tests, by id, kept it from being made."""

    commit: str
    failing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Version:
    """A file before and after the task's commit."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Review:
    """The review of one run's tasks.

    Attributes:
        delivery: The run's work.
        runner: Runs the tests.
    """

    delivery: Delivery
    runner: TestRunner

    async def reject(self, task_id: str, chosen: Chosen, *, force: bool = False) -> Rejection:
        """Take hunks of a task's commit back on the run's branch, in a new commit, where the tests pass without them.

        Args:
            task_id: The task.
            chosen: Its hunks.
            force: Take them back whatever the tests say.

        Raises:
            InputError: The task is not merged, or has no such hunk.
            WorkspaceError: Later work changed the same lines, or the branch has moved meanwhile.
        """
        run, git = self.delivery.run, self.delivery.git
        task = self._task(task_id)
        tip = await git.tip(run)
        files = {path: await self._left(task, tip, path, numbers) for path, numbers in chosen.items()}
        report, failing = await self._test(tip, files)
        if failing and not force:
            return Rejection("", failing)
        if await git.tip(run) != tip:
            raise WorkspaceError(f"The branch of {run} has moved meanwhile", next_step="Look at the change again")
        message = f"Take back lines of {task_id}\n\nA person rejected them, in {', '.join(files)}."
        commit = await git.commit_files(run, files, message, {REVIEW_TRAILER: task_id})
        self._record(task_id, commit, report)
        return Rejection(commit, failing)

    async def note(self, task_id: str, chosen: Chosen, comments: Sequence[Comment]) -> str:
        """What a task's models are told when it is done again because of a review.

        Raises:
            InputError: The task is not merged, has no such hunk or line, or there is too much to say.
        """
        task = self._task(task_id)
        told = ["A person reviewed an earlier version of this."]
        for path, numbers in chosen.items():
            version = await self._version(task, path)
            lines = version.after.splitlines()
            for hunk in _found(version, path, numbers):
                rejected = "\n".join(lines[slice(*hunk.after)])
                told.append(f"They reject this, in {path}:\n{rejected}")
        for one in comments:
            lines = (await self._version(task, one.path)).after.splitlines()
            if not 0 <= one.line < len(lines):
                raise InputError(f"{one.path} has no line {one.line}", next_step=f"Its lines are 0 to {len(lines) - 1}")
            told.append(f"They say of `{lines[one.line].strip()}`, in {one.path}:\n{checked(one.text)}")
        return checked("\n\n".join(told))

    def _task(self, task_id: str) -> TaskView:
        state = reduce(self.delivery.log.read(self.delivery.run))
        task = state.task(task_id)
        if task is None or not task.commit:
            merged = ", ".join(state.commits) or "none"
            raise InputError(f"{task_id} has no commit on the run's branch", next_step=f"Review one that has: {merged}")
        return task

    async def _version(self, task: TaskView, path: str) -> _Version:
        before, after = [await self._text(ref, path) for ref in (f"{task.commit}^", task.commit)]
        if before == after:
            raise InputError(f"{task.id} does not change {path}", next_step="Name a file that it changes")
        return _Version(before, after)

    async def _text(self, ref: str, path: str) -> str:
        git = self.delivery.git
        return await git.read_file(ref, path) if path in await git.list_files(ref) else ""

    async def _left(self, task: TaskView, tip: str, path: str, numbers: Sequence[int]) -> str:
        """The file as it is on the branch, without these hunks."""
        if path in {file_of(test) for test in (*task.red, *task.green)}:
            raise InputError(f"{path} holds the tests that prove {task.id}", next_step="Comment on them instead")
        version = await self._version(task, path)
        _found(version, path, numbers)
        wanted = without(version.before, version.after, numbers)
        if not wanted:
            raise InputError(f"That is all of {path}", next_step=f"Undo the task: `agentinfra undo {task.id}`")
        now = await self._text(tip, path)
        left = merge_lines(path, version.after, now, wanted) if now else None
        if left is None:
            why = "Later work changed the same lines, or what is left is no valid file"
            raise WorkspaceError(
                f"The lines of {path} cannot be taken back", why=why, next_step="Comment on them instead"
            )
        if left == now:
            raise InputError(f"These lines of {path} are taken back already", next_step="Look at the branch")
        return left

    async def _test(self, tip: str, files: Mapping[str, str]) -> tuple[TestReport, tuple[str, ...]]:
        """The suite's report without the lines, and the tests that fail because of that."""
        git, names = self.delivery.git, tuple(f"{self.delivery.run}-{name}" for name in ("trimmed", "untrimmed"))
        try:
            root = await git.task_worktree(names[0], tip)
            await apply_files(root, files)
            report = await self.runner.run(root)
            amiss = not_passed(report)
            if not amiss:
                return report, ()
            causes = await triage(self.runner, amiss, root, await git.task_worktree(names[1], tip))
            return report, tuple(test for test, cause in causes.items() if cause == "new")
        finally:
            for name in names:
                await git.remove_worktree(name)

    def _record(self, task: str, commit: str, report: TestReport) -> None:
        log, run = self.delivery.log, self.delivery.run
        log.append(run, EventDraft("test_result", report_data(report, None, "suite")))
        log.append(run, EventDraft("change_resolved", {"task": task, "decision": "trimmed", "commit": commit}))


def _found(version: _Version, path: str, numbers: Sequence[int]) -> list[Hunk]:
    known = {hunk.number: hunk for hunk in hunks(version.before, version.after)}
    strange = [str(number) for number in numbers if number not in known]
    if strange or not numbers:
        what = f"{path} has no hunk {', '.join(strange)}" if strange else f"No hunk of {path} is named"
        raise InputError(what, next_step=f"It has {len(known)}, see change/show")
    return [known[number] for number in sorted(set(numbers))]
