"""The index of a workspace for programs: bring it up to date, and ask it."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self, TypeVar

from agentinfra.core.config import EmbedderName, data_folder, workspace_folder
from agentinfra.core.errors import DamagedStore, InputError, ModelError, StoreError
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.chunk import Definition
from agentinfra.memory.context import Context, ContextBuilder, ContextRequest
from agentinfra.memory.embedders.choice import Tiers, tiers_called
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.improving import Improver, OnVectors
from agentinfra.memory.index_report import Followed, IndexReport
from agentinfra.memory.indexer import Indexer, OnProgress
from agentinfra.memory.indexing_lock import following, lock_path
from agentinfra.memory.old_files import remove_old_files
from agentinfra.memory.search import BUDGET_SECONDS, Hit, HybridSearch
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.symbol_search import find_symbols
from agentinfra.memory.vector_cache import VectorCache
from agentinfra.memory.watcher import watching

T = TypeVar("T")


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=2)


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
        tiers: Give and take part by meaning.
        cache: The user's vectors of all workspaces.
        lock: Held by whoever follows the files.
    """

    def __init__(
        self, root: Path, store: StoreThread[MemoryStore], tiers: Tiers, cache: VectorCache, lock: Path
    ) -> None:
        self._root = root
        self._lock = lock
        self._store = store
        self._cache = cache
        is_cheap = isinstance(tiers.first, StaticEmbedder)  # as fast as the cache
        self._indexer = Indexer(root, store, tiers.first, None if is_cheap else cache)
        self._improver = Improver(store, tiers.better, cache) if tiers.better else None
        self._search = HybridSearch(store, tiers.first, tiers.better)

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        data: Path | None = None,
        embedder: Embedder | EmbedderName | None = "static",
        better: Embedder | None = None,
    ) -> Self:
        """The index of a workspace, in ``memory.db`` of its folder in the user's data folder, opened when first needed.

        Args:
            root: The workspace's folder.
            data: Instead of the user's data folder.
            embedder: "static" for the word vectors that come with the package, "minilm" for these and the better ones
                of MiniLM, "auto" for the best that is installed, another embedder, whose vectors all workspaces
                share, or None or "words" to search by words alone.
            better: An embedder that is too slow to wait for, in the place of MiniLM. It compares the best candidates
                of a search a second time; :meth:`improve` and :meth:`follow` have it do so beforehand.
        """
        path = workspace_folder(root, data) / "memory.db"
        store = StoreThread(lambda: MemoryStore.open(path), path)
        cache = VectorCache((data or data_folder()) / "vector-cache.db")
        tiers = tiers_called(embedder) if isinstance(embedder, str) else Tiers(embedder)
        return cls(root.resolve(), store, Tiers(tiers.first, better or tiers.better), cache, lock_path(root, data))

    async def index(self, on_progress: OnProgress | None = None) -> IndexReport:
        """Bring the index up to date with the files; what did not change is not read.

        Raises:
            StoreError: The index cannot be written.
        """
        return await self._indexer.scan(on_progress)

    async def improve(self, on_vectors: OnVectors | None = None) -> int:
        """Make the better embedder's vectors that are missing; may be stopped at any moment, and goes on another time.

        Args:
            on_vectors: Told how many are made, and how many there will be.

        Returns:
            How many were made; 0 without a better embedder.

        Raises:
            ModelError: The embedder failed.
            StoreError: The index cannot be written.
        """
        return await self._improver.improve(on_vectors) if self._improver is not None else 0

    async def follow(
        self,
        on_progress: OnProgress | None = None,
        *,
        on_vectors: OnVectors | None = None,
        on_trouble: Callable[[str], None] = _warn,
        polling: bool = False,
    ) -> AsyncGenerator[Followed]:
        """Keep the index up to date with the files, as long as somebody iterates; one process a workspace may.

        While nothing changes better vectors are made; see :meth:`improve`.

        Args:
            on_progress: Told how far the first look at everything is.
            on_vectors: Told how many better vectors are made, and how many there will be.
            on_trouble: Told, in a sentence, why there are no better vectors from now on; a warning by default.
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
                    async with self._improving(on_vectors, on_trouble):
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
        self,
        query: str,
        k: int = 10,
        *,
        paths: str | None = None,
        kinds: Collection[str] | None = None,
        budget_seconds: float = BUDGET_SECONDS,
    ) -> list[Hit]:
        """The pieces of files that fit best, best first; see :meth:`.HybridSearch.search`.

        Raises:
            StoreError: The index cannot be read.
        """

        async def find() -> list[Hit]:
            return await self._search.search(query, k, paths=paths, kinds=kinds, budget_seconds=budget_seconds)

        return await self._mended(find)

    @property
    def trouble(self) -> str:
        """Why an embedder took no part in the last search; "" where all did."""
        return self._search.trouble

    async def context(self, asked: str | ContextRequest, tokens: int) -> Context:
        """What somebody should have read before a task or question, out of the index as it is.

        Args:
            asked: The question; for a task see :func:`agentinfra.memory.task_context.request_for`.
            tokens: The most that the text takes.

        Raises:
            InputError: There is nothing to say, for nothing is indexed.
            StoreError: The index cannot be read.
        """
        request = ContextRequest(asked) if isinstance(asked, str) else asked
        builder = ContextBuilder(self._store, self._search)
        context = await self._mended(lambda: builder.build(request, tokens))
        if not context.pieces and not await self.count_files():
            raise InputError(
                f"No file of {self._root} is in its index",
                why="It was not made yet, or everything is left out",
                next_step="Make it with `agentinfra index` (in programs: `await memory.index()`); --skipped tells more",
            )
        return context

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

    async def count_files(self) -> int:
        """How many files are in the index; 0 where nobody has made one.

        Raises:
            StoreError: The index cannot be read.
        """
        return await self._store.run(lambda store: store.count_files())

    async def skipped(self) -> dict[str, str]:
        """The files that were looked at and left out, with the reason."""
        return await self._store.run(lambda store: store.skipped())

    async def forget(self) -> None:
        """Forget all files, so that no byte of them is left in the index, nor of their vectors in the user's cache.

        Files that earlier versions kept in their places go, too.

        Raises:
            StoreError: Someone still reads what was there before; it is gone when the file is opened next.
        """
        try:
            hashes = await self._store.run(lambda store: store.hashes())
        except DamagedStore:
            hashes = None  # which ones they were cannot be read any more
        await self._cache.forget(hashes)
        await self._store.run(lambda store: store.forget())
        await asyncio.to_thread(remove_old_files, self._lock.parent, self._cache.path.parent)

    async def aclose(self) -> None:
        """Close the index; safe to call twice."""
        await self._store.aclose()
        await self._cache.aclose()

    async def _mended(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What is asked of the index; where it proves damaged, of a new one."""
        try:
            return await ask()
        except DamagedStore:
            await self.index()  # the damaged file was moved aside, and the new one is empty
            return await ask()

    @asynccontextmanager
    async def _improving(self, on_vectors: OnVectors | None, on_trouble: Callable[[str], None]) -> AsyncGenerator[None]:
        """Better vectors are made until the end of the block."""
        work = asyncio.create_task(self._improve_quietly(on_vectors, on_trouble))
        try:
            yield
        finally:
            work.cancel()
            await asyncio.wait((work,))

    async def _improve_quietly(self, on_vectors: OnVectors | None, on_trouble: Callable[[str], None]) -> None:
        try:
            await self.improve(on_vectors)
        except StoreError:  # whoever writes next is told
            return
        except ModelError as error:
            self._improver = None
            on_trouble(f"There are no better vectors: {error}")
