"""Vectors from a table of words: no network to run, thousands of texts a second, and the meaning of words only."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.words import identifiers_of, parts_of

TABLE = Path(__file__).with_name("static-256.npz")
VERSION = 1
"""Of the weights and their file; part of the name, because vectors of two versions cannot be compared."""
_MOST_IDENTIFIERS = 4096
"""Of one text: what comes after says little more."""
_KEPT_IDENTIFIERS = 1 << 17


@dataclass(frozen=True, slots=True)
class WordTable:
    """A vector for each word.

    Attributes:
        header: Version, licence and sources of the weights.
        ids: Row of each word.
        vectors: float32 of shape (words, dimensions); their lengths are the words' weights.
    """

    header: dict[str, Any]
    ids: dict[str, int]
    vectors: NDArray[np.float32]


@cache
def load_table(path: Path = TABLE) -> WordTable:
    """Read a table; once for all embedders of this process.

    Raises:
        ModelUnavailable: The file is missing, damaged, or of another format.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as parts:
            header = json.loads(bytes(parts["header"]))
            words = bytes(parts["words"]).decode().split("\n")
            vectors = parts["rows"].astype(np.float32)
            vectors *= parts["scales"].astype(np.float32)[:, None]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise _unreadable(path, str(error)) from error
    if header.get("version") != VERSION or len(words) != len(vectors):
        raise _unreadable(
            path, f"It has version {header.get('version')} and {len(vectors)} vectors of {len(words)} words"
        )
    return WordTable(header, {word: row for row, word in enumerate(words)}, vectors)


class StaticEmbedder:
    """The mean of a text's word vectors; each word counts once, however often it occurs.

    Args:
        table: The file of the word vectors; read at first use.
    """

    dimensions = 256
    name = f"static-256-v{VERSION}"

    def __init__(self, table: Path = TABLE) -> None:
        self._path = table
        self._known: _RowsOf | None = None

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:  # noqa: ARG002
        """Embed texts in a worker thread. See :class:`agentinfra.core.interfaces.Embedder`."""
        return await asyncio.to_thread(self.embed_now, texts)

    async def aclose(self) -> None:
        """Nothing is held."""

    def embed_now(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts in this thread: for callers that are in a worker thread or process already.

        A text without a known word gets a vector of its own, which is near no other.
        """
        table = load_table(self._path)
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            # One text's words at a time: what is gathered stays in the processor's cache.
            np.add.reduce(table.vectors.take(self._rows(text, table), axis=0), axis=0, out=vector)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _rows(self, text: str, table: WordTable) -> list[int]:
        known = self._known
        if known is None or len(known) > _KEPT_IDENTIFIERS:
            self._known = known = _RowsOf(table.ids)
        identifiers = identifiers_of(text)[:_MOST_IDENTIFIERS]
        return list(dict.fromkeys(chain.from_iterable(map(known.__getitem__, identifiers)))) or [0]


class _RowsOf(dict[str, tuple[int, ...]]):
    """The rows of identifiers that were met: a look at a dictionary costs less than a call."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        super().__init__()
        self._ids = ids

    def __missing__(self, identifier: str) -> tuple[int, ...]:
        self[identifier] = rows = tuple([row for row in map(self._ids.get, parts_of(identifier)) if row is not None])
        return rows


def _unreadable(path: Path, why: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The word vectors in {path.name} cannot be read", why=why, next_step="Install agentinfra again"
    )
