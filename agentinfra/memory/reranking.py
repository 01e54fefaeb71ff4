"""Compares a question with the best candidates by a better embedder, for as long as there is time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from agentinfra.core.interfaces import Embedder
from agentinfra.memory.chunk import Chunk
from agentinfra.memory.search_store import Floats, StoreDoor

BATCH = 4
"""Texts that are embedded at once: the time is looked at in between."""
KEPT = 4096
"""Vectors that are remembered, 6 MB of MiniLM's."""


class Reranker:
    """Cosines of a question with chunks. Vectors are taken from the store where it has them, and remembered where not.

    Args:
        store: Where vectors may be kept.
        embedder: Slow, and good.
    """

    def __init__(self, store: StoreDoor, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._remembered: OrderedDict[str, Floats] = OrderedDict()

    @property
    def name(self) -> str:
        """The embedder's."""
        return self._embedder.name

    async def cosines(self, query: str, chunks: Sequence[Chunk], seconds: float) -> dict[str, float]:
        """The cosine of the question with each chunk, by its hash.

        Args:
            query: The question.
            chunks: The most promising first: those at the end are left out when the time is over.
            seconds: The most that it may take.

        Raises:
            ModelError: The embedder failed.
        """
        known: dict[str, Floats] = {}
        asked: Floats | None = None
        try:
            async with asyncio.timeout(seconds):
                asked = (await self._embedder.embed([query], query=True))[0]
                known.update(await self._kept(chunks))
                await self._embed([chunk for chunk in chunks if chunk.hash not in known], known)
        except TimeoutError:
            pass  # what is known by now is used
        return {} if asked is None else {key: float(vector @ asked) for key, vector in known.items()}

    async def _kept(self, chunks: Sequence[Chunk]) -> Mapping[str, Floats]:
        hashes = [chunk.hash for chunk in chunks]
        kept = {key: self._remembered[key] for key in hashes if key in self._remembered}
        others = [key for key in hashes if key not in kept]
        return {**kept, **await self._store.run(lambda store: store.vectors(self.name, others))} if others else kept

    async def _embed(self, chunks: Sequence[Chunk], known: dict[str, Floats]) -> None:
        for start in range(0, len(chunks), BATCH):
            await asyncio.sleep(0)  # the time may be over, also where an embedder never waits
            batch = chunks[start : start + BATCH]
            vectors = await self._embedder.embed([chunk.embedded_text for chunk in batch])
            new = {chunk.hash: vector for chunk, vector in zip(batch, vectors, strict=True)}
            known.update(new)
            self._remembered.update(new)
            while len(self._remembered) > KEPT:
                self._remembered.popitem(last=False)
