"""One bit a dimension of each chunk's vector, held in memory, so that all chunks are compared in about a millisecond.

sqlite-vec keeps the bits and is what writes them, but its own scan, without SIMD in its wheels, takes ten times as
long, and longer the more it is asked for. So its blocks are read as they lie in its tables, which its documentation
describes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentinfra.memory.database import Connection
from agentinfra.memory.search_store import Floats

_BLOCKS = """
SELECT c.rowids, c.validity, v.vectors FROM {table}_chunks c JOIN {table}_vector_chunks00 v ON v.rowid = c.chunk_id
"""
_WORD_BYTES = 8


@dataclass(frozen=True, slots=True)
class HeldBits:
    """The bits of all chunks that have a vector.

    Attributes:
        ids: Of the chunks; int64 of shape (chunks,).
        words: Their bits, 64 to a number; uint64 of shape (numbers a chunk, chunks).
    """

    ids: NDArray[np.int64]
    words: NDArray[np.uint64]

    def among(self, chunks: Collection[int]) -> HeldBits:
        """Those of some chunks."""
        wanted = np.isin(self.ids, np.fromiter(chunks, np.int64, len(chunks)))
        return HeldBits(self.ids[wanted], self.words[:, wanted])

    def nearest(self, vector: Floats, k: int) -> list[int]:
        """Ids of the chunks that differ from a vector in the fewest bits, the best first."""
        if not len(self.ids):
            return []
        asked = _words(np.frombuffer(bits_of(vector), np.uint8)[None])
        apart = np.zeros(len(self.ids), np.uint16)
        for held, word in zip(self.words, asked[:, 0], strict=True):
            apart += np.bitwise_count(held ^ word)
        # Numbers this small are counted faster than sorted.
        at_most = int(np.searchsorted(np.cumsum(np.bincount(apart)), min(k, len(apart))))
        near = np.flatnonzero(apart <= at_most)
        return self.ids[near[np.argsort(apart[near], kind="stable")[:k]]].tolist()


def bits_of(vector: Floats) -> bytes:
    """Whether each dimension is above zero, eight to a byte."""
    return np.packbits(vector > 0).tobytes()


def read_bits(connection: Connection, table: str) -> HeldBits:
    """What a table of sqlite-vec with a single column of bits holds."""
    blocks = list(connection.execute(_BLOCKS.format(table=table)))
    if not blocks:
        return HeldBits(np.empty(0, np.int64), np.empty((0, 0), np.uint64))
    ids = np.frombuffer(b"".join(rowids for rowids, _, _ in blocks), np.int64)
    valid = np.frombuffer(b"".join(validity for _, validity, _ in blocks), np.uint8)
    taken = np.unpackbits(valid, bitorder="little").astype(bool)
    rows = np.frombuffer(b"".join(vectors for _, _, vectors in blocks), np.uint8).reshape(len(ids), -1)
    return HeldBits(ids[taken], _words(rows[taken]))


def _words(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Bytes as numbers of eight each, filled up with zeros, one row for each place."""
    width = -(-rows.shape[1] // _WORD_BYTES) * _WORD_BYTES
    padded = np.zeros((len(rows), width), np.uint8)
    padded[:, : rows.shape[1]] = rows
    return np.ascontiguousarray(padded.view(np.uint64).T)
