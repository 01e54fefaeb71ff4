"""How well answers are found, with bootstrap intervals over the questions. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOP = 10
SAMPLES = 2000
SEED = 7
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def reciprocal_rank(found: Sequence[object], answers: Collection[object]) -> float:
    """1 by the place of the first answer among the first ten, from 1; 0 where there is none."""
    places = (place for place, one in enumerate(found[:TOP], 1) if one in answers)
    return 1 / next(places, float("inf"))


def recall(found: Sequence[object], answers: Collection[object]) -> float:
    """The share of the answers, of ten where there are more, that is among the first ten."""
    return len(set(found[:TOP]) & set(answers)) / min(len(answers), TOP)


def mean(values: Sequence[float]) -> Interval:
    """The mean over questions."""
    every = np.array(values)
    sampled = _resampled(every).mean(axis=1)
    return _interval(float(every.mean()), sampled)


def ratio(first: Sequence[float], second: Sequence[float]) -> Interval:
    """The mean of the first by that of the second, for the same questions in the same order."""
    pairs = np.array([first, second]).T
    sampled = _resampled(pairs).mean(axis=1)
    value = pairs.mean(axis=0)
    return _interval(float(value[0] / value[1]), sampled[:, 0] / sampled[:, 1])


def _resampled(values: Floats) -> Floats:
    places = np.random.default_rng(SEED).integers(0, len(values), (SAMPLES, len(values)))
    return values[places]


def _interval(value: float, sampled: Floats) -> Interval:
    low, high = np.percentile(sampled, [2.5, 97.5])
    return Interval(value, float(low), float(high))
