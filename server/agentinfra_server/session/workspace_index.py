"""The index of one folder: a process of its own keeps it fresh, and this one reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agentinfra.core.config import load_settings
from agentinfra.memory.chunk import Definition
from agentinfra.memory.index_report import Followed
from agentinfra.memory.indexing_process import IndexingProcess
from agentinfra.memory.search import Hit
from agentinfra.memory.workspace_memory import WorkspaceMemory
from agentinfra_server.protocol.language import tr
from agentinfra_server.protocol.messages import IndexState, IndexStatus

PATIENCE_SECONDS = 3.0
"""So long a question waits for the first look at the files; then it is answered from what is indexed by then."""
QUIET_SECONDS = 0.3
"""Unsaved text is indexed once nobody has typed for so long."""
MOST_CHARACTERS = 1_000_000


class WorkspaceIndex:
    """Searches a folder; started with the first question.

    Args:
        folder: The workspace folder.
        on_status: Told whenever :meth:`status` is another one.

    Raises:
        ConfigError: The user's settings, which name the embedder, cannot be read.
    """

    def __init__(self, folder: Path, on_status: Callable[[IndexStatus], None]) -> None:
        self.folder = folder
        self._on_status = on_status
        self._state: IndexState = "off"
        self._done = self._total = 0
        self._message = ""
        embedder = load_settings(folder, own_planner=False).index.embedder
        self._memory = WorkspaceMemory.open(folder, embedder=embedder)
        self._process = IndexingProcess(
            folder,
            embedder=embedder,
            on_progress=self._progress,
            on_followed=self._followed,
            on_trouble=self._trouble,
        )
        self._starting: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Task[None]] = {}

    def status(self) -> IndexStatus:
        """How far it is."""
        return IndexStatus(
            folder=self.folder.as_uri(), state=self._state, done=self._done, total=self._total, message=self._message
        )

    async def search(self, query: str, limit: int, paths: str | None) -> list[Hit]:
        """The pieces of files that fit best, best first.

        Raises:
            StoreError: The index cannot be read.
        """
        await self._ready()
        return await self._memory.search(query, limit, paths=paths)

    async def symbols(self, query: str, most: int) -> list[tuple[str, Definition]]:
        """Definitions by what was typed of their names.

        Raises:
            StoreError: The index cannot be read.
        """
        await self._ready()
        return await self._memory.symbols(query, most)

    def take_text(self, path: Path, text: str | None) -> None:
        """Let unsaved text be found in the place of a file; None for the file itself."""
        if self._starting is None:  # nobody has asked anything yet
            return
        name = path.relative_to(self.folder).as_posix()
        if (waiting := self._waiting.get(name)) is not None:
            waiting.cancel()
        task = self._waiting[name] = asyncio.create_task(self._hand_over(name, text))
        task.add_done_callback(lambda done: self._waiting.pop(name) if self._waiting.get(name) is done else None)

    async def aclose(self) -> None:
        """End the process and close the index."""
        tasks = [*self._waiting.values(), *([self._starting] if self._starting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._process.aclose()
        await self._memory.aclose()

    async def _ready(self) -> None:
        if self._starting is None:
            self._tell("indexing")
            self._starting = asyncio.create_task(self._process.start())
        await asyncio.shield(self._starting)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._process.first_look()
        if self._process.waits_for:
            self._tell("fresh", tr("Process {number} keeps the index up to date", number=self._process.waits_for))

    async def _hand_over(self, name: str, text: str | None) -> None:
        if text is None or len(text) > MOST_CHARACTERS:
            await self._process.drop_buffer(name)
            return
        await asyncio.sleep(QUIET_SECONDS)
        await self._process.index_buffer(name, text)

    def _progress(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        self._tell("indexing" if done < total else self._state)

    def _followed(self, followed: Followed) -> None:
        self._done = self._total = followed.report.files
        told = tr("Looking every few seconds: {why}", why=followed.polling) if followed.polling else ""
        self._tell("fresh", told)

    def _trouble(self, text: str) -> None:
        self._tell("trouble", text)

    def _tell(self, state: IndexState, message: str = "") -> None:
        before = self.status()
        self._state, self._message = state, message
        if self.status() != before:
            self._on_status(self.status())
