"""What a run's agents remember and are told, and what is kept of it for later runs.

Until the run is done its own memory lies in a file of its folder, below that of the project, which lies below the
user's. What an agent shares those see that it delegates to; the engine shares for each engineer what it has seen of the
tasks of that one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from agentinfra.agents.project import AgentPath
from agentinfra.core.errors import AgentInfraError, WorkspaceError
from agentinfra.core.events import Event, EventDraft
from agentinfra.core.interfaces import EventLog
from agentinfra.core.tasks import Task
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.memory.consolidation import consolidate
from agentinfra.memory.long_term_memory import LongTermMemory, Remembered
from agentinfra.memory.recall import describe
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.scopes import Scope
from agentinfra.memory.statement import PERSON, PLANNER, Statement

MAX_LESSONS, LESSON_TOKENS = 6, 600  # of what earlier work taught, for each task
_PLANNER: AgentPath = ("planner",)


class RunMemory:
    """The memories of one run's agents.

    Args:
        run: Its id.
        log: What happened in it.
        git: Its repository: one without a commit has no past to learn from.
        folder: The run's own, where its memory is kept.
        project: What was learnt before; closed with this one.
        is_told: Whether agents are told of it; not where what they ask must depend on the run's idea alone.
    """

    def __init__(
        self, run: str, log: EventLog, git: GitWorkspace, folder: Path, project: LongTermMemory, *, is_told: bool = True
    ) -> None:
        self._run = run
        self._log = log
        self._git = git
        self._project = project
        self.is_told = is_told
        self._memory = LongTermMemory(folder / "memory.db", scope=Scope(run), embedder=project.embedder)
        self._shared: set[tuple[str, str]] = set()

    def of(self, agent: AgentPath) -> LongTermMemory:
        """An agent's memory: its own, what those above it share, and what was learnt before; need not be closed.

        Args:
            agent: Its path in the hierarchy, such as ``("planner", "Backend", "MicroAgent:T-1")``.
        """
        view = self._memory.within(Scope(self._run, tuple(part.replace("/", "-").strip("*") or "-" for part in agent)))
        view.above = self._project if self.is_told else None
        return view

    async def recall(self, task: Task) -> str:
        """What the run and earlier work taught that fits a task, as a prompt shows it; "" where nothing does.

        What cannot be recalled is told and fails nothing.
        """
        try:
            await self._share()
            memory = self.of((*_PLANNER, task.engineer, task.id))
            memory.above = self._project if await self._has_past() else None
            return describe(await memory.recall(" ".join((task.title, *task.files)), MAX_LESSONS), LESSON_TOKENS)
        except AgentInfraError as error:
            self._warn(f"Nothing was recalled: {error}")
            return ""

    async def learn(self) -> None:
        """Keep for later runs what this one taught, and end its own memory.

        What is in doubt, or cannot be kept, is told and fails nothing.
        """
        try:
            learnt = await self._project.learn(await self._events())
            learnt += tuple([await self._project.remember(one) for one in await self._ordered()])
        except AgentInfraError as error:
            self._warn(f"What the run taught was not remembered: {error}")
            return
        for doubt in _doubts(learnt):
            self._warn(f"The run contradicts what was remembered: {doubt} See `agentinfra memory list`")
        await self._end()

    async def aclose(self) -> None:
        """Close the run's memory and those above it."""
        await self._memory.aclose()
        await self._project.aclose()

    async def _end(self) -> None:
        """What was learnt can be forgotten in the project's memory and the user's, so nothing of it stays here."""
        await self._memory.aclose()
        try:
            for path in self._memory.path.parent.glob("memory.db*"):
                await asyncio.to_thread(path.unlink)
        except OSError as error:
            self._warn(f"The run's own memory stays in its folder: {error}")

    async def _share(self) -> None:
        """Let agents see what the engine has seen so far: of tasks their engineer's, of answers all."""
        for engineer, statement in _taught(await self._events()):
            key = (engineer, statement.text)
            if key not in self._shared:
                memory = self._memory if statement.kind == "decision" else self.of((*_PLANNER, engineer))
                await memory.remember(statement, share=True)
                self._shared.add(key)

    async def _ordered(self) -> list[Statement]:
        """What the planner shared with all, and a person said: it holds for later runs, too."""
        if not self._memory.path.exists():
            return []
        planner = Scope(self._run, _PLANNER)
        held = await self.of(_PLANNER).records()
        kept = [one for one in held if one.author in (PERSON, PLANNER) and not one.tainted]
        places = (planner.shared, Scope(self._run).own)
        return [replace(_statement(one), source=f"run {self._run}") for one in kept if one.scope in places]

    async def _has_past(self) -> bool:
        try:
            return bool(await self._git.list_files(self._git.base))
        except WorkspaceError:  # there is no commit yet
            return False

    async def _events(self) -> Sequence[Event]:
        return await asyncio.to_thread(self._log.read, self._run)

    def _warn(self, text: str) -> None:
        self._log.append(self._run, EventDraft("notice", {"level": "warning", "text": text}, key=text))


def _taught(events: Sequence[Event]) -> Iterator[tuple[str, Statement]]:
    """Lessons and decisions, each with the engineer whose tasks taught it; conventions show only at the end."""
    plans = [event.data.get("tasks", ()) for event in events if event.kind == "plan_update"]
    owners = {task["id"]: str(task["engineer"]) for plan in plans for task in plan}
    for engineer in dict.fromkeys(owners.values()):
        own = [event for event in events if owners.get(_task(event), engineer) == engineer]
        yield from ((engineer, one) for one in consolidate(own) if one.kind in ("lesson", "decision"))


def _task(event: Event) -> Any:
    return event.data.get("task")


def _statement(record: MemoryRecord) -> Statement:
    return Statement(**{one.name: getattr(record, one.name) for one in fields(Statement)})


def _doubts(learnt: Sequence[Remembered]) -> list[str]:
    return list(dict.fromkeys(old.text for one in learnt for old in one.disputed))
