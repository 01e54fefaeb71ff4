"""The index of a workspace for programs: bring it up to date, and ask it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from pathlib import Path
from typing import Literal, Self

from agentinfra.core.config import data_folder, workspace_folder
from agentinfra.core.errors import DamagedStore
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.chunk import Definition
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.index_report import Followed, IndexReport
from agentinfra.memory.indexer import Indexer, OnProgress
from agentinfra.memory.indexing_lock import following, lock_path
from agentinfra.memory.search import Hit, HybridSearch
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.symbol_search import find_symbols
from agentinfra.memory.vector_cache import VectorCache
from agentinfra.memory.watcher import watching


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
        cache: The user's vectors of all workspaces.
        lock: Held by whoever follows the files.
    """

    def __init__(
        self, root: Path, store: StoreThread[MemoryStore], embedder: Embedder | None, cache: VectorCache, lock: Path
    ) -> None:
        self._root = root
        self._lock = lock
        self._store = store
        self._cache = cache
        is_cheap = isinstance(embedder, StaticEmbedder)  # as fast as the cache
        self._indexer = Indexer(root, store, embedder, None if is_cheap else cache)
        self._search = HybridSearch(store, embedder)

    @classmethod
    def open(
        cls, root: Path, *, data: Path | None = None, embedder: Embedder | Literal["static"] | None = "static"
    ) -> Self:
        """The index of a workspace, in ``memory.db`` of its folder in the user's data folder, opened when first needed.

        Args:
            root: The workspace's folder.
            data: Instead of the user's data folder.
            embedder: "static" for the word vectors that come with the package, another one, whose vectors all
                workspaces share, or None to search by words alone.
        """
        path = workspace_folder(root, data) / "memory.db"
        store = StoreThread(lambda: MemoryStore.open(path), path)
        cache = VectorCache((data or data_folder()) / "vector-cache.db")
        chosen = StaticEmbedder() if embedder == "static" else embedder
        return cls(root.resolve(), store, chosen, cache, lock_path(root, data))

    async def index(self, on_progress: OnProgress | None = None) -> IndexReport:
        """Bring the index up to date with the files; what did not change is not read.

        Raises:
            StoreError: The index cannot be written.
        """
        return await self._indexer.scan(on_progress)

    async def follow(self, on_progress: OnProgress | None = None, *, polling: bool = False) -> AsyncGenerator[Followed]:
        """Keep the index up to date with the files, as long as somebody iterates; one process a workspace may.

        Args:
            on_progress: Told how far the first look at everything is.
            polling: Look for changes from time to time, instead of being told by the system.

        Yields:
            What each look did, the first one at everything; looks that found nothing to do are not told.

        Raises:
            StoreError: Another process follows the files already, or the index cannot be written.
        """
        with following(self._lock):
            async with watching(self._root, polling=polling) as changes:
                # Watched before the first look, so that nothing falls between the two.
                yield Followed(await self.index(on_progress), changes.polling)
                while True:
                    paths = await changes.next()
                    report = await (self.index() if paths is None else self._indexer.update(paths))
                    if report.changed or report.removed:
                        yield Followed(report, changes.polling)

    async def index_buffer(self, path: str, text: str) -> bool:
        """Let unsaved text be found in the place of a file, until it is saved or dropped; see :class:`.Indexer`.

        Raises:
            StoreError: The index cannot be written.
        """
        return await self._indexer.index_buffer(path, text)

    async def drop_buffer(self, path: str) -> None:
        """Let the file itself be found again.

        Raises:
            StoreError: The index cannot be written.
        """
        await self._indexer.drop_buffer(path)

    async def search(
        self, query: str, k: int = 10, *, paths: str | None = None, kinds: Collection[str] | None = None
    ) -> list[Hit]:
        """The pieces of files that fit best, best first; see :meth:`.HybridSearch.search`.

        Raises:
            StoreError: The index cannot be read.
        """
        try:
            return await self._search.search(query, k, paths=paths, kinds=kinds)
        except DamagedStore:
            await self.index()  # the damaged file was moved aside, and the new one is empty
            return await self._search.search(query, k, paths=paths, kinds=kinds)

    async def symbols(self, query: str, most: int = 100) -> list[tuple[str, Definition]]:
        """Definitions by what was typed of their names, the best ones first; see :func:`.find_symbols`.

        Raises:
            StoreError: The index cannot be read.
        """
        return await self._store.run(lambda store: find_symbols(store, query, most))

    async def check(self) -> bool:
        """Whether the index is whole; where it is damaged it is moved aside, and all files are indexed again.

        Raises:
            StoreError: The index cannot be read or written.
        """
        try:
            await self._store.run(lambda store: store.check())
        except DamagedStore:
            await self.index()
            return False
        return True

    async def skipped(self) -> dict[str, str]:
        """The files that were looked at and left out, with the reason."""
        return await self._store.run(lambda store: store.skipped())

    async def forget(self) -> None:
        """Forget all files, so that no byte of them is left in the index, nor of their vectors in the user's cache.

        Raises:
            StoreError: Someone still reads what was there before; it is gone when the file is opened next.
        """
        try:
            hashes = await self._store.run(lambda store: store.hashes())
        except DamagedStore:
            hashes = None  # which ones they were cannot be read any more
        await self._cache.forget(hashes)
        await self._store.run(lambda store: store.forget())

    async def aclose(self) -> None:
        """Close the index; safe to call twice."""
        await self._store.aclose()
        await self._cache.aclose()
