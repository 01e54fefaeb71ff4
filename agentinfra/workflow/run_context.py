"""What a run's agents are shown of the repository around a task, where the workspace is indexed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

from agentinfra.agents.briefing import requirements_of
from agentinfra.core.config import EmbedderName, workspace_folder
from agentinfra.core.errors import AgentInfraError, WorkspaceError
from agentinfra.core.events import EventDraft
from agentinfra.core.interfaces import EventLog
from agentinfra.core.tasks import Task
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.memory.context import ContextRequest
from agentinfra.memory.workspace_memory import WorkspaceMemory
from agentinfra.spec.requirements import Spec

TOKENS = 3_000
"""Of what a task is shown, the map included."""
PATIENCE_SECONDS = 2.0
"""So long the first task waits for the index to be brought up to date; then it gets what is indexed by then."""
_LONGEST_QUERY = 1_000


class RunContext:
    """Looks around a run's tasks in the workspace's index; does nothing where there is none.

    Args:
        run: The run's id.
        log: Where trouble is told.
        git: The repository. Files that its base does not hold are not shown: agents do not build on them, and they may
            be nobody else's business.
        data: Instead of the user's data folder.
        embedder: What takes part by meaning.
    """

    def __init__(
        self, run: str, log: EventLog, git: GitWorkspace, data: Path | None = None, embedder: EmbedderName = "static"
    ) -> None:
        self._run = run
        self._log = log
        self._git = git
        self._path = workspace_folder(git.root, data) / "memory.db"
        self._memory = WorkspaceMemory.open(git.root, data=data, embedder=embedder)
        self._refreshing: asyncio.Task[object] | None = None

    async def around(self, task: Task, spec: Spec | None, changing: Collection[str]) -> str:
        """The most important definitions of the repository, those that the task's files use, and code like it.

        Args:
            task: The task; its first file is shown to its agent anyway.
            spec: What it is part of.
            changing: Files that other tasks of the run write: the index does not know them as they are now.

        Returns:
            "" without an index, or where it cannot be read; the latter is told and fails nothing.
        """
        try:
            if not await self._is_ready() or not (there := await self._base()):
                return ""
            said = [f"{one.title} {one.statement}" for one in requirements_of(task, spec)] if spec else []
            request = ContextRequest(
                query="\n".join((task.title, *said))[:_LONGEST_QUERY],
                files=task.files,
                within=there.difference(task.files[:1], changing),
                mapped=True,
            )
            return (await self._memory.context(request, TOKENS)).text
        except AgentInfraError as error:
            text = f"The index was not used: {error}"
            self._log.append(self._run, EventDraft("notice", {"level": "warning", "text": text}, key=text))
            return ""

    async def aclose(self) -> None:
        """Close the index; what is not indexed yet is so another time."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait((self._refreshing,))
        await self._memory.aclose()

    async def _base(self) -> frozenset[str]:
        try:
            return frozenset(await self._git.list_files(self._git.base))
        except WorkspaceError:  # there is no commit yet
            return frozenset()

    async def _is_ready(self) -> bool:
        """Whether there is an index, which is brought up to date as far as that is soon done."""
        if not self._path.is_file() or not await self._memory.count_files():
            return False
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())
        await asyncio.wait((self._refreshing,), timeout=PATIENCE_SECONDS)
        return True

    async def _refresh(self) -> None:
        try:
            await self._memory.index()
        except AgentInfraError:  # whoever asks next is told
            return
