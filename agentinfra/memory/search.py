"""Finds what a question is about in the index: by words, by meaning and by name, in one list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from agentinfra.core.errors import ModelError
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.chunk import ChunkKind
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.exact import exact_ids
from agentinfra.memory.ranking import (
    EXACT,
    NAME,
    SIGNATURE,
    Candidate,
    Weights,
    give_cosines,
    give_exact,
    give_words,
    ranked,
    signature,
)
from agentinfra.memory.reranking import Reranker
from agentinfra.memory.search_store import Floats, SearchStore, StoreDoor

TEXT_TOP, VECTOR_TOP, RERANKED = 100, 50, 50
"""Candidates that words bring, that vectors bring, and that are looked at a second time."""
BUDGET_SECONDS = 1.0
_DEFAULT = Weights()


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found.

    Attributes:
        path: Its file.
        start: Its first line, from 1.
        end: Its last line, included.
        symbol: What it defines; "" for nothing.
        kind: What it is.
        text: Its lines.
        score: Higher is better; means nothing across questions.
        why: What each part of the search gave; the score is their sum.
    """

    path: str
    start: int
    end: int
    symbol: str
    kind: ChunkKind
    text: str
    score: float
    why: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, with its bounds."""

    text: str
    k: int
    paths: str | None
    kinds: Collection[str] | None

    def allows(self, candidate: Candidate) -> bool:
        fits = self.paths is None or fnmatchcase(candidate.path, self.paths)
        return fits and (self.kinds is None or candidate.chunk.kind in self.kinds)


class HybridSearch:
    """Searches an index by words, and by meaning as far as there are embedders.

    Args:
        store: The index.
        embedder: Whose vectors the index holds; None to search by words alone.
        reranker: A better and slower one, which looks at the best candidates a second time.
        weights: What counts how much.
    """

    def __init__(
        self,
        store: StoreDoor,
        embedder: Embedder | None = None,
        reranker: Embedder | None = None,
        *,
        weights: Weights = _DEFAULT,
    ) -> None:
        self.trouble = ""
        """Why an embedder took no part in the last search; "" where all did."""
        self._store = store
        self._embedder = embedder
        self._names = StaticEmbedder() if embedder is not None else None
        self._reranker = Reranker(store, reranker) if reranker is not None else None
        self._weights = weights

    async def search(
        self,
        query: str,
        k: int = 10,
        *,
        paths: str | None = None,
        kinds: Collection[str] | None = None,
        budget_seconds: float = BUDGET_SECONDS,
    ) -> list[Hit]:
        """The chunks that fit best, best first.

        Args:
            query: A question in words, a piece of code, or the name of a symbol or file; nothing in it is syntax.
            k: How many at most.
            paths: A pattern such as ``src/*.py`` for the files that count; ``*`` stands for folders, too.
            kinds: The kinds of chunks that count; None for all.
            budget_seconds: What the reranker may take. Whatever it has not looked at by then keeps its place.

        Raises:
            StoreError: The index cannot be read. Embedders that fail are done without; see ``trouble``.
        """
        self.trouble = ""
        question = _Question(query.strip(), k, paths, kinds)
        if not question.text or k < 1:
            return []
        vector = await self._vector(question.text)
        found = await self._store.run(lambda store: self._find(store, question, vector))
        if self._reranker is not None:
            await self._rerank(self._reranker, question.text, ranked(found)[:RERANKED], budget_seconds)
        return [_hit(candidate) for candidate in ranked(found)[:k]]

    async def _vector(self, query: str) -> Floats | None:
        if self._embedder is None:
            return None
        try:
            return (await self._embedder.embed([query], query=True))[0]
        except ModelError as error:
            self.trouble = str(error)
            return None

    def _find(self, store: SearchStore, question: _Question, vector: Floats | None) -> list[Candidate]:
        words = store.search_text(question.text, max(TEXT_TOP, question.k), paths=question.paths, kinds=question.kinds)
        near = self._near(store, question, vector)
        exact = exact_ids(store, question.text)
        stored = store.chunks([*dict.fromkeys([*(number for number, _ in words), *near, *exact])])
        found = {number: Candidate(number, one.path, one.chunk, one.hash) for number, one in stored.items()}
        found = {number: candidate for number, candidate in found.items() if question.allows(candidate)}
        give_words(found, words)
        if self._embedder is not None and vector is not None:
            _give_meaning(store, self._embedder.name, found, near, vector, self._weights.body)
        self._give_names(found.values(), question.text)
        give_exact(found, exact)
        return list(found.values())

    def _near(self, store: SearchStore, question: _Question, vector: Floats | None) -> dict[int, float]:
        if self._embedder is None or vector is None:
            return {}
        k = max(VECTOR_TOP, question.k)
        return dict(store.search_vector(self._embedder.name, vector, k, paths=question.paths, kinds=question.kinds))

    def _give_names(self, candidates: Collection[Candidate], query: str) -> None:
        named = [one for one in candidates if one.chunk.symbol]
        if self._names is None or not named:
            return
        texts = [*(one.chunk.symbol for one in named), *(signature(one.chunk) for one in named)]
        vectors = self._names.embed_now([query, *texts])
        cosines = (vectors[1:] @ vectors[0]).tolist()
        keys = [one.hash for one in named]
        weights = self._weights
        give_cosines(candidates, NAME, weights.name, dict(zip(keys, cosines[: len(keys)], strict=True)))
        give_cosines(candidates, SIGNATURE, weights.signature, dict(zip(keys, cosines[len(keys) :], strict=True)))

    async def _rerank(self, reranker: Reranker, query: str, best: list[Candidate], seconds: float) -> None:
        best = [one for one in best if EXACT not in one.shares]
        try:
            cosines = await reranker.cosines(query, [one.chunk for one in best], seconds)
        except ModelError as error:
            self.trouble = str(error)
            return
        give_cosines(best, reranker.name, self._weights.rerank, cosines)


def _give_meaning(
    store: SearchStore,
    model: str,
    candidates: Mapping[int, Candidate],
    near: Mapping[int, float],
    vector: Floats,
    weight: float,
) -> None:
    cosines = {candidates[number].hash: cosine for number, cosine in near.items() if number in candidates}
    others = [one.hash for number, one in candidates.items() if number not in near]
    cosines |= {key: float(other @ vector) for key, other in store.vectors(model, others).items()}
    give_cosines(candidates.values(), model, weight, cosines)


def _hit(candidate: Candidate) -> Hit:
    chunk = candidate.chunk
    return Hit(
        candidate.path,
        chunk.start,
        chunk.end,
        chunk.symbol,
        chunk.kind,
        chunk.text,
        candidate.score,
        dict(candidate.shares),
    )
