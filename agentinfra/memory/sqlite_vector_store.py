"""Vectors in a SQLite file, compared by sqlite-vec."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from agentinfra.core.errors import DamagedStore, StoreError
from agentinfra.memory.damage import aside, remove_aside
from agentinfra.memory.database import (
    Connection,
    Rows,
    begin_forgetting,
    has_vectors,
    leave_no_byte,
    open_database,
    reporting,
    transaction,
)
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.vector_store import Match, VectorEntry, Where, check_shape, choices

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY, text TEXT NOT NULL, metadata TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vectors (
    model TEXT NOT NULL, id TEXT NOT NULL, vector BLOB NOT NULL, UNIQUE (model, id)
);
"""
_PUT_ENTRY = """
INSERT INTO entries VALUES (?1, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET text = ?2, metadata = ?3
"""
_DROP_STALE = "DELETE FROM vectors WHERE id = ?1 AND (SELECT text FROM entries WHERE id = ?1) <> ?2"
_WITHOUT_VECTOR = """
SELECT id, text, metadata FROM entries WHERE id NOT IN (SELECT id FROM vectors WHERE model = ?) ORDER BY id LIMIT ?
"""
_NEAREST = """
SELECT id, text, metadata, 1 - vec_distance_cosine(vector, ?) AS score
FROM vectors JOIN entries USING (id) WHERE model = ? {filters} ORDER BY score DESC, id LIMIT ?
"""
_FILTER = "AND (SELECT value FROM json_each(metadata) WHERE key = ?) IN (SELECT value FROM json_each(?))"
_ALL = "SELECT id, text, metadata, vector FROM vectors JOIN entries USING (id) WHERE model = ? {filters} ORDER BY id"


class SqliteVectorStore:
    """Implements :class:`agentinfra.memory.vector_store.VectorStore`: exact, and filtered before it is compared.

    Args:
        path: The file; made with mode 0600 when it is first needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = StoreThread(self._open, path)

    async def put(self, model: str, entries: Sequence[VectorEntry], vectors: NDArray[np.float32]) -> None:
        """Keep entries, in the place of those with the same ids."""
        await self._run(lambda connection: self._put(connection, model, entries, vectors))

    async def search(self, model: str, vector: NDArray[np.float32], k: int, where: Where) -> list[Match]:
        """The nearest entries whose metadata are as wanted, best first."""
        return await self._run(lambda connection: self._search(connection, model, vector, k, where))

    async def missing(self, model: str, limit: int) -> list[VectorEntry]:
        """Entries that have no vector of the model yet."""

        def find(connection: Connection) -> list[VectorEntry]:
            with reporting(self.path):
                return [_entry(*row) for row in connection.execute(_WITHOUT_VECTOR, (model, limit))]

        return await self._run(find)

    async def remove(self, ids: Sequence[str]) -> int:
        """Forget entries so that no byte of them is left; how many there were."""
        return await self._run(lambda connection: self._remove(connection, ids))

    async def aclose(self) -> None:
        """Close the file; safe to call twice."""
        await self._thread.aclose()

    async def _run(self, work: Callable[[Connection], T]) -> T:
        """A damaged file is moved aside; the work is then done on a new one."""
        try:
            return await self._thread.run(work)
        except DamagedStore:
            return await self._thread.run(work)

    def _open(self) -> Connection:
        connection = open_database(self.path)
        with reporting(self.path):
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'entries'").fetchone():
                with transaction(connection):
                    connection.execute(_SCHEMA)
                    self._salvage(connection)
        return connection

    def _salvage(self, connection: Connection) -> None:
        """Take over what can be read of a damaged file that was moved aside; its texts get new vectors when needed."""
        damaged = aside(self.path)
        if not damaged.exists():
            return
        for order in ("ASC", "DESC"):  # from either end up to the damage
            with suppress(StoreError), reporting(damaged), closing(open_database(damaged, read_only=True)) as old:
                for row in old.execute(f"SELECT id, text, metadata FROM entries ORDER BY id {order}"):  # noqa: S608
                    _entry(*row)
                    connection.execute("INSERT OR IGNORE INTO entries VALUES (?, ?, ?)", row)

    def _put(
        self,
        connection: Connection,
        model: str,
        entries: Sequence[VectorEntry],
        vectors: NDArray[np.float32],
    ) -> None:
        with reporting(self.path), transaction(connection):
            check_shape(entries, vectors, _dimensions(connection, model))
            for entry, vector in zip(entries, vectors.astype(np.float32), strict=True):
                connection.execute(_DROP_STALE, (entry.id, entry.text))
                told = json.dumps(dict(entry.metadata), ensure_ascii=False)
                connection.execute(_PUT_ENTRY, (entry.id, entry.text, told))
                connection.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", (model, entry.id, _blob(vector)))

    def _search(
        self, connection: Connection, model: str, vector: NDArray[np.float32], k: int, where: Where
    ) -> list[Match]:
        filters, values = _filters(where)
        with reporting(self.path):
            if not has_vectors(connection):
                rows = connection.execute(_ALL.format(filters=filters), (model, *values))
                return _compared(rows, vector.astype(np.float32))[: max(k, 0)]
            bound = (_blob(vector.astype(np.float32)), model, *values, max(k, 0))
            found = connection.execute(_NEAREST.format(filters=filters), bound)
            return [Match(_entry(*row[:3]), float(row[3])) for row in found]

    def _remove(self, connection: Connection, ids: Sequence[str]) -> int:
        with reporting(self.path):
            with transaction(connection):
                for table in ("vectors", "entries"):
                    chosen = "(SELECT value FROM json_each(?))"
                    connection.execute(f"DELETE FROM {table} WHERE id IN {chosen}", (json.dumps(list(ids)),))  # noqa: S608  (two fixed names)
                gone = connection.changes()
                if gone:
                    begin_forgetting(connection)
            if gone:
                remove_aside(self.path)
                leave_no_byte(connection)
        return gone


def _dimensions(connection: Connection, model: str) -> int | None:
    found = connection.execute("SELECT length(vector) FROM vectors WHERE model = ? LIMIT 1", (model,)).fetchone()
    return None if found is None else int(found[0]) // 4


def _filters(where: Where) -> tuple[str, list[Any]]:
    """SQL of the filters and what is bound in it; keys are bound too, for they may be anything."""
    values = [bound for key, wanted in where.items() for bound in (key, json.dumps(choices(wanted)))]
    return " ".join([_FILTER] * len(where)), values


def _compared(rows: Rows, vector: NDArray[np.float32]) -> list[Match]:
    """The same without sqlite-vec."""
    found: list[tuple[Any, ...]] = list(rows)
    if not found:
        return []
    scores = np.stack([np.frombuffer(row[3], dtype=np.float32) for row in found]) @ vector
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return [Match(_entry(*found[at][:3]), float(scores[at])) for at in order]


def _entry(id: str, text: str, metadata: str) -> VectorEntry:
    return VectorEntry(id, text, json.loads(metadata))


def _blob(vector: NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(vector).tobytes()
