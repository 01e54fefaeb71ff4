"""Search in the workspace's files, for tools."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from agentinfra.security.clean import clean_text

if TYPE_CHECKING:
    from agentinfra.memory.workspace_memory import WorkspaceMemory

INDEX_SECONDS = 30.0


class Found(BaseModel):
    """A piece of the workspace."""

    path: str
    start: int = Field(description="Its first line")
    end: int = Field(description="Its last line")
    symbol: str
    text: str


class Search:
    """Opens the index at the first search.

    Args:
        folder: The workspace folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory: WorkspaceMemory | None = None

    async def find(self, query: str, limit: int, paths: str | None) -> list[Found]:
        """What fits best; what cannot be indexed in half a minute is found by a later search.

        Args:
            query: A question, a piece of code or a name.
            limit: How many at most.
            paths: Only files that fit this pattern.

        Raises:
            StoreError: The index cannot be read or written.
        """
        memory = self._memory = self._memory or await asyncio.to_thread(self._open)
        with suppress(TimeoutError):
            async with asyncio.timeout(INDEX_SECONDS):
                await memory.index()
        hits = await memory.search(query, limit, paths=paths)
        return [
            Found(path=hit.path, start=hit.start, end=hit.end, symbol=hit.symbol, text=clean_text(hit.text))
            for hit in hits
        ]

    async def aclose(self) -> None:
        """Close the index."""
        if self._memory is not None:
            await self._memory.aclose()

    def _open(self) -> WorkspaceMemory:
        from agentinfra.core.config import load_settings  # noqa: PLC0415
        from agentinfra.memory.workspace_memory import WorkspaceMemory  # noqa: PLC0415  (brings numpy and SQLite)

        settings = load_settings(self._folder, own_planner=False)
        return WorkspaceMemory.open(self._folder, embedder=settings.index.embedder)
