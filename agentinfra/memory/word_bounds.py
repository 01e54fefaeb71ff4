"""Which chunks are worth scoring by BM25, told by the words they hold alone. Pure.

Scoring looks up where each word stands in a chunk and how long the chunk is, and that is what takes the time. Which
words it holds is known before: the more they tell together, the higher the score can be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
_LEAST_WEIGHT = 1e-6
"""SQLite's, of words that are in more than half of all chunks."""


def weight(chunks: int, total: int) -> float:
    """What a word tells, as BM25 has it: the fewer chunks hold it, the more.

    Args:
        chunks: How many hold it.
        total: How many there are, or a few more.
    """
    return max(math.log((total - chunks + 0.5) / (chunks + 0.5)), _LEAST_WEIGHT)


def tells(chunks: int, total: int) -> bool:
    """Whether BM25 gives a word any weight: not where more than half of all chunks hold it."""
    return weight(chunks, total) > _LEAST_WEIGHT


def promising(holders: Sequence[Ids], total: int, wanted: int) -> Ids | None:
    """The chunks whose words tell most, those that tell as much as the last of them included.

    Args:
        holders: For each word the ids of the chunks that hold it, at most ``total``.
        total: How many chunks there are, or a few more.
        wanted: How many are worth scoring.

    Returns:
        Ids in rising order; None where no more than ``wanted`` hold any of the words.
    """
    told = np.zeros(total + 1, np.float32)
    for ids in holders:
        told[ids] += weight(len(ids), total)
    some = told[told > 0]
    if len(some) <= wanted:
        return None
    least = np.partition(some, len(some) - wanted)[len(some) - wanted]
    return np.flatnonzero(told >= least).astype(np.int32)
