"""Vectors of the index: one bit a dimension is scanned for all chunks, whole numbers are compared for the best."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import numpy as np

from agentinfra.memory.database import Connection, has_vectors
from agentinfra.memory.search_store import Floats
from agentinfra.memory.store_words import Filter

SCANNED = 100
"""Chunks that the scan by bits hands on; with more the order hardly changes, and the scan takes longer."""
# CROSS JOIN keeps the order: the few chunks first, and each one's vector by its key.
_OF_CHUNKS = """
SELECT c.id, v.vector FROM json_each(?2) j CROSS JOIN chunks c ON c.id = j.value
CROSS JOIN vectors v ON v.model = ?1 AND v.hash = c.hash
"""
_FILTERED = """
SELECT c.id, v.vector FROM chunks c CROSS JOIN vectors v ON v.model = ?1 AND v.hash = c.hash WHERE c.id IN ({chunks})
"""


class StoreVectors:
    """The vectors' part of :class:`agentinfra.memory.store.MemoryStore`.

    Without sqlite-vec all vectors are compared in Python: the same answers, slower.

    Args:
        connection: To the index.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._scans = has_vectors(connection)

    def missing(self, model: str, limit: int) -> list[tuple[str, str]]:
        """Hash and text of chunks that have no vector of the model, the newest first."""
        sql = (
            "SELECT c.hash, min(c.text) FROM chunks c WHERE c.hash NOT IN (SELECT hash FROM vectors WHERE model = ?)"
            " GROUP BY c.hash ORDER BY max(c.id) DESC LIMIT ?"
        )
        return [(key, text) for key, text in self._connection.execute(sql, (self._id(model) or 0, limit))]

    def put(self, model: str, hashes: Sequence[str], vectors: Floats) -> None:
        """Keep vectors by the hashes of their chunks."""
        if not len(hashes):
            return
        number = self._id(model) or self._register(model, int(vectors.shape[1]))
        for key, vector in zip(hashes, np.ascontiguousarray(vectors, dtype=np.float32), strict=True):
            blob = vector.tobytes()
            self._connection.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", (number, key, blob))
            for (chunk,) in list(self._connection.execute("SELECT id FROM chunks WHERE hash = ?", (key,))):
                self._put_bits(number, chunk, vector)

    def of(self, model: str, hashes: Collection[str]) -> dict[str, Floats]:
        """The vectors that are kept, by the hash of their chunk."""
        sql = "SELECT hash, vector FROM vectors WHERE model = ? AND hash IN (SELECT value FROM json_each(?))"
        rows = self._connection.execute(sql, (self._id(model) or 0, json.dumps([*hashes])))
        return {key: np.frombuffer(blob, dtype=np.float32) for key, blob in rows}

    def search(self, model: str, vector: Floats, k: int, which: Filter) -> list[tuple[int, float]]:
        """Ids of the nearest chunks and their cosines, the best first."""
        number = self._id(model)
        if number is None or k < 1:
            return []
        if self._scans and which.is_open:
            return self._compared(number, vector, self._scan(number, vector, max(k, SCANNED)))[:k]
        chunks, bound = which.chunks(2)
        return _ranked(self._connection.execute(_FILTERED.format(chunks=chunks), (number, *bound)), vector)[:k]

    def note_chunk(self, chunk: int, key: str) -> None:
        """Let a new chunk be found by the vectors that are kept for its text."""
        rows = list(self._connection.execute("SELECT model, vector FROM vectors WHERE hash = ?", (key,)))
        for number, blob in rows:
            self._put_bits(number, chunk, np.frombuffer(blob, dtype=np.float32))

    def drop_chunks(self, chunks: Collection[int]) -> None:
        """Find these chunks no longer; vectors stay, in case their text comes back."""
        for (number,) in list(self._connection.execute("SELECT id FROM models")) if self._scans and chunks else ():
            for chunk in chunks:
                self._connection.execute(f"DELETE FROM bits_{int(number)} WHERE rowid = ?", (chunk,))  # noqa: S608

    def forget(self) -> None:
        """Remove all vectors."""
        for (number,) in list(self._connection.execute("SELECT id FROM models")) if self._scans else ():
            self._connection.execute(f"DROP TABLE bits_{int(number)}")
        self._connection.execute("DELETE FROM models")
        self._connection.execute("DELETE FROM vectors")

    def _id(self, model: str) -> int | None:
        found = self._connection.execute("SELECT id FROM models WHERE name = ?", (model,)).fetchone()
        return None if found is None else int(found[0])

    def _register(self, model: str, dimensions: int) -> int:
        sql = "INSERT INTO models (name, dimensions) VALUES (?, ?) RETURNING id"
        found = self._connection.execute(sql, (model, dimensions)).fetchone()
        assert found is not None
        number = int(found[0])
        if self._scans:
            whole = -(-dimensions // 8) * 8
            self._connection.execute(f"CREATE VIRTUAL TABLE bits_{number} USING vec0(bits bit[{whole}])")
        return number

    def _put_bits(self, model: int, chunk: int, vector: Floats) -> None:
        if self._scans:
            self._connection.execute(f"DELETE FROM bits_{model} WHERE rowid = ?", (chunk,))  # noqa: S608
            sql = f"INSERT INTO bits_{model} (rowid, bits) VALUES (?, vec_bit(?))"  # noqa: S608
            self._connection.execute(sql, (chunk, _bits(vector)))

    def _scan(self, model: int, vector: Floats, k: int) -> list[int]:
        sql = f"SELECT rowid FROM bits_{model} WHERE bits MATCH vec_bit(?) AND k = ?"  # noqa: S608
        return [int(row[0]) for row in self._connection.execute(sql, (_bits(vector), k))]

    def _compared(self, model: int, vector: Floats, chunks: Sequence[int]) -> list[tuple[int, float]]:
        return _ranked(self._connection.execute(_OF_CHUNKS, (model, json.dumps(chunks))), vector)


def _ranked(rows: object, vector: Floats) -> list[tuple[int, float]]:
    found: list[tuple[int, bytes]] = list(rows)  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
    if not found:
        return []
    stacked = np.frombuffer(b"".join(blob for _, blob in found), dtype=np.float32).reshape(len(found), -1)
    cosines = stacked @ vector.astype(np.float32)
    order: list[int] = np.argsort(-cosines, kind="stable").tolist()
    return [(found[at][0], float(cosines[at])) for at in order]


def _bits(vector: Floats) -> bytes:
    return np.packbits(vector > 0).tobytes()
