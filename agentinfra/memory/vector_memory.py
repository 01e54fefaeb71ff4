"""VectorDatabaseMemory: texts that are found again by what they mean."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentinfra.core.config import data_folder
from agentinfra.core.doors import door, wait
from agentinfra.core.errors import InputError
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.vector_store import Match, Scalar, VectorEntry, VectorStore, Where

_BATCH = 256


class VectorDatabaseMemory:
    """Texts in a vector database, each with metadata to filter by.

    Without arguments it is persistent: ``memory.db`` in the user's data folder, with the embedder that comes along.
    Entries that were stored with another embedder are embedded anew when they are first looked for.

    Args:
        embedder: What makes vectors of texts; by default the static one, which needs no network.
        store: Where they are kept: a file for sqlite-vec, or any :class:`~agentinfra.memory.vector_store.VectorStore`.
    """

    def __init__(self, embedder: Embedder | None = None, store: VectorStore | Path | None = None) -> None:
        self.embedder = embedder or static_embedder()
        self.database = _sqlite_store(store) if store is None or isinstance(store, Path) else store

    @door
    def store(self, data: Any, metadata: Mapping[str, Scalar] | None = None, *, id: str | None = None) -> str:
        """Keep a text, or anything that JSON can say; see :meth:`astore`."""
        return wait(self.astore(data, metadata, id=id), "await memory.astore(data)")

    @door
    def retrieve(self, query: str, k: int = 5, where: Where | None = None) -> list[Match]:
        """What is nearest to the query; see :meth:`aretrieve`."""
        return wait(self.aretrieve(query, k, where), "await memory.aretrieve(query)")

    @door
    def forget(self, *ids: str) -> int:
        """Remove entries; see :meth:`aforget`."""
        return wait(self.aforget(*ids), "await memory.aforget(id)")

    async def astore(self, data: Any, metadata: Mapping[str, Scalar] | None = None, *, id: str | None = None) -> str:
        """Keep a text, or anything that JSON can say.

        Args:
            data: What is to be found again.
            metadata: What filters look at.
            id: Its key; an entry with the same one is replaced. By default a new one.

        Returns:
            Its id.

        Raises:
            InputError: The data is empty, or nothing that JSON can say.
        """
        [stored] = await self.astore_many([(data, metadata or {}, id)])
        return stored

    async def astore_many(self, items: Sequence[tuple[Any, Mapping[str, Scalar], str | None]]) -> list[str]:
        """Keep many at once, which costs less: data, metadata and id of each.

        Raises:
            InputError: One of them is empty, or nothing that JSON can say; nothing was stored.
        """
        entries = [VectorEntry(one or secrets.token_hex(8), as_text(data), dict(more)) for data, more, one in items]
        await self._put(entries)
        return [entry.id for entry in entries]

    async def aretrieve(self, query: str, k: int = 5, where: Where | None = None) -> list[Match]:
        """What is nearest to the query, best first.

        Args:
            query: What is looked for, in words.
            k: Most entries to return.
            where: What their metadata must be: a value, or a sequence of which it is one.
        """
        while stale := await self.database.missing(self.embedder.name, _BATCH):
            await self._put(stale)
        [vector] = await self.embedder.embed([query], query=True)
        return await self.database.search(self.embedder.name, vector, k, where or {})

    async def aforget(self, *ids: str) -> int:
        """Remove entries; how many there were."""
        return await self.database.remove(ids)

    async def aclose(self) -> None:
        """Close the database and the embedder; safe to call twice."""
        await self.database.aclose()
        await self.embedder.aclose()

    async def _put(self, entries: Sequence[VectorEntry]) -> None:
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            vectors = await self.embedder.embed([entry.text for entry in batch])
            await self.database.put(self.embedder.name, batch, vectors)


def as_text(data: Any) -> str:
    """The text under which data is found: itself, or its JSON.

    Raises:
        InputError: It is empty, or nothing that JSON can say.
    """
    try:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"A {type(data).__name__} cannot be remembered",
            why=str(error),
            next_step="Store text, numbers, lists and dictionaries",
        ) from error
    if not text.strip():
        raise InputError("There is nothing to remember", why="The text is empty")
    return text


def static_embedder() -> Embedder:
    """The embedder that comes along and needs no network."""
    from agentinfra.memory.embedders.static import StaticEmbedder  # noqa: PLC0415  (reads its weights)

    return StaticEmbedder()


def _sqlite_store(path: Path | None) -> VectorStore:
    from agentinfra.memory.sqlite_vector_store import SqliteVectorStore  # noqa: PLC0415  (brings SQLite)

    return SqliteVectorStore(path or data_folder() / "memory.db")
