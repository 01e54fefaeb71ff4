"""Means with 95 % intervals, for results that were sampled with several seeds over a fixed set of cases.

The cases are what they are; only the seeds are drawn. So the variance is that within the cases, pooled over them, and
the intervals are Student's t with as many degrees of freedom as there are cells beyond the first of each case. They
speak of these cases with other seeds, not of other cases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

# Two-sided 95 % points of Student's t for 1 to 30 degrees of freedom.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and how well it is known.

    Attributes:
        value: The mean of the means of the cases.
        error: Its standard error; None where no case has two cells.
        freedom: Degrees of freedom of the error.
    """

    value: float
    error: float | None
    freedom: int

    @property
    def half_width(self) -> float | None:
        """Half of the 95 % interval; None where it is not known."""
        return None if self.error is None else t_value(self.freedom) * self.error


@dataclass(frozen=True, slots=True)
class Interval:
    """A value between the ends of its 95 % interval; the ends are None where they are not known."""

    value: float
    low: float | None
    high: float | None


def estimate(groups: Sequence[Sequence[float]]) -> Estimate:
    """The mean over cases.

    Args:
        groups: For each case its values, one a seed; none is empty.
    """
    means = [fmean(group) for group in groups]
    freedom = sum(len(group) - 1 for group in groups)
    if not freedom:
        return Estimate(fmean(means), None, 0)
    squares = sum((value - mean) ** 2 for group, mean in zip(groups, means, strict=True) for value in group)
    spread = squares / freedom * sum(1 / len(group) for group in groups)
    return Estimate(fmean(means), math.sqrt(spread) / len(groups), freedom)


def difference(first: Estimate, second: Estimate) -> Interval:
    """First minus second."""
    value = first.value - second.value
    if first.error is None or second.error is None:
        return Interval(value, None, None)
    half = t_value(first.freedom + second.freedom) * math.hypot(first.error, second.error)
    return Interval(value, value - half, value + half)


def ratio(first: Estimate, second: Estimate) -> Interval | None:
    """First by second, its interval by the delta method on the logarithm; None where the second is 0."""
    if not second.value:
        return None
    value = first.value / second.value
    if first.error is None or second.error is None or not first.value:
        return Interval(value, None, None)
    spread = math.hypot(first.error / first.value, second.error / second.value)
    factor = math.exp(t_value(first.freedom + second.freedom) * spread)
    return Interval(value, value / factor, value * factor)


def t_value(freedom: int) -> float:
    """The two-sided 95 % point of Student's t; beyond 30 degrees of freedom right to three digits."""
    return _T[freedom - 1] if freedom <= len(_T) else 1.96 + 2.45 / freedom
