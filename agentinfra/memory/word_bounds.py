"""Which chunks can be among the best by BM25, told by the words they hold alone. Pure.

BM25 never gives a word more than its weight times 2.2, however often it occurs. So a chunk whose words together cannot
come to the score of the hundredth best one need not be scored, and scoring, which looks up the length of each chunk, is
what takes the time. The score of the hundredth best is guessed first: whether the guess was right shows in the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

_MOST = 2.2 * 1.001
"""BM25's k1 + 1, and a little for rounding."""
_LEAST_WEIGHT = 1e-6
"""SQLite's, of words that are in more than half of all chunks."""
_STEPS = 8
"""A score of 1 in the distribution of scores."""
_GUESSED = 0.56
"""The share of the bound that chunks reach whose words occur as often as words do: right for nine questions in ten."""
_DEAREST = 10
"""An expression that reads each word so often on average costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question.

    Attributes:
        text: As it is indexed.
        chunks: How many hold it, at least one.
        most: What BM25 can give a chunk for it.
    """

    text: str
    chunks: int
    most: float


def bounded(words: Sequence[tuple[str, int]], total: int) -> list[Word]:
    """Words with what they can give, the most telling first; those that no chunk holds are left out.

    Args:
        words: Each with the number of chunks that hold it.
        total: How many chunks there are, or more: the bounds are wider then.
    """
    weights = {text: math.log((total - chunks + 0.5) / (chunks + 0.5)) for text, chunks in words if chunks}
    found = [Word(text, chunks, max(weights[text], _LEAST_WEIGHT) * _MOST) for text, chunks in words if chunks]
    return sorted(found, key=lambda word: -word.most)


def guessed_score(words: Sequence[Word], total: int, k: int) -> float:
    """About what the chunk at place ``k`` is given, as if words were independent; 0 where there are not as many."""
    chance = np.ones(1)
    for word in words:
        steps, share = round(word.most * _STEPS), min(word.chunks / total, 1.0)
        without = np.concatenate([chance, np.zeros(steps)])
        chance = without * (1 - share) + np.roll(without, steps) * share
    at_least = np.cumsum(chance[::-1])[::-1] * total
    reached = np.flatnonzero(at_least >= k)
    return float(reached[-1]) / _STEPS * _GUESSED if len(reached) else 0.0


def able_to_reach(words: Sequence[Word], score: float) -> str:
    """An expression of FTS5 for the chunks whose words can come to a score, and some more; "" where none can.

    Args:
        words: The most telling first.
        score: Above 0.
    """
    after = [*accumulate((word.most for word in reversed(words)), initial=0.0)][::-1]
    first = [at for at in range(len(words)) if after[at] >= score]
    parts = [(at, [*_partners(words, after, at, score)]) for at in first]
    read = sum(words[at].chunks + sum(other.chunks for other in others) for at, others in parts)
    if read > _DEAREST * sum(word.chunks for word in words):
        return " OR ".join(_quoted(words[at]) for at in first)
    told = [_quoted(words[at]) for at in first if words[at].most >= score]
    for at, others in parts:
        if others:
            told.append(f"({_quoted(words[at])} AND ({' OR '.join(map(_quoted, others))}))")
    return " OR ".join(told)


def _partners(words: Sequence[Word], after: Sequence[float], at: int, score: float) -> Iterator[Word]:
    """The words of which a chunk needs one beside this one, if none before it is there; none where it is enough."""
    if words[at].most < score:
        for other in range(at + 1, len(words)):
            if words[at].most + after[other] < score:
                break
            yield words[other]


def _quoted(word: Word) -> str:
    return f'"{word.text}"'
