"""The index of a workspace for programs: bring it up to date, and ask it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal, Self

from agentinfra.core.config import workspace_folder
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.indexer import Indexer, IndexReport, OnProgress
from agentinfra.memory.search import Hit, HybridSearch
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.store_thread import StoreThread


class WorkspaceMemory:
    """What is known of a workspace's files; made by :meth:`open`.

    ::

        memory = WorkspaceMemory.open(Path("."))
        await memory.index()
        for hit in await memory.search("where is the budget reserved"):
            print(hit.path, hit.start, hit.symbol)
        await memory.aclose()

    Args:
        root: The workspace's folder.
        store: Its index.
        embedder: Gives and takes part by meaning; None for words alone.
    """

    def __init__(self, root: Path, store: StoreThread[MemoryStore], embedder: StaticEmbedder | None) -> None:
        self._store = store
        self._indexer = Indexer(root, store, embedder)
        self._search = HybridSearch(store, embedder)

    @classmethod
    def open(cls, root: Path, *, data: Path | None = None, embedder: Literal["static"] | None = "static") -> Self:
        """The index of a workspace, in the user's data folder; its file is opened when it is first needed.

        Args:
            root: The workspace's folder.
            data: Instead of the user's data folder.
            embedder: The word vectors that come with the package, or None to search by words alone.
        """
        path = workspace_folder(root, data) / "index.db"
        store = StoreThread(lambda: MemoryStore.open(path))
        return cls(root.resolve(), store, StaticEmbedder() if embedder == "static" else None)

    async def index(self, on_progress: OnProgress | None = None) -> IndexReport:
        """Bring the index up to date with the files; what did not change is not read.

        Raises:
            StoreError: The index cannot be written.
        """
        return await self._indexer.scan(on_progress)

    async def search(
        self, query: str, k: int = 10, *, paths: str | None = None, kinds: Collection[str] | None = None
    ) -> list[Hit]:
        """The pieces of files that fit best, best first; see :meth:`.HybridSearch.search`.

        Raises:
            StoreError: The index cannot be read.
        """
        return await self._search.search(query, k, paths=paths, kinds=kinds)

    async def skipped(self) -> dict[str, str]:
        """The files that were looked at and left out, with the reason."""
        return await self._store.run(lambda store: store.skipped())

    async def forget(self) -> None:
        """Forget all files, so that no byte of them is left in the index."""
        await self._store.run(lambda store: store.forget())

    async def aclose(self) -> None:
        """Close the index; safe to call twice."""
        await self._store.aclose()
