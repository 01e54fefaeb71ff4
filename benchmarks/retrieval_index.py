"""An index in memory for measuring the ranking: SQLite's full-text search, and every vector looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from agentinfra.memory.chunk import Chunk, Definition, Reference
from agentinfra.memory.embedders.words import index_words
from agentinfra.memory.search_store import SearchStore

T = TypeVar("T")
Floats = NDArray[np.float32]
_TABLE = "CREATE VIRTUAL TABLE words USING fts5(name, path, body, tokenize = 'porter unicode61')"
_SEARCH = "SELECT rowid, -bm25(words, 3, 1, 1) FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
_STOP = frozenset("a an and are as at be by for from if in into is it its of on or that the this to was with".split())


@dataclass(frozen=True, slots=True)
class Stored:
    """A chunk, the place of it and its file."""

    id: int
    path: str
    chunk: Chunk


class MemoryIndex:
    """The store and the door to it; chunks are numbered as they come, from 0.

    Args:
        chunks: Each with its file.
    """

    def __init__(self, chunks: Iterable[tuple[str, Chunk]]) -> None:
        self.stored = [Stored(place, path, chunk) for place, (path, chunk) in enumerate(chunks)]
        self._rows: dict[str, tuple[dict[str, int], Floats]] = {}
        self._words = sqlite3.connect(":memory:", check_same_thread=False)
        self._words.execute(_TABLE)
        self._words.executemany(
            "INSERT INTO words (rowid, name, path, body) VALUES (?, ?, ?, ?)",
            ((one.id, *map(index_words, (one.chunk.symbol, one.path, one.chunk.text))) for one in self.stored),
        )

    async def run(self, work: Callable[[SearchStore], T]) -> T:
        """The result of the work."""
        return work(self)

    def keep(self, model: str, vectors: Floats) -> None:
        """Keep a vector of every chunk, in their order."""
        self._rows[model] = ({one.chunk.hash: one.id for one in self.stored}, vectors)

    def stamps(self) -> Mapping[str, object]:
        """Nothing is looked up by path."""
        return {}

    def search_text(
        self, query: str, k: int, *, paths: str | None = None, kinds: Collection[str] | None = None
    ) -> list[tuple[int, float]]:
        """See :class:`agentinfra.memory.search_store.SearchStore`; bounds are not looked at."""
        del paths, kinds
        words = [word for word in dict.fromkeys(index_words(query).split()) if word not in _STOP]
        asked = " OR ".join(f'"{word}"' for word in words)
        return self._words.execute(_SEARCH, (asked, k)).fetchall() if asked else []

    def search_vector(
        self, model: str, vector: Floats, k: int, *, paths: str | None = None, kinds: Collection[str] | None = None
    ) -> list[tuple[int, float]]:
        """See :class:`agentinfra.memory.search_store.SearchStore`; bounds are not looked at."""
        del paths, kinds
        cosines = self._rows[model][1] @ vector
        best = np.argsort(-cosines, kind="stable")[:k]
        return list(zip(best.tolist(), cosines[best].tolist(), strict=True))

    def vectors(self, model: str, hashes: Collection[str]) -> dict[str, Floats]:
        """The vectors that are kept."""
        if model not in self._rows:
            return {}
        rows, vectors = self._rows[model]
        return {key: vectors[rows[key]] for key in hashes}

    def chunks(self, ids: Collection[int]) -> dict[int, Stored]:
        """Chunks by their numbers."""
        return {number: self.stored[number] for number in ids}

    def chunk_at(self, path: str, line: int) -> None:
        """Nothing is looked up by place."""

    def file_chunks(self, path: str) -> Sequence[Stored]:
        """Nothing is looked up by path."""
        del path
        return ()

    def definitions(self, name: str | None = None, path: str | None = None) -> Sequence[tuple[str, Definition]]:
        """Nothing is looked up by name."""
        del name, path
        return ()

    def references(self, name: str | None = None, path: str | None = None) -> Sequence[tuple[str, Reference]]:
        """Nothing is looked up by name."""
        del name, path
        return ()
