"""Searching the index by words: BM25 over identifiers that are split into their parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from agentinfra.memory.database import Connection
from agentinfra.memory.embedders.words import index_words
from agentinfra.memory.word_bounds import able_to_reach, bounded, guessed_score

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
_COUNT = "SELECT count(*) FROM words WHERE words MATCH ?"
_ABLE = "AND +rowid IN (SELECT rowid FROM words WHERE words MATCH ?3)"
"""Without the plus SQLite searches the words again for each of these chunks."""
_WORTHWHILE = 3000
"""Occurrences of words; fewer are scored before the best chunks could be told by their words."""
_TRIES = 2


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


def search_words(connection: Connection, query: str, k: int, which: Filter) -> list[tuple[int, float]]:
    """Ids of chunks and their scores, the best first; nothing in the query is syntax."""
    words = [*dict.fromkeys(index_words(query).split())]
    telling = [word for word in words if word not in _STOP] or words
    if not telling or k < 1:
        return []
    telling = telling[:MAX_WORDS]
    if which.is_open:
        return _best(connection, telling, k)
    chunks, bound = which.chunks(3)
    return _scored(connection, _any_of(telling), k, f"AND +rowid IN ({chunks})", bound)


def _best(connection: Connection, words: Sequence[str], k: int) -> list[tuple[int, float]]:
    """The same as scoring all chunks with any of the words, in less time."""
    counted = [(word, _count(connection, word)) for word in words]
    total = _at_most(connection)
    bounds = bounded(counted, total)
    if sum(word.chunks for word in bounds) >= _WORTHWHILE and len(bounds) > 1:
        score = guessed_score(bounds, total, k)
        for _ in range(_TRIES):
            able = able_to_reach(bounds, score) if score > 0 else ""
            found = _scored(connection, _any_of(words), k, _ABLE, [able]) if able else []
            if len(found) < k:
                break
            if found[-1][1] >= score:
                return found
            score = found[-1][1]  # no more than what the chunk at this place among all is given
    return _scored(connection, _any_of(words), k, "", [])


def _any_of(words: Sequence[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)


def _scored(
    connection: Connection, match: str, k: int, condition: str, bound: Sequence[Any]
) -> list[tuple[int, float]]:
    rows = connection.execute(_SEARCH.format(filter=condition), (match, k, *bound))
    return [(int(number), float(score)) for number, score in rows]


def _count(connection: Connection, word: str) -> int:
    found = connection.execute(_COUNT, (_any_of([word]),)).fetchone()
    return int(found[0]) if found else 0


def _at_most(connection: Connection) -> int:
    """As many chunks as there are, or more: counting them would take longer."""
    found = connection.execute("SELECT max(id) FROM chunks").fetchone()
    return int(found[0] or 0) if found else 0
