"""Searching the index by words: BM25 over identifiers that are split into their parts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from agentinfra.memory.database import Connection
from agentinfra.memory.embedders.words import index_words

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


def search_words(connection: Connection, query: str, k: int, which: Filter) -> list[tuple[int, float]]:
    """Ids of chunks and their scores, the best first; nothing in the query is syntax."""
    words = [*dict.fromkeys(index_words(query).split())]
    telling = [word for word in words if word not in _STOP] or words
    if not telling or k < 1:
        return []
    match = " OR ".join(f'"{word}"' for word in telling[:MAX_WORDS])
    chunks, bound = which.chunks(3)
    sql = _SEARCH.format(filter="" if which.is_open else f"AND rowid IN ({chunks})")
    return [(int(number), float(score)) for number, score in connection.execute(sql, (match, k, *bound))]
