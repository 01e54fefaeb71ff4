"""The plug for vector stores, and the simplest one: numpy arrays in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from agentinfra.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scalar = str | int | float | bool
Where = Mapping[str, Scalar | Sequence[Scalar]]
"""What metadata must be: a value, or one of several."""


@dataclass(frozen=True, slots=True)
class VectorEntry:
    """A text that is found by its vector.

    Attributes:
        id: Its key.
        text: What was embedded.
        metadata: What filters look at.
    """

    id: str
    text: str
    metadata: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])

    def fits(self, where: Where) -> bool:
        """Whether its metadata are as wanted; what it lacks is never as wanted."""
        return all(key in self.metadata and self.metadata[key] in choices(wanted) for key, wanted in where.items())


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that was found, and how near it is: the cosine, from -1 to 1."""

    entry: VectorEntry
    score: float


class VectorStore(Protocol):
    """Keeps vectors and finds the nearest. Vectors of different models are never compared."""

    async def put(self, model: str, entries: Sequence[VectorEntry], vectors: NDArray[np.float32]) -> None:
        """Keep entries, in the place of those with the same ids.

        Args:
            model: Name of the embedder.
            entries: What is found.
            vectors: Of unit length, of shape (number of entries, dimensions).

        Raises:
            InputError: The shape is another one, or not that of the model's earlier vectors.
        """
        ...

    async def search(self, model: str, vector: NDArray[np.float32], k: int, where: Where) -> list[Match]:
        """The nearest entries whose metadata are as wanted, best first."""
        ...

    async def missing(self, model: str, limit: int) -> list[VectorEntry]:
        """Entries that have no vector of the model yet."""
        ...

    async def remove(self, ids: Sequence[str]) -> int:
        """Forget entries; how many there were."""
        ...

    async def aclose(self) -> None:
        """Release what it holds; safe to call twice."""
        ...


class NumpyVectorStore:
    """Vectors in memory, gone with the process; exact, and fast up to some 100,000 entries."""

    def __init__(self) -> None:
        self._entries: dict[str, VectorEntry] = {}
        self._vectors: dict[str, dict[str, NDArray[np.float32]]] = {}
        self._stacked: dict[str, tuple[list[str], NDArray[np.float32]]] = {}

    async def put(self, model: str, entries: Sequence[VectorEntry], vectors: NDArray[np.float32]) -> None:
        """Keep entries, in the place of those with the same ids."""
        held = self._vectors.get(model, {})
        check_shape(entries, vectors, len(next(iter(held.values()))) if held else None)
        self._drop(entry.id for entry in entries if self._entries.get(entry.id, entry).text != entry.text)
        self._entries.update((entry.id, entry) for entry in entries)
        rows = zip(entries, vectors.astype(np.float32), strict=True)
        self._vectors.setdefault(model, {}).update((entry.id, row) for entry, row in rows)
        self._stacked.clear()

    async def search(self, model: str, vector: NDArray[np.float32], k: int, where: Where) -> list[Match]:
        """The nearest entries whose metadata are as wanted, best first."""
        ids, matrix = self._matrix(model)
        rows = [row for row, one in enumerate(ids) if self._entries[one].fits(where)] if where else range(len(ids))
        if not rows or k < 1:
            return []
        scores = (matrix[rows] if where else matrix) @ vector
        best = np.argsort(-scores, kind="stable")[:k]
        return [Match(self._entries[ids[rows[place]]], float(scores[place])) for place in best]

    async def missing(self, model: str, limit: int) -> list[VectorEntry]:
        """Entries that have no vector of the model yet."""
        held = self._vectors.get(model, {})
        return [entry for entry in self._entries.values() if entry.id not in held][:limit]

    async def remove(self, ids: Sequence[str]) -> int:
        """Forget entries; how many there were."""
        there = {one for one in ids if one in self._entries}
        self._drop(there)
        for one in there:
            del self._entries[one]
        return len(there)

    async def aclose(self) -> None:
        """Nothing is held that would have to be released."""

    def _drop(self, ids: Iterable[str]) -> None:
        """Forget vectors, of all models."""
        gone = set(ids)
        for rows in self._vectors.values():
            for one in gone:
                rows.pop(one, None)
        self._stacked.clear()

    def _matrix(self, model: str) -> tuple[list[str], NDArray[np.float32]]:
        if model not in self._stacked:
            rows = self._vectors.get(model, {})
            empty = np.zeros((0, 0), dtype=np.float32)
            self._stacked[model] = (list(rows), np.stack(list(rows.values())) if rows else empty)
        return self._stacked[model]


def choices(wanted: Scalar | Sequence[Scalar]) -> tuple[Scalar, ...]:
    """The values that a filter allows."""
    return (wanted,) if isinstance(wanted, (str, int, float, bool)) else tuple(wanted)


def check_shape(entries: Sequence[VectorEntry], vectors: NDArray[np.float32], dimensions: int | None) -> None:
    """Refuse vectors that cannot be those of the entries.

    Raises:
        InputError: Their number or length is another one, or there is one that is no number.
    """
    expected = (len(entries), dimensions or (vectors.shape[1] if vectors.ndim == 2 else 0))
    if vectors.ndim != 2 or vectors.shape != expected or not vectors.shape[1]:
        raise InputError(
            f"Vectors of shape {vectors.shape} came where {expected} was expected",
            why="Every text needs one vector, and all vectors of a model have one length",
            next_step="Give another model's vectors under another name",
        )
    if not np.isfinite(vectors).all():
        raise InputError("There is a vector with values that are no numbers")
