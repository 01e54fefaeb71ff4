"""Searching the index by words: BM25 over identifiers that are split into their parts."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agentinfra.memory.database import Connection, content_version
from agentinfra.memory.embedders.words import index_words
from agentinfra.memory.word_bounds import Ids, promising, tells

MAX_WORDS = 32
"""Of a query; whoever asks with a whole file is answered by its first words."""
# fmt: off
_STOP = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "have", "if", "in", "into", "is", "it",
    "its", "of", "on", "or", "return", "returns", "self", "that", "the", "their", "then", "this", "to", "was",
    "were", "which", "will", "with",
))
# fmt: on
_SEARCH = """
SELECT rowid, -bm25(words, 3.0, 1.0, 1.0) AS score FROM words WHERE words MATCH ?1 {filter}
ORDER BY score DESC, rowid LIMIT ?2
"""
_HOLDERS = "SELECT group_concat(rowid) FROM words WHERE words MATCH ?"
"""As text, which numpy reads faster than Python takes rows."""
_AMONG = "AND +rowid IN (SELECT value FROM json_each(?3))"
"""Without the plus SQLite searches the words again for each of these chunks."""
SCORED, SCORED_SHARE = 1500, 1 / 64
"""Chunks that are scored at least, if as many hold any of the words: so many, and so large a share of all."""
_HELD_IDS = 1 << 22
"""Ids of the words' chunks that are remembered, 16 MB."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which chunks count.

    Attributes:
        paths: A pattern for their files, in which ``*`` stands for folders too; None for all.
        kinds: Their kinds; None for all.
    """

    paths: str | None = None
    kinds: Collection[str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether all count."""
        return self.paths is None and self.kinds is None

    def chunks(self, first: int) -> tuple[str, list[Any]]:
        """SQL that selects the ids of the chunks that count, and what is bound in it from parameter ``first`` on."""
        told, bound = ["SELECT c.id FROM chunks c JOIN files f ON f.id = c.file WHERE 1"], list[Any]()
        if self.paths is not None:
            told.append(f"AND CAST(f.path AS TEXT) GLOB ?{first + len(bound)}")
            bound.append(self.paths)
        if self.kinds is not None:
            told.append(f"AND instr(?{first + len(bound)}, ' ' || c.kind || ' ')")
            bound.append(f" {' '.join(self.kinds)} ")
        return " ".join(told), bound


def merge_words(connection: Connection) -> None:
    """Let all words lie together, where they were written in many batches: a search is done in two thirds of the time.

    Takes about a second for 100,000 chunks; within a transaction or without one.
    """
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")


class StoreWords:
    """The words' part of :class:`agentinfra.memory.store.MemoryStore`.

    Args:
        connection: To the index.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._version: object = None
        self._held: dict[str, Ids] = {}

    def search(self, query: str, k: int, which: Filter) -> list[tuple[int, float]]:
        """Ids of chunks and their scores, the best first; nothing in the query is syntax.

        Where many chunks hold any of its words, those are scored whose words tell most. Words that more than half of
        all chunks hold, to which BM25 gives a millionth, are looked for only where others bring too little.
        """
        words = [*dict.fromkeys(index_words(query).split())]
        telling = ([word for word in words if word not in _STOP] or words)[:MAX_WORDS]
        if not telling or k < 1:
            return []
        if which.is_open:
            return self._best(telling, k)
        chunks, bound = which.chunks(3)
        return self._scored(telling, k, f"AND +rowid IN ({chunks})", bound)

    def _best(self, words: Sequence[str], k: int) -> list[tuple[int, float]]:
        total = self._at_most()
        holders = self._holders(words)
        telling = [word for word in words if tells(len(holders[word]), total)]
        if max((len(holders[word]) for word in telling), default=0) < k:
            telling = words
        chunks = promising([holders[word] for word in telling], total, max(SCORED, round(total * SCORED_SHARE), k))
        if chunks is None:
            return self._scored(telling, k, "", [])
        return self._scored(telling, k, _AMONG, [json.dumps(chunks.tolist())])

    def _scored(self, words: Sequence[str], k: int, condition: str, bound: Sequence[Any]) -> list[tuple[int, float]]:
        sql, match = _SEARCH.format(filter=condition), " OR ".join(map(_quoted, words))
        return [(int(number), float(score)) for number, score in self._connection.execute(sql, (match, k, *bound))]

    def _holders(self, words: Sequence[str]) -> dict[str, Ids]:
        """For each word the chunks that hold it; read again when the file has changed."""
        version = content_version(self._connection)
        if version != self._version:
            self._held.clear()
        held = self._held if not self._connection.in_transaction else dict[str, Ids]()  # that may be rolled back
        self._version = version
        found = {word: held.pop(word) if word in held else self._read(word) for word in words}
        held.update(found)  # at the end, away from those that are forgotten next
        while sum(map(len, held.values())) > _HELD_IDS:
            del held[next(iter(held))]
        return found

    def _read(self, word: str) -> Ids:
        row = self._connection.execute(_HOLDERS, (_quoted(word),)).fetchone()
        return np.fromstring(row[0], np.int32, sep=",") if row and row[0] else np.empty(0, np.int32)

    def _at_most(self) -> int:
        """As many chunks as there are, or more: counting them would take longer."""
        found = self._connection.execute("SELECT max(id) FROM chunks").fetchone()
        return int(found[0] or 0) if found else 0


def _quoted(word: str) -> str:
    return f'"{word}"'
