"""Vectors of the index: one bit a dimension is scanned for all chunks, whole numbers are compared for the best."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import numpy as np

from agentinfra.memory.database import Connection, content_version, has_vectors
from agentinfra.memory.held_bits import HeldBits, read_bits
from agentinfra.memory.search_store import Floats
from agentinfra.memory.store_words import Filter

SCANNED = 200
"""Chunks that the scan by bits hands on: nineteen in twenty of the ten nearest are among them."""
# CROSS JOIN keeps the order: the few chunks first, and each one's vector by its key.
_OF_CHUNKS = """
SELECT c.id, v.vector FROM json_each(?2) j CROSS JOIN chunks c ON c.id = j.value
CROSS JOIN vectors v ON v.model = ?1 AND v.hash = c.hash
"""
_FILTERED = """
SELECT c.id, v.vector FROM chunks c CROSS JOIN vectors v ON v.model = ?1 AND v.hash = c.hash WHERE c.id IN ({chunks})
"""


_MISSING = """
SELECT c.hash FROM chunks c WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.model = ? AND v.hash = c.hash)
GROUP BY c.hash ORDER BY max(c.id) DESC
"""
_OF_HASHES = """
SELECT c.id, c.hash FROM json_each(?) j CROSS JOIN chunks c ON c.hash = j.value
"""
_DROP_UNUSED = """
DELETE FROM vectors WHERE rowid IN (
    SELECT v.rowid FROM vectors v WHERE NOT EXISTS (SELECT 1 FROM chunks c WHERE c.hash = v.hash)
    ORDER BY v.rowid LIMIT ?
)
"""
_ALL = "SELECT c.id, v.vector FROM chunks c CROSS JOIN vectors v ON v.model = ? AND v.hash = c.hash"
KEPT_TIMES, KEPT_LEAST = 2, 10_000
"""Vectors of a model that are kept: so many for each chunk, and these. Texts come back with another branch."""
_BEHIND = "bits_are_behind"
"""A table that is there while chunks were written without sqlite-vec that the scan does not know."""


class StoreVectors:
    """The vectors' part of :class:`agentinfra.memory.store.MemoryStore`.

    Without sqlite-vec all vectors are compared in Python: the same answers, slower.

    Args:
        connection: To the index.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._scans = has_vectors(connection) and not self.is_behind
        self._held: dict[int, tuple[object, HeldBits]] = {}

    def missing(self, model: str) -> list[str]:
        """Hashes of chunks that have no vector of the model, the newest first."""
        return [key for (key,) in self._connection.execute(_MISSING, (self._id(model) or 0,))]

    def put(self, model: str, hashes: Sequence[str], vectors: Floats) -> None:
        """Keep vectors by the hashes of their chunks."""
        if not len(hashes):
            return
        number = self._id(model) or self._register(model, int(vectors.shape[1]))
        floats = np.ascontiguousarray(vectors, dtype=np.float32)
        rows = [(number, key, vector.tobytes()) for key, vector in zip(hashes, floats, strict=True)]
        self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
        places = {key: place for place, key in enumerate(hashes)}
        found = list(self._connection.execute(_OF_HASHES, (json.dumps([*hashes]),)))
        self._put_bits(number, [chunk for chunk, _ in found], floats[[places[key] for _, key in found]])

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
        if self._scans:
            bits = self._among(self._bits(number), which)
            return self._compared(number, vector, bits.nearest(vector, max(k, SCANNED)))[:k]
        chunks, bound = which.chunks(2)
        return _ranked(self._connection.execute(_FILTERED.format(chunks=chunks), (number, *bound)), vector)[:k]

    def note_chunk(self, chunk: int, key: str) -> None:
        """Let a new chunk be found by the vectors that are kept for its text."""
        # By each model: the vectors' index begins with it.
        sql = "SELECT m.id, v.vector FROM models m CROSS JOIN vectors v ON v.model = m.id AND v.hash = ?"
        rows = list(self._connection.execute(sql, (key,)))
        for number, blob in rows:
            self._put_bits(number, [chunk], np.frombuffer(blob, dtype=np.float32)[None])

    def drop_chunks(self, chunks: Collection[int]) -> None:
        """Find these chunks no longer; vectors stay, in case their text comes back."""
        if chunks and not self._scans:
            self._fall_behind()
        for (number,) in list(self._connection.execute("SELECT id FROM models")) if self._scans and chunks else ():
            for chunk in chunks:
                self._connection.execute(f"DELETE FROM bits_{int(number)} WHERE rowid = ?", (chunk,))  # noqa: S608

    def drop_unused(self) -> int:
        """Drop the oldest vectors of texts that are gone, where they are many; how many went."""
        sql = "SELECT (SELECT count(*) FROM vectors), (SELECT count(*) FROM chunks), (SELECT count(*) FROM models)"
        held, chunks, models = self._connection.execute(sql).fetchone() or (0, 0, 0)
        too_many = held - models * (KEPT_TIMES * chunks + KEPT_LEAST)
        if too_many > 0:
            self._connection.execute(_DROP_UNUSED, (too_many,))
            return self._connection.changes()
        return 0

    def catch_up(self) -> None:
        """Let the scan know what was written while sqlite-vec could not be loaded; within a transaction."""
        self._scans = True
        models = list(self._connection.execute("SELECT id, dimensions FROM models"))
        for number, dimensions in models:
            self._connection.execute(f"DROP TABLE IF EXISTS bits_{int(number)}")
            self._make_bits(int(number), int(dimensions))
            for chunk, blob in list(self._connection.execute(_ALL, (number,))):
                self._put_bits(int(number), [chunk], np.frombuffer(blob, dtype=np.float32)[None])
        self._connection.execute(f"DROP TABLE {_BEHIND}")

    @property
    def is_behind(self) -> bool:
        """Whether there is something to catch up with, and it can be done now."""
        found = self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (_BEHIND,)).fetchone()
        return has_vectors(self._connection) and found is not None

    def _fall_behind(self) -> None:
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {_BEHIND} (empty)")

    def _make_bits(self, model: int, dimensions: int) -> None:
        whole = -(-dimensions // 8) * 8
        self._connection.execute(f"CREATE VIRTUAL TABLE bits_{model} USING vec0(bits bit[{whole}])")

    def _id(self, model: str) -> int | None:
        found = self._connection.execute("SELECT id FROM models WHERE name = ?", (model,)).fetchone()
        return None if found is None else int(found[0])

    def _register(self, model: str, dimensions: int) -> int:
        sql = "INSERT INTO models (name, dimensions) VALUES (?, ?) RETURNING id"
        found = self._connection.execute(sql, (model, dimensions)).fetchone()
        assert found is not None
        number = int(found[0])
        if self._scans:
            self._make_bits(number, dimensions)
        else:
            self._fall_behind()
        return number

    def _put_bits(self, model: int, chunks: Sequence[int], vectors: Floats) -> None:
        if not self._scans:
            self._fall_behind()
            return
        known = f"SELECT rowid FROM bits_{model}_rowids WHERE rowid IN (SELECT value FROM json_each(?))"  # noqa: S608
        replaced = list(self._connection.execute(known, (json.dumps(chunks),)))
        self._connection.executemany(f"DELETE FROM bits_{model} WHERE rowid = ?", replaced)  # noqa: S608
        sql = f"INSERT INTO bits_{model} (rowid, bits) VALUES (?, vec_bit(?))"  # noqa: S608
        bits = np.packbits(vectors > 0, axis=1)
        self._connection.executemany(sql, [(one, row.tobytes()) for one, row in zip(chunks, bits, strict=True)])

    def _among(self, bits: HeldBits, which: Filter) -> HeldBits:
        if which.is_open:
            return bits
        chunks, bound = which.chunks(1)
        return bits.among([number for (number,) in self._connection.execute(chunks, bound)])

    def _bits(self, model: int) -> HeldBits:
        """Those of all chunks; read again when the file has changed."""
        version = content_version(self._connection)
        known = self._held.get(model)
        if known is not None and known[0] == version:
            return known[1]
        bits = read_bits(self._connection, f"bits_{model}")
        if not self._connection.in_transaction:  # what is rolled back must not be held
            self._held[model] = version, bits
        return bits

    def _compared(self, model: int, vector: Floats, chunks: Sequence[int]) -> list[tuple[int, float]]:
        # In their order, in which they lie in the file, and which settles ties.
        return _ranked(self._connection.execute(_OF_CHUNKS, (model, json.dumps(sorted(chunks)))), vector)


def _ranked(rows: object, vector: Floats) -> list[tuple[int, float]]:
    found: list[tuple[int, bytes]] = list(rows)  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
    if not found:
        return []
    stacked = np.frombuffer(b"".join(blob for _, blob in found), dtype=np.float32).reshape(len(found), -1)
    cosines = stacked @ vector.astype(np.float32)
    order: list[int] = np.argsort(-cosines, kind="stable").tolist()
    return [(found[at][0], float(cosines[at])) for at in order]
