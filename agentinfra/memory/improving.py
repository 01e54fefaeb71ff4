"""Better vectors in idle time: minutes of work, begun with the newest chunks, that can be stopped at any moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentinfra.core.interfaces import Embedder
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.vector_cache import VectorCache

BATCH = 32
"""Chunks that are embedded and kept at once: half a second's work of MiniLM on one core."""

OnVectors = Callable[[int, int], None]
"""Told how many vectors were made, and how many there will be."""


class Improver:
    """Gives an index's chunks the vectors of an embedder that is too slow to wait for.

    Args:
        store: The index.
        embedder: The better one.
        cache: What any workspace or branch had before is not made again.
    """

    def __init__(self, store: StoreThread[MemoryStore], embedder: Embedder, cache: VectorCache) -> None:
        self._store = store
        self._embedder = embedder
        self._cache = cache

    async def missing(self) -> list[str]:
        """Hashes of the chunks that have no vector yet, the newest first."""
        return await self._store.run(lambda store: store.missing_vectors(self._embedder.name))

    async def improve(self, on_vectors: OnVectors | None = None) -> int:
        """Make the vectors that are missing; what was made is kept when this is cancelled.

        Returns:
            How many were made.

        Raises:
            ModelError: The embedder failed.
            StoreError: The index cannot be read or written.
        """
        missing = await self.missing()
        for start in range(0, len(missing), BATCH):
            await self._give(missing[start : start + BATCH])
            if on_vectors is not None:
                on_vectors(min(start + BATCH, len(missing)), len(missing))
        return len(missing)

    async def _give(self, hashes: Sequence[str]) -> None:
        # Without those whose files have changed meanwhile.
        texts = [*(await self._store.run(lambda store: store.texts(hashes))).items()]
        vectors = await self._cache.embed(self._embedder, texts)
        keys = [key for key, _ in texts]

        def put(store: MemoryStore) -> None:
            with store.transaction():
                store.put_vectors(self._embedder.name, keys, vectors)

        await self._store.run(put)
