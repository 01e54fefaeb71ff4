"""Keeps the index equal to the workspace: what changed is found by stamps and hashes, and nothing else is read."""

from __future__ import annotations

import asyncio
import errno
import gc
import hashlib
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TypeVar

from agentinfra.core.errors import DamagedStore
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.changed_files import look
from agentinfra.memory.chunk import ParsedFile
from agentinfra.memory.index_report import IndexReport
from agentinfra.memory.parsing.parser import parse_file
from agentinfra.memory.regular_file import changed_ns, read_regular
from agentinfra.memory.search_store import Floats
from agentinfra.memory.store import FileStamp, MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.vector_cache import VectorCache
from agentinfra.memory.workspace_files import (
    MAX_BYTES,
    WorkspaceFile,
    ignored_reason,
    list_files,
    reason_in_content,
    reason_to_skip,
)

BATCH = 64
"""Files between two looks at whether to stop: each batch is kept whole or not at all."""
EMBEDDED = 512
MANY_CHUNKS = 5_000
"""New ones at once; after fewer, merging all words takes longer than it saves."""
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
class _Read:
    """A file as it was read: left out for a reason, parsed, or the same as before."""

    path: str
    stamp: FileStamp
    reason: str = ""
    parsed: ParsedFile | None = None


@dataclass(frozen=True, slots=True)
class _Indexed:
    """What was done with some files: how many were parsed, how many of their chunks are new, the hashes of all."""

    files: int = 0
    chunks: int = 0
    hashes: frozenset[str] = frozenset()


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
        self._buffers: dict[str, bytes] = {}  # changed in the store's thread only

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
            stamps = await self._store.run(lambda store: store.stamps_at(paths))
            changed = await asyncio.to_thread(look, self._root, paths, stamps)
            if changed is not None:
                return await self._bring(stamps, changed.files, changed.gone)
        except DamagedStore:
            pass  # moved aside; a new one has everything to learn
        return await self.scan()

    async def index_buffer(self, path: str, text: str) -> bool:
        """Let unsaved text of an editor be found in the place of a file, until it is saved as it is or dropped.

        Args:
            path: The file's, relative to the workspace's root; there may be none yet.
            text: All of what it would hold.

        Returns:
            Whether it is indexed: not where a rule ignores the file, or it is no file of the workspace.

        Raises:
            StoreError: The index cannot be written.
        """
        if await asyncio.to_thread(_is_out, self._root, path):
            return False
        data = text.encode(errors="surrogatepass")
        await self._embed(await self._store.run(lambda store: self._index_buffer(store, path, data)))
        return True

    async def drop_buffer(self, path: str) -> None:
        """Let the file itself be found again.

        Raises:
            StoreError: The index cannot be written.
        """
        if await self._store.run(lambda _: self._buffers.pop(path, None)) is not None:
            await self.update([path])

    async def _scan(self, on_progress: OnProgress | None) -> IndexReport:
        stamps = await self._store.run(lambda store: store.stamps())
        found = await asyncio.to_thread(lambda: [*list_files(self._root)])
        gone = stamps.keys() - {one.path for one in found}
        if not stamps:
            await self._store.run(lambda store: store.begin_filling())
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
        gone = {path for path in gone if path not in self._buffers}
        for some in _batches([*gone], BATCH):
            await self._store.run(lambda store, some=some: _remove(store, some))
        changed, chunks, done, touched = 0, 0, 0, set[str]()
        for batch in _batches(found, BATCH):
            indexed = await self._store.run(lambda store, batch=batch: self._index(store, batch, stamps, whole=whole))
            changed, chunks, done = changed + indexed.files, chunks + indexed.chunks, done + len(batch)
            touched |= indexed.hashes
            if on_progress is not None:
                on_progress(done, len(found))
        if whole:
            await self._store.run(lambda store: store.end_filling())
        if chunks >= MANY_CHUNKS:
            await self._store.run(lambda store: store.merge_words())
        vectors = await self._embed(None if whole else touched)
        if whole and (changed or gone):
            await self._store.run(lambda store: store.drop_unused_vectors())
        files, skipped = await self._store.run(lambda store: (store.count_files(), len(store.skipped())))
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
        self, store: MemoryStore, batch: Sequence[WorkspaceFile], stamps: dict[str, FileStamp], *, whole: bool = False
    ) -> _Indexed:
        """Index what changed in a batch; without the hashes of its chunks where the whole workspace is looked at."""
        fresh = [one for one in batch if not _is_same(one, stamps.get(one.path))]
        known = store.stamps([one.path for one in fresh])  # what was listed before may have been indexed since
        with _much_made():
            return self._put_all(store, fresh, known, whole=whole)

    def _put_all(
        self, store: MemoryStore, files: Sequence[WorkspaceFile], known: dict[str, FileStamp], *, whole: bool
    ) -> _Indexed:
        # Read before the transaction begins: others that write wait for it.
        read = [one for file in files if (one := self._read(file, known.get(file.path)))]
        if not read:
            return _Indexed()
        with store.transaction():
            chunks = sum(_put(store, one) for one in read)
        parsed = [one.parsed for one in read if one.parsed is not None and not one.reason]
        hashes = () if whole else (chunk.hash for one in parsed for chunk in one.chunks)
        return _Indexed(len(parsed), chunks, frozenset(hashes))

    def _index_buffer(self, store: MemoryStore, path: str, data: bytes) -> frozenset[str]:
        """Index what an editor holds; the hashes of its chunks where it was parsed anew."""
        self._buffers[path] = data
        return self._index(store, [WorkspaceFile(path, UNSURE, UNSURE)], {}).hashes

    def _read(self, file: WorkspaceFile, known: FileStamp | None) -> _Read | None:
        """What a file holds now; None where it went while we looked, which the next scan knows."""
        now = time.time_ns()
        try:
            stat, data = read_regular(self._root / file.path, MAX_BYTES)
        except OSError as error:
            if file.path in self._buffers:
                return self._read_buffer(file.path, known)
            if error.errno in _GONE:
                return None
            return _Read(file.path, FileStamp(UNSURE, file.size), f"cannot be read: {error.strerror}")
        if file.path in self._buffers and self._buffers[file.path] != data:
            return self._read_buffer(file.path, known)
        self._buffers.pop(file.path, None)  # it was saved
        changed = changed_ns(stat)
        blob = _blob(data) if stat.st_size <= MAX_BYTES else ""
        stamp = FileStamp(changed if changed < now - RACY_NS else UNSURE, stat.st_size, blob)
        reason = reason_to_skip(self._root, file.path, stat, data[:_HEAD], listed=True)
        return _parsed(file.path, stamp, data, reason, known)

    def _read_buffer(self, path: str, known: FileStamp | None) -> _Read:
        data = self._buffers[path]
        # Should this process end, the next scan reads the file itself.
        return _parsed(path, FileStamp(UNSURE, len(data), _blob(data)), data, reason_in_content(path, data), known)


@contextmanager
def _much_made() -> Generator[None]:
    """Without a collector of garbage, which would look through a batch's many objects again and again for no cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parsed(path: str, stamp: FileStamp, data: bytes, reason: str | None, known: FileStamp | None) -> _Read:
    if reason:
        return _Read(path, stamp, reason)
    if known is not None and known.blob == stamp.blob:
        return _Read(path, stamp)
    return _Read(path, stamp, parsed=parse_file(path, data))


def _blob(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _is_out(root: Path, path: str) -> bool:
    parts = PurePosixPath(path).parts
    return not parts or "/".join(parts) != path or ".." in parts or ignored_reason(root, path) is not None


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
