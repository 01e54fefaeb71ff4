"""What a person does with the work of a run: take it over, decline it, undo parts of it and redo them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from agentinfra.core.errors import InputError
from agentinfra.core.events import EventDraft
from agentinfra.core.interfaces import EventLog
from agentinfra.core.tasks import TaskState
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.workflow.run_state import TaskView, reduce


@dataclass(frozen=True, slots=True)
class Delivery:
    """One run's work on its branch; every decision is put on record.

    Attributes:
        run: The run's id.
        log: Where it is on record.
        git: The user's repository.
    """

    run: str
    log: EventLog
    git: GitWorkspace

    async def accept(self, tasks: Sequence[str]) -> str:
        """Merge the run, or some of its tasks with what they depend on, into the base; return its new commit.

        Raises:
            WorkspaceError: The base has moved or files are not committed.
            InputError: A task is not done.
        """
        wanted = self._finished(tasks) if tasks else None
        commit = await self.git.accept(self.run, wanted)
        self._record(wanted, "accepted", commit)
        return commit

    async def reject(self, tasks: Sequence[str]) -> str:
        """Put on record that the run, or some of its tasks, is not wanted; tasks are reverted on its branch.

        Returns:
            The run's id.
        """
        if tasks:
            await self.git.undo(self.run, await self._with_dependents(tasks))
        else:
            await self.git.reject(self.run)
        self._record(tasks or None, "rejected", "")
        return self.run

    async def undo(self, tasks: Sequence[str]) -> tuple[str, list[str]]:
        """Revert the commits of tasks, and of the tasks that depend on them, on the run's branch; the others stay.

        Returns:
            The branch's new commit, and the tasks that were undone.

        Raises:
            InputError: There is no such task, or none of them is merged.
            WorkspaceError: Later work changed the same lines; the files are named.
        """
        undone = await self._with_dependents(tasks)
        if not undone:
            raise InputError(f"Not merged: {', '.join(tasks)}", next_step="Name tasks that are on the run's branch")
        commit = await self.git.undo(self.run, undone)
        self._record(undone, "undone", commit)
        return commit, undone

    async def redo(self, tasks: Sequence[str]) -> tuple[str, list[str]]:
        """Put undone tasks, and what they depend on, back on the run's branch; all that are undone where none is named.

        Returns:
            The branch's new commit, and the tasks that were done again.

        Raises:
            InputError: There is no such task, or nothing is undone.
            WorkspaceError: Later work changed the same lines; the files are named.
        """
        known = self._tasks()
        merged = await self.git.merged_tasks(self.run)
        wanted = _with_dependencies(known, tasks) if tasks else [*known]
        undone = [name for name, task in known.items() if task.state is TaskState.DONE and name not in merged]
        again = [name for name in undone if name in wanted]
        if not again:
            raise InputError("There is nothing to do again", next_step="Undo a task first, with `agentinfra undo`")
        for name, commit in (await self.git.redo(self.run, again)).items():
            self._record([name], "redone", commit)
        return await self.git.tip(self.run), again

    def _tasks(self) -> dict[str, TaskView]:
        return {task.id: task for task in reduce(self.log.read(self.run)).tasks}

    def _finished(self, tasks: Sequence[str]) -> list[str]:
        known = self._tasks()
        wanted = _with_dependencies(known, tasks)
        unfinished = [name for name in wanted if known[name].state is not TaskState.DONE]
        if unfinished:
            raise InputError(f"Not done: {', '.join(unfinished)}", next_step="Accept only tasks that are done")
        return wanted

    async def _with_dependents(self, tasks: Sequence[str]) -> list[str]:
        """The tasks and all that depend on them, as far as they are on the branch."""
        known = self._tasks()
        wanted = _known(known, tasks)
        for name in wanted:
            wanted += [one.id for one in known.values() if name in one.depends_on and one.id not in wanted]
        merged = await self.git.merged_tasks(self.run)
        return [name for name in wanted if name in merged]

    def _record(self, tasks: Iterable[str] | None, decision: str, commit: str) -> None:
        for task in [None] if tasks is None else tasks:
            data = {"task": task, "decision": decision, "commit": commit}
            self.log.append(self.run, EventDraft("change_resolved", data))


def _with_dependencies(known: dict[str, TaskView], tasks: Sequence[str]) -> list[str]:
    """The tasks and all that they depend on."""
    wanted = _known(known, tasks)
    for name in wanted:
        wanted += [needed for needed in known[name].depends_on if needed not in wanted]
    return wanted


def _known(known: Collection[str], tasks: Sequence[str]) -> list[str]:
    strangers = [name for name in tasks if name not in known]
    if strangers:
        raise InputError(f"There is no task {', '.join(strangers)}", next_step=f"Known: {', '.join(known)}")
    return list(dict.fromkeys(tasks))
