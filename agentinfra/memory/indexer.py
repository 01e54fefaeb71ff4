"""Keeps the index equal to the workspace: what changed is found by stamps and hashes, and nothing else is read."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from agentinfra.core.errors import DamagedStore
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.changed_files import look
from agentinfra.memory.chunk import ParsedFile
from agentinfra.memory.parsing.parser import parse_file
from agentinfra.memory.regular_file import changed_ns, read_regular
from agentinfra.memory.search_store import Floats
from agentinfra.memory.store import FileStamp, MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.vector_cache import VectorCache
from agentinfra.memory.workspace_files import MAX_BYTES, WorkspaceFile, list_files, reason_to_skip

BATCH = 64
"""Files between two looks at whether to stop: each batch is kept whole or not at all."""
EMBEDDED = 512
RACY_NS = 2_000_000_000
"""A file that was changed so shortly before it was read may change again without its time telling: the coarsest file
systems count in two seconds. So may one whose time is yet to come."""
UNSURE = -1
"""Stands for the time of such a file: the next scan reads it again."""
_HEAD = 8_192
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
"""Also what has become a link or a socket."""
T = TypeVar("T")

OnProgress = Callable[[int, int], None]
"""Told how many files were looked at, and how many there are."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a scan did.

    Attributes:
        files: Files that are in the index now.
        changed: Files that were read and indexed anew.
        removed: Files that are gone.
        skipped: Files that were looked at and left out.
        chunks: New chunks.
        vectors: New vectors.
        seconds: How long it took.
    """

    files: int
    changed: int
    removed: int
    skipped: int
    chunks: int
    vectors: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read: left out for a reason, parsed, or the same as before."""

    path: str
    stamp: FileStamp
    reason: str = ""
    parsed: ParsedFile | None = None


class Indexer:
    """Indexes one workspace.

    Args:
        root: Its folder.
        store: The index; its thread does the work, so the event loop stays free.
        embedder: Gives the chunks vectors as they are indexed; None for words alone.
        cache: Where vectors are looked up before they are made; worth it for embedders that take longer than a look.
    """

    def __init__(
        self,
        root: Path,
        store: StoreThread[MemoryStore],
        embedder: Embedder | None = None,
        cache: VectorCache | None = None,
    ) -> None:
        self._root = root
        self._store = store
        self._embedder = embedder
        self._cache = cache

    async def scan(self, on_progress: OnProgress | None = None) -> IndexReport:
        """Bring the index up to date with all files; may be cancelled between batches, and goes on at the next call.

        A damaged index is moved aside, and all files are indexed into a new one.

        Raises:
            StoreError: The index cannot be written.
        """
        try:
            return await self._scan(on_progress)
        except DamagedStore:
            return await self._scan(on_progress)

    async def update(self, paths: Collection[str]) -> IndexReport:
        """Bring the index up to date with some files and folders; everything else stays as it was indexed.

        Args:
            paths: Relative to the workspace's root; also such as are gone, or new.

        Raises:
            StoreError: The index cannot be written.
        """
        try:
            stamps = await self._store.run(lambda store: store.stamps())
            changed = await asyncio.to_thread(look, self._root, paths, stamps)
            if changed is not None:
                return await self._bring(stamps, changed.files, changed.gone)
        except DamagedStore:
            pass  # moved aside; a new one has everything to learn
        return await self.scan()

    async def _scan(self, on_progress: OnProgress | None) -> IndexReport:
        stamps = await self._store.run(lambda store: store.stamps())
        found = await asyncio.to_thread(lambda: [*list_files(self._root)])
        gone = stamps.keys() - {one.path for one in found}
        # Others may have written chunks and not come to their vectors: all are looked at.
        return await self._bring(stamps, found, gone, on_progress, whole=True)

    async def _bring(
        self,
        stamps: dict[str, FileStamp],
        found: Sequence[WorkspaceFile],
        gone: Collection[str],
        on_progress: OnProgress | None = None,
        *,
        whole: bool = False,
    ) -> IndexReport:
        began = time.monotonic()
        for some in _batches([*gone], BATCH):
            await self._store.run(lambda store, some=some: _remove(store, some))
        changed, chunks, done, touched = 0, 0, 0, set[str]()
        for batch in _batches(found, BATCH):
            parsed, new = await self._store.run(lambda store, batch=batch: self._index(store, batch, stamps))
            changed, chunks, done = changed + len(parsed), chunks + new, done + len(batch)
            touched |= set() if whole else {chunk.hash for one in parsed for chunk in one.chunks}
            if on_progress is not None:
                on_progress(done, len(found))
        vectors = await self._embed(None if whole else touched)
        skipped = await self._store.run(lambda store: len(store.skipped()))
        files = len(stamps.keys() | {one.path for one in found}) - len(gone) - skipped
        return IndexReport(files, changed, len(gone), skipped, chunks, vectors, time.monotonic() - began)

    async def _embed(self, touched: Collection[str] | None) -> int:
        """Make the vectors that are missing, of some chunks or of all; how many."""
        embedder = self._embedder
        if embedder is None:
            return 0
        known = await self._store.run(lambda store: store.vectors(embedder.name, touched or ()))
        missing = [key for key in touched if key not in known] if touched is not None else None
        if missing is None:
            missing = await self._store.run(lambda store: store.missing_vectors(embedder.name))
        for some in _batches(missing, EMBEDDED):
            await self._embed_some(embedder, some)
        return len(missing)

    async def _embed_some(self, embedder: Embedder, hashes: Sequence[str]) -> None:
        texts = [*(await self._store.run(lambda store: store.texts(hashes))).items()]
        if texts and self._cache is not None:
            vectors = await self._cache.embed(embedder, texts)
        elif texts:
            vectors = await embedder.embed([text for _, text in texts])
        else:
            return
        await self._store.run(lambda store: _put_vectors(store, embedder.name, [key for key, _ in texts], vectors))

    def _index(
        self, store: MemoryStore, batch: Sequence[WorkspaceFile], stamps: dict[str, FileStamp]
    ) -> tuple[list[ParsedFile], int]:
        """Index what changed in a batch; the files that were parsed anew, and how many of their chunks are new."""
        fresh = [one for one in batch if not _is_same(one, stamps.get(one.path))]
        # Read before the transaction begins: others that write wait for it.
        read = [one for file in fresh if (one := self._read(file, stamps.get(file.path)))]
        chunks = 0
        if read:
            with store.transaction():
                chunks = sum(_put(store, one) for one in read)
        return [one.parsed for one in read if one.parsed is not None and not one.reason], chunks

    def _read(self, file: WorkspaceFile, known: FileStamp | None) -> _Read | None:
        """What a file holds now; None where it went while we looked, which the next scan knows."""
        now = time.time_ns()
        try:
            stat, data = read_regular(self._root / file.path, MAX_BYTES)
        except OSError as error:
            if error.errno in _GONE:
                return None
            return _Read(file.path, FileStamp(UNSURE, file.size), f"cannot be read: {error.strerror}")
        changed = changed_ns(stat)
        blob = hashlib.sha1(data, usedforsecurity=False).hexdigest() if stat.st_size <= MAX_BYTES else ""
        stamp = FileStamp(changed if changed < now - RACY_NS else UNSURE, stat.st_size, blob)
        if reason := reason_to_skip(self._root, file.path, stat, data[:_HEAD], listed=True):
            return _Read(file.path, stamp, reason)
        if known is not None and known.blob == blob:
            return _Read(file.path, stamp)
        return _Read(file.path, stamp, parsed=parse_file(file.path, data))


def _put(store: MemoryStore, read: _Read) -> int:
    """The number of new chunks."""
    if read.reason:
        store.put_skipped(read.path, read.stamp, read.reason)
    elif read.parsed is not None:
        return store.put_file(read.path, read.stamp, read.parsed)
    else:
        store.touch_file(read.path, read.stamp)
    return 0


def _is_same(file: WorkspaceFile, known: FileStamp | None) -> bool:
    return known is not None and (known.mtime_ns, known.size) == (file.mtime_ns, file.size)


def _put_vectors(store: MemoryStore, model: str, hashes: Sequence[str], vectors: Floats) -> None:
    with store.transaction():
        store.put_vectors(model, hashes, vectors)


def _remove(store: MemoryStore, paths: Sequence[str]) -> None:
    with store.transaction():
        store.remove_files(paths)


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := [*islice(rest, size)]:
        yield batch
