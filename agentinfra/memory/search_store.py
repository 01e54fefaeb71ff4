"""What searching needs of the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from agentinfra.memory.chunk import Chunk, Definition, Reference

T = TypeVar("T")
Floats = NDArray[np.float32]


class StoredChunk(Protocol):
    """A chunk with its number and its file."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def path(self) -> str:
        """Its file."""
        ...

    @property
    def chunk(self) -> Chunk:
        """What stands there."""
        ...

    @property
    def hash(self) -> str:
        """The chunk's."""
        ...


class SearchStore(Protocol):
    """The part of :class:`agentinfra.memory.store.MemoryStore` that reads what is indexed."""

    def stamps(self) -> Mapping[str, object]:
        """The indexed files."""
        ...

    def search_text(
        self, query: str, k: int, *, paths: str | None = None, kinds: Collection[str] | None = None
    ) -> Sequence[tuple[int, float]]:
        """Ids of chunks with words of the query and their BM25 scores, the best first."""
        ...

    def search_vector(
        self, model: str, vector: Floats, k: int, *, paths: str | None = None, kinds: Collection[str] | None = None
    ) -> Sequence[tuple[int, float]]:
        """Ids of the chunks that lie nearest to a vector and their cosines, the best first."""
        ...

    def vectors(self, model: str, hashes: Collection[str]) -> Mapping[str, Floats]:
        """The vectors that are kept, by the hash of their chunk."""
        ...

    def chunks(self, ids: Collection[int]) -> Mapping[int, StoredChunk]:
        """Chunks by their numbers."""
        ...

    def chunk_at(self, path: str, line: int) -> StoredChunk | None:
        """The chunk that a line is in."""
        ...

    def file_chunks(self, path: str) -> Sequence[StoredChunk]:
        """A file's chunks in its order."""
        ...

    def definitions(self, name: str | None = None, path: str | None = None) -> Sequence[tuple[str, Definition]]:
        """Definitions of a name, which is a whole symbol or its last part; of a file; or all."""
        ...

    def references(self, name: str | None = None, path: str | None = None) -> Sequence[tuple[str, Reference]]:
        """Uses of a name, in a file, or all."""
        ...


class StoreDoor(Protocol):
    """Runs work on a store; :class:`agentinfra.memory.store_thread.StoreThread` is one."""

    async def run(self, work: Callable[[SearchStore], T]) -> T:
        """The result of the work, done where the store may be used."""
        ...
