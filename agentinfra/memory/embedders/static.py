"""Vectors from a table of words: no network to run, thousands of texts a second, and the meaning of words only."""

from __future__ import annotations

import asyncio
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.words import parts_of

TABLE = Path(__file__).with_name("static-256.npz")
VERSION = 1
"""Of the weights and their file; part of the name, because vectors of two versions cannot be compared."""
_IDENTIFIER = re.compile(r"\w+")
_MOST_IDENTIFIERS = 4096
"""Of one text: what comes after says little more."""
_BATCH_WORDS = 8192
"""Rows gathered at once: 8 MB, about what a processor's cache holds."""
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
        self._rows_of: dict[str, tuple[int, ...]] = {}

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
        found = [self._rows(text, table) for text in texts]
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        start = words = 0
        for end, rows in enumerate(found, 1):
            words += len(rows)
            if words >= _BATCH_WORDS or end == len(found):
                vectors[start:end] = _sums(found[start:end], table.vectors)
                start, words = end, 0
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _rows(self, text: str, table: WordTable) -> list[int]:
        known = self._rows_of
        identifiers = dict.fromkeys(_IDENTIFIER.findall(text)[:_MOST_IDENTIFIERS])
        rows = dict.fromkeys(row for one in identifiers for row in (known.get(one) or self._learn(one, table)))
        return list(rows) or [0]

    def _learn(self, identifier: str, table: WordTable) -> tuple[int, ...]:
        rows = tuple(row for part in parts_of(identifier) if (row := table.ids.get(part)) is not None)
        if len(self._rows_of) < _KEPT_IDENTIFIERS:
            self._rows_of[identifier] = rows
        return rows


def _sums(found: Sequence[list[int]], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    starts = np.cumsum([0, *(len(rows) for rows in found[:-1])])
    gathered = vectors[np.fromiter((row for rows in found for row in rows), np.int64)]
    return np.add.reduceat(gathered, starts, axis=0)


def _unreadable(path: Path, why: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The word vectors in {path.name} cannot be read", why=why, next_step="Install agentinfra again"
    )
