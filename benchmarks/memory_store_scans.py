"""Ways to find the nearest vectors of an index, and how long reading all of them once takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from agentinfra.memory.database import Connection, open_database, transaction
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.held_bits import bits_of, read_bits
from agentinfra.memory.search_store import Floats
from agentinfra.memory.store_vectors import SCANNED, StoreVectors
from agentinfra.memory.store_words import Filter

OURS = "bits held and scanned, the best rescored"
K = 10
_ROUNDS = 5
_ROUNDING = 1e-6
_READ_BYTES = 1 << 28
_ALL = "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.hash = c.hash ORDER BY c.id"
Find = Callable[[Floats], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Scan:
    """One way to find the nearest chunks.

    Attributes:
        name: What it is.
        milliseconds: CPU time of a question, the median.
        wall: Time by the clock, the median.
        recall: The share of the ten nearest that it finds.
        megabytes: What it reads for a question.
    """

    name: str
    milliseconds: float
    wall: float
    recall: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Scans:
    """All of them over the same vectors.

    Attributes:
        rate: Gigabytes that are read in a second.
        floor: Milliseconds that reading all vectors once takes at that rate.
        scans: The ways.
    """

    rate: float
    floor: float
    scans: list[Scan]


def scans(path: Path, questions: Sequence[str]) -> Scans:
    """Measure every way over the vectors of an index."""
    embedder = StaticEmbedder()
    asked = embedder.embed_now(questions)
    with closing(open_database(path)) as index, closing(open_database(path.with_name("floats.db"))) as floats:
        held = _held(index)
        _copy(held, floats)
        bits, store = read_bits(index, "bits_1"), StoreVectors(index)
        in_bits, in_floats = bits.words.nbytes, held.vectors.nbytes
        ways: list[tuple[str, int, Find]] = [
            (OURS, in_bits, lambda vector: [each for each, _ in store.search(embedder.name, vector, K, Filter())]),
            ("its bit scan alone", in_bits, lambda vector: bits.nearest(vector, K)),
            ("floats held, numpy", in_floats, held.nearest),
            (f"sqlite-vec, bits, k = {SCANNED}", in_bits, lambda vector: _nearest_bits(index, vector)),
            ("sqlite-vec, floats", in_floats, lambda vector: _nearest_floats(floats, vector)),
        ]
        rate = gigabytes_a_second()
        found = [_measured(name, read, find, held, asked) for name, read, find in ways]
    return Scans(rate, in_floats / rate / 1e6, found)


def gigabytes_a_second() -> float:
    """How fast one thread reads: the best of some passes over more than a processor's cache holds."""
    much = np.ones(_READ_BYTES // 4, np.float32)
    taken: list[float] = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        np.dot(much, much)
        taken.append(time.perf_counter() - began)
    return _READ_BYTES / min(taken) / 1e9


@dataclass(frozen=True, slots=True)
class _Held:
    """All vectors: ids in rising order, and float32 of shape (chunks, dimensions)."""

    ids: NDArray[np.int64]
    vectors: Floats

    def nearest(self, vector: Floats) -> list[int]:
        """The exact answer, the best first."""
        cosines = self.vectors @ vector
        best = np.argpartition(-cosines, min(K, len(cosines) - 1))[:K]
        return self.ids[best[np.argsort(-cosines[best])]].tolist()

    def recall(self, vector: Floats, found: Sequence[int]) -> float:
        """The share of the nearest that was found; who is as near as the last of them counts, too."""
        cosines = self.vectors @ vector
        least = np.sort(cosines)[-K:][0] - _ROUNDING
        return float((cosines[np.searchsorted(self.ids, found[:K])] >= least).sum()) / min(K, len(cosines))


def _held(connection: Connection) -> _Held:
    rows = list(connection.execute(_ALL))
    vectors = np.frombuffer(b"".join(blob for _, blob in rows), np.float32)
    return _Held(np.array([number for number, _ in rows], np.int64), vectors.reshape(len(rows), -1))


def _copy(held: _Held, connection: Connection) -> None:
    """Into a table of sqlite-vec."""
    with transaction(connection):
        connection.execute(f"CREATE VIRTUAL TABLE floats USING vec0(vector float[{held.vectors.shape[1]}])")
        for number, vector in zip(held.ids.tolist(), held.vectors, strict=True):
            connection.execute("INSERT INTO floats (rowid, vector) VALUES (?, ?)", (number, vector.tobytes()))


def _nearest_bits(connection: Connection, vector: Floats) -> list[int]:
    sql = "SELECT rowid FROM bits_1 WHERE bits MATCH vec_bit(?) AND k = ?"
    return [number for (number,) in connection.execute(sql, (bits_of(vector), SCANNED))]


def _nearest_floats(connection: Connection, vector: Floats) -> list[int]:
    sql = "SELECT rowid FROM floats WHERE vector MATCH ? AND k = ?"
    return [number for (number,) in connection.execute(sql, (vector.tobytes(), K))]


def _measured(name: str, read: int, find: Find, held: _Held, asked: Floats) -> Scan:
    """One way with every question, after one to warm up."""
    find(asked[0])
    cpu, wall, recalls = list[float](), list[float](), list[float]()
    for vector in asked:
        began = time.process_time(), time.perf_counter()
        found = find(vector)
        cpu.append((time.process_time() - began[0]) * 1000)
        wall.append((time.perf_counter() - began[1]) * 1000)
        recalls.append(held.recall(vector, found))
    return Scan(name, float(np.median(cpu)), float(np.median(wall)), fmean(recalls), read / 1e6)
