"""How what was found by words and what was found by meaning become one list. Pure.

A score is a sum of shares: the BM25 score divided by the best one of the query, and weighed cosines of the query with
a chunk's text, with its name, with its signature, and with its text once more by a better embedder. The weights are
those that ``benchmarks/retrieval.py`` finds best.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from agentinfra.memory.chunk import Chunk

WORDS, NAME, SIGNATURE, EXACT = "words", "name", "signature", "definition"
"""Shares; those of a text's cosines are called after the embedder."""
EXACT_SHARE = 100.0
"""More than all other shares together: what is asked for by its name comes first."""
_LONGEST_SIGNATURE = 200
_STEP = 8.0
"""Also more than all other shares together."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What a cosine of 1 counts beside the best BM25 score of a query, which counts 1.

    Attributes:
        body: The cosine with a chunk's text.
        name: The cosine with the words of its name.
        signature: The cosine with the words of its signature.
        rerank: The cosine of the reranker.
    """

    body: float = 1.0
    name: float = 0.75
    signature: float = 0.75
    rerank: float = 2.0


@dataclass(slots=True)
class Candidate:
    """A chunk that may be what was asked for.

    Attributes:
        id: The store's number of it.
        path: Its file.
        chunk: What stands there.
        hash: The chunk's.
        shares: What each part of the search gives it.
    """

    id: int
    path: str
    chunk: Chunk
    hash: str
    shares: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def score(self) -> float:
        """The sum of its shares."""
        return sum(self.shares.values())


def signature(chunk: Chunk) -> str:
    """What stands before the body of a definition: its head, and comments above it."""
    return chunk.text.lstrip()[:_LONGEST_SIGNATURE].split("{", 1)[0].split(":\n", 1)[0]


def give_words(candidates: Mapping[int, Candidate], found: Sequence[tuple[int, float]]) -> None:
    """Give each candidate its part of the best BM25 score.

    Args:
        candidates: By id.
        found: Ids with scores, the best first.
    """
    for number, score in found:
        if number in candidates:
            candidates[number].shares[WORDS] = score / found[0][1]


def give_cosines(candidates: Iterable[Candidate], share: str, weight: float, cosines: Mapping[str, float]) -> None:
    """Give each candidate its weighed cosine; who has none is taken for the average of the others.

    Args:
        candidates: Who gets it.
        share: What it is called.
        weight: What a cosine of 1 counts.
        cosines: By the hash of a chunk.
    """
    if cosines:
        average = fmean(cosines.values())
        for candidate in candidates:
            candidate.shares[share] = weight * cosines.get(candidate.hash, average)


def give_exact(candidates: Mapping[int, Candidate], ids: Sequence[int]) -> None:
    """Put candidates before all others, in this order."""
    for place, number in enumerate(ids):
        if number in candidates:
            candidates[number].shares[EXACT] = EXACT_SHARE - place * _STEP


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The best first; the same order for the same shares, whatever the store's numbers are."""
    return sorted(candidates, key=lambda one: (-one.score, one.path, one.chunk.start, one.chunk.end, one.id))
