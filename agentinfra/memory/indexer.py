"""Keeps the index equal to the workspace: what changed is found by stamps and hashes, and nothing else is read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.parsing.parser import parse_file
from agentinfra.memory.store import FileStamp, MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.workspace_files import MAX_BYTES, WorkspaceFile, list_files, reason_to_skip

BATCH = 64
"""Files between two looks at whether to stop: each batch is kept whole or not at all."""
EMBEDDED = 512
_HEAD = 8_192

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


class Indexer:
    """Indexes one workspace.

    Args:
        root: Its folder.
        store: The index; its thread does the work, so the event loop stays free.
        embedder: Gives the chunks vectors as they are indexed; None for words alone.
    """

    def __init__(self, root: Path, store: StoreThread[MemoryStore], embedder: StaticEmbedder | None = None) -> None:
        self._root = root
        self._store = store
        self._embedder = embedder

    async def scan(self, on_progress: OnProgress | None = None) -> IndexReport:
        """Bring the index up to date with all files; may be cancelled between batches, and goes on at the next call.

        Raises:
            StoreError: The index cannot be written.
        """
        began = time.monotonic()
        stamps = await self._store.run(lambda store: store.stamps())
        found = await self._store.run(lambda _: [*list_files(self._root)])
        gone = stamps.keys() - {one.path for one in found}
        await self._store.run(lambda store: _remove(store, gone))
        work, changed, chunks, done = _batches(found, BATCH), 0, 0, 0
        for batch in work:
            read, new = await self._store.run(lambda store, batch=batch: self._index(store, batch, stamps))
            changed, chunks, done = changed + read, chunks + new, done + len(batch)
            if on_progress is not None:
                on_progress(done, len(found))
        vectors = await self._embed()
        skipped = await self._store.run(lambda store: len(store.skipped()))
        seconds = time.monotonic() - began
        return IndexReport(len(found) - skipped, changed, len(gone), skipped, chunks, vectors, seconds)

    async def _embed(self) -> int:
        total = 0
        while self._embedder is not None and (count := await self._store.run(self._embed_some)):
            total += count
        return total

    def _embed_some(self, store: MemoryStore) -> int:
        assert self._embedder is not None
        missing = store.missing_vectors(self._embedder.name, EMBEDDED)
        if missing:
            vectors = self._embedder.embed_now([text for _, text in missing])
            with store.transaction():
                store.put_vectors(self._embedder.name, [key for key, _ in missing], vectors)
        return len(missing)

    def _index(
        self, store: MemoryStore, batch: Sequence[WorkspaceFile], stamps: dict[str, FileStamp]
    ) -> tuple[int, int]:
        """Index what changed in a batch; how many files were read anew, and their new chunks."""
        fresh = [one for one in batch if not _is_same(one, stamps.get(one.path))]
        counts = [0, 0]
        if fresh:
            with store.transaction():
                for one in fresh:
                    new = self._index_file(store, one, stamps.get(one.path))
                    counts = [counts[0] + (new is not None), counts[1] + (new or 0)]
        return counts[0], counts[1]

    def _index_file(self, store: MemoryStore, file: WorkspaceFile, known: FileStamp | None) -> int | None:
        """The number of new chunks; None where nothing was indexed."""
        path = self._root / file.path
        try:
            stat = path.lstat()
            data = path.read_bytes() if stat.st_size == file.size and file.size <= MAX_BYTES else b""
        except OSError:
            return None  # it went while we looked; the next scan knows
        stamp = FileStamp(file.mtime_ns, file.size, hashlib.sha1(data, usedforsecurity=False).hexdigest())
        if reason := reason_to_skip(self._root, file.path, stat, data[:_HEAD], listed=True):
            store.put_skipped(file.path, stamp, reason)
            return None
        if known is not None and known.blob == stamp.blob:
            store.touch_file(file.path, stamp)
            return None
        return store.put_file(file.path, stamp, parse_file(file.path, data))


def _is_same(file: WorkspaceFile, known: FileStamp | None) -> bool:
    return known is not None and (known.mtime_ns, known.size) == (file.mtime_ns, file.size)


def _remove(store: MemoryStore, paths: set[str]) -> None:
    if paths:
        with store.transaction():
            store.remove_files(paths)


def _batches(files: Sequence[WorkspaceFile], size: int) -> Iterator[list[WorkspaceFile]]:
    rest = iter(files)
    while batch := [*islice(rest, size)]:
        yield batch
