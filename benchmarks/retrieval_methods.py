"""Ranks the answers of an evaluation by each method: the product's own search, whose shares are weighed anew here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from agentinfra.core.interfaces import Embedder
from agentinfra.memory.chunk import Chunk, ParsedFile
from agentinfra.memory.ranking import NAME, SIGNATURE, WORDS, Weights
from agentinfra.memory.search import HybridSearch
from benchmarks.retrieval_corpus import Evaluation
from benchmarks.retrieval_index import evaluation_index
from benchmarks.retrieval_statistics import reciprocal_rank

_EQUAL = Weights(body=1.0, name=1.0, signature=1.0, rerank=1.0)
_CANDIDATES = 150
_NO_LIMIT = 1e6
BODY, NAMES, SIGNATURES, RERANK = (0.5, 1.0, 1.5), (0.5, 0.75, 1.0, 1.5), (0.5, 0.75, 1.0), (1.0, 2.0, 3.0)
Floats = NDArray[np.float32]
Shares = Mapping[str, float]
Ranking = list[int]
"""Places in the corpus, the best first."""


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates of each question with their shares, all weights 1.

    Attributes:
        evaluation: Whose questions.
        candidates: For each question: place in the corpus, and shares.
        embedder: Name of the first embedder's share.
        reranker: Name of the second one's; "" for none.
    """

    evaluation: Evaluation
    candidates: list[list[tuple[int, Shares]]]
    embedder: str
    reranker: str

    def words(self) -> list[Ranking]:
        """By words alone."""
        return [_ordered([(place, one[WORDS]) for place, one in each if WORDS in one]) for each in self.candidates]

    def weighed(self, weights: Weights, *, reranked: bool) -> list[Ranking]:
        """By all shares, with or without the reranker's."""
        return [
            _ordered([(place, self._score(shares, weights, reranked)) for place, shares in each])
            for each in self.candidates
        ]

    def _score(self, shares: Shares, weights: Weights, reranked: bool) -> float:
        score = shares.get(WORDS, 0.0) + weights.body * shares[self.embedder]
        score += weights.name * shares[NAME] + weights.signature * shares[SIGNATURE]
        return score + weights.rerank * shares[self.reranker] if reranked and self.reranker in shares else score

    def ranks(self, rankings: Sequence[Ranking]) -> list[float]:
        """The reciprocal rank of each question's answer."""
        pairs = zip(rankings, self.evaluation.questions, strict=True)
        return [reciprocal_rank(ranking, question.answers) for ranking, question in pairs]


def _ordered(scores: list[tuple[int, float]]) -> Ranking:
    return [place for place, _ in sorted(scores, key=lambda one: (-one[1], one[0]))]


def chunks_of(evaluation: Evaluation) -> list[Chunk]:
    """A chunk for each function, whose line says its place."""
    return [Chunk(place, place, "function", one.symbol, one.text) for place, one in enumerate(evaluation.functions, 1)]


async def find(
    evaluation: Evaluation, embedder: Embedder, reranker: Embedder | None, vectors: Mapping[str, Floats]
) -> Found:
    """Ask the product's search every question.

    Args:
        evaluation: The corpus and its questions.
        embedder: The first one.
        reranker: The second one, or None.
        vectors: Of every function, by the embedder's name.
    """
    chunks = chunks_of(evaluation)
    of_file: dict[str, list[Chunk]] = defaultdict(list)
    for function, chunk in zip(evaluation.functions, chunks, strict=True):
        of_file[function.path].append(chunk)
    candidates: list[list[tuple[int, Shares]]] = []
    with evaluation_index() as index:
        index.show({path: ParsedFile("", tuple(each)) for path, each in of_file.items()})
        for model, rows in vectors.items():
            index.keep(model, chunks, lambda _, rows=rows: rows)
        search = HybridSearch(index, embedder, reranker, weights=_EQUAL)
        for question in evaluation.questions:
            hits = await search.search(question.text, _CANDIDATES, budget_seconds=_NO_LIMIT)
            candidates.append([(hit.start - 1, hit.why) for hit in hits])
    return Found(evaluation, candidates, embedder.name, reranker.name if reranker else "")


def choose(every: Sequence[Found]) -> Weights:
    """The weights that are best on the first half of each evaluation's questions, on average over these."""
    chosen = max(
        (Weights(*three) for three in product(BODY, NAMES, SIGNATURES)),
        key=lambda weights: gain(every, weights, reranked=False),
    )
    if not all(one.reranker for one in every):
        return chosen
    return max(
        (replace(chosen, rerank=rerank) for rerank in RERANK),
        key=lambda weights: gain(every, weights, reranked=True),
    )


def gain(every: Sequence[Found], weights: Weights, *, reranked: bool) -> float:
    """MRR@10 by that of words alone, on the first halves, on average."""
    ratios: list[float] = []
    for one in every:
        half = len(one.evaluation.questions) // 2
        with_weights = one.ranks(one.weighed(weights, reranked=reranked))[:half]
        ratios.append(sum(with_weights) / sum(one.ranks(one.words())[:half]))
    return sum(ratios) / len(ratios)
