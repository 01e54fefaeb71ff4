"""Vectors of chunks by their hash, for all workspaces and branches of a user: what was embedded once is not again."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import numpy as np

from agentinfra.core.config import data_folder
from agentinfra.core.errors import DamagedStore, StoreError
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.chunk_hashes import chunk_hashes
from agentinfra.memory.damage import remove_aside
from agentinfra.memory.database import (
    Connection,
    begin_forgetting,
    leave_no_byte,
    open_database,
    reporting,
    transaction,
)
from agentinfra.memory.search_store import Floats
from agentinfra.memory.store_thread import StoreThread

T = TypeVar("T")
MAX_BYTES = 256 << 20
"""Of the file; vectors of chunks that are in no workspace any more go first, then those not asked for longest."""
_LOG_BYTES = 4 << 20
"""To which the file's log is cut back: removing much at once makes it long."""
_DAY = 86_400
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    model TEXT NOT NULL, hash TEXT NOT NULL, day INTEGER NOT NULL, vector BLOB NOT NULL, UNIQUE (model, hash)
);
CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (day, hash);
DROP INDEX IF EXISTS vectors_by_day;
"""
_GET = "SELECT hash, day, vector FROM vectors WHERE model = ? AND hash IN (SELECT value FROM json_each(?))"
_KEEP = "UPDATE vectors SET day = ? WHERE model = ? AND hash IN (SELECT value FROM json_each(?))"
_FORGET = """
DELETE FROM vectors WHERE hash IN (SELECT value FROM json_each(?)) OR hash NOT IN (SELECT hash FROM temp.in_use)
"""
_DROP = """
DELETE FROM vectors WHERE rowid IN (
    SELECT rowid FROM vectors ORDER BY hash IN temp.in_use, day > ? DESC, day
    LIMIT (SELECT 1 + count(*) / 8 FROM vectors)
)
"""
"""A day that is yet to come is one on which the clock was wrong: it says nothing of the last use."""
_BYTES = """
SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""


class VectorFile:
    """The file of the cache; used by one thread.

    Args:
        path: The file.
        connection: To it, open.
        max_bytes: What it may hold.
        clock: Unix seconds.
        in_use: The hashes of the chunks that workspaces hold; asked when something has to go.
    """

    def __init__(
        self,
        path: Path,
        connection: Connection,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
        in_use: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._path = path
        self._connection = connection
        self._max_bytes = max_bytes
        self._clock = clock
        self._in_use = in_use

    @classmethod
    def open(
        cls,
        path: Path,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
        in_use: Callable[[], Iterable[str]] = tuple,
    ) -> Self:
        """Open the file, or make it.

        Raises:
            StoreError: It cannot be opened.
        """
        connection = open_database(path)
        with reporting(path):
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        return cls(path, connection, max_bytes, clock, in_use)

    def get(self, model: str, hashes: Collection[str]) -> dict[str, Floats]:
        """The vectors of a model that are held, by the hash of their chunk; being asked for keeps them."""
        day, bound = self._day, (model, json.dumps([*hashes]))
        with reporting(self._path, self._connection):
            rows = self._connection.execute(_GET, bound)
            found = [(key, used, np.frombuffer(blob, dtype=np.float32)) for key, used, blob in rows]
            if any(used != day for _, used, _ in found):
                self._connection.execute(_KEEP, (day, *bound))
        return {key: vector for key, _, vector in found}

    def put(self, model: str, vectors: Mapping[str, Floats]) -> None:
        """Hold vectors by the hash of their chunk; what is too much goes."""
        with reporting(self._path), transaction(self._connection):
            for key, vector in vectors.items():
                blob = np.ascontiguousarray(vector, dtype=np.float32).tobytes()
                self._connection.execute(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", (model, key, self._day, blob)
                )
            if self._bytes > self._max_bytes:
                self._make_room()

    def forget(self, hashes: Collection[str] | None) -> int:
        """Remove vectors of all models, or all vectors, so that no byte of them is left; how many there were.

        Those of chunks that no workspace holds go with them: they may be of what was there before.
        """
        with reporting(self._path):
            with transaction(self._connection):
                if hashes is None:
                    self._connection.execute("DELETE FROM vectors")
                else:
                    with self._chunks_in_use():
                        self._connection.execute(_FORGET, (json.dumps([*hashes]),))
                gone = self._connection.changes()
                if gone:
                    begin_forgetting(self._connection)
            remove_aside(self._path)
            if gone:
                leave_no_byte(self._connection)
        return gone

    def close(self) -> None:
        """Close the file."""
        with reporting(self._path):
            self._connection.close()

    def _make_room(self) -> None:
        with self._chunks_in_use():
            dropped = 1
            while dropped and self._bytes > self._max_bytes:
                self._connection.execute(_DROP, (self._day,))
                dropped = self._connection.changes()

    @contextmanager
    def _chunks_in_use(self) -> Generator[None]:
        """A table of their hashes; within a transaction, which also takes it away again where it fails."""
        self._connection.execute("CREATE TEMP TABLE in_use (hash TEXT PRIMARY KEY) WITHOUT ROWID")
        hashes = ((one,) for one in self._in_use())
        self._connection.executemany("INSERT OR IGNORE INTO in_use VALUES (?)", hashes)
        yield
        self._connection.execute("DROP TABLE in_use")

    @property
    def _day(self) -> int:
        return int(self._clock() // _DAY)

    @property
    def _bytes(self) -> int:
        found = self._connection.execute(_BYTES).fetchone()
        return int(found[0]) if found else 0


class VectorCache:
    """Embeds chunks, and only those that no workspace of the user has had before.

    It holds hashes and vectors, and no text. Where its file cannot be used all is embedded, with a warning.

    Args:
        path: Its file; by default ``vector-cache.db`` in the user's data folder. The workspaces' indexes lie beside it.
        max_bytes: What it may hold.
    """

    def __init__(self, path: Path | None = None, max_bytes: int = MAX_BYTES) -> None:
        self.path = path or data_folder() / "vector-cache.db"
        in_use = partial(chunk_hashes, self.path.parent)
        self._thread = StoreThread(lambda: VectorFile.open(self.path, max_bytes, in_use=in_use), self.path)

    async def embed(self, embedder: Embedder, chunks: Sequence[tuple[str, str]]) -> Floats:
        """Vectors of chunks, in their order.

        Args:
            embedder: Asked for those that are not held.
            chunks: Hash and text of each.

        Returns:
            Of shape (number of chunks, dimensions of the embedder).

        Raises:
            ModelError: The embedder failed; what it made before is held.
        """
        hashes = [key for key, _ in chunks]
        held = await self._or_else(lambda file: file.get(embedder.name, hashes), dict[str, Floats]())
        missing = {key: text for key, text in chunks if key not in held}
        if missing:
            made = dict(zip(missing, await embedder.embed([*missing.values()]), strict=True))
            held.update(made)
            await self._or_else(lambda file: file.put(embedder.name, made), None)
        return np.stack([held[key] for key in hashes]) if hashes else np.zeros((0, embedder.dimensions), np.float32)

    async def forget(self, hashes: Collection[str] | None) -> int:
        """Remove vectors so that no byte of them is left; how many there were.

        Args:
            hashes: Of their chunks; None for all. Vectors of chunks that no workspace holds go with them.

        Raises:
            StoreError: The file cannot be written, or someone still reads what was there before.
        """
        if not self.path.exists():
            return 0
        return await self._run(lambda file: file.forget(hashes))

    async def aclose(self) -> None:
        """Close the file; safe to call twice."""
        await self._thread.aclose()

    async def _run(self, work: Callable[[VectorFile], T]) -> T:
        try:
            return await self._thread.run(work)
        except DamagedStore:
            return await self._thread.run(work)

    async def _or_else(self, work: Callable[[VectorFile], T], otherwise: T) -> T:
        try:
            return await self._run(work)
        except StoreError as error:
            warnings.warn(f"Vectors are not shared between workspaces: {error}", RuntimeWarning, stacklevel=2)
            return otherwise
