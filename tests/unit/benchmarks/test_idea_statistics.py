"""Means and intervals against values worked out by hand and against simulation."""

import math
import random
from statistics import fmean

import pytest
from idea_statistics import Estimate, difference, estimate, ratio, t_value


def test_the_mean_is_that_of_the_cases_whatever_the_number_of_their_seeds():
    assert estimate([[1.0, 1.0, 1.0], [0.0]]).value == 0.5


def test_the_error_is_pooled_over_the_cases():
    found = estimate([[0.2, 0.4], [0.5, 0.7]])
    # Within each case the squares sum to 0.02; 2 degrees of freedom; two cases of two.
    assert found.value == pytest.approx(0.45)
    assert found.error == pytest.approx(math.sqrt(0.04 / 2 * (1 / 2 + 1 / 2)) / 2)
    assert found.freedom == 2
    assert found.half_width == pytest.approx(4.303 * 0.0707107, rel=1e-4)


def test_a_difference_between_cases_is_no_error():
    assert estimate([[0.0, 0.0], [1.0, 1.0]]).error == 0


def test_one_seed_says_nothing_of_the_error():
    found = estimate([[0.3], [0.5]])
    assert (found.error, found.half_width) == (None, None)
    assert difference(found, found).low is None
    assert ratio(found, found).low is None


def test_the_interval_holds_the_truth_in_95_of_100_cases():
    draw = random.Random(1)
    truths = [0.2, 0.5, 0.7]
    hits = 0
    for _ in range(2000):
        found = estimate([[draw.gauss(truth, 0.1) for _ in range(3)] for truth in truths])
        hits += abs(found.value - fmean(truths)) <= found.half_width
    assert 0.935 < hits / 2000 < 0.965


def test_a_difference_and_its_interval():
    found = difference(Estimate(0.6, 0.03, 5), Estimate(0.4, 0.04, 5))
    assert found.value == pytest.approx(0.2)
    assert found.high - found.value == pytest.approx(found.value - found.low) == pytest.approx(2.228 * 0.05)


def test_a_ratio_and_its_interval():
    found = ratio(Estimate(0.6, 0.06, 5), Estimate(0.3, 0.0, 5))
    assert found.value == pytest.approx(2.0)
    assert found.low == pytest.approx(2 * math.exp(-0.2228))
    assert found.high == pytest.approx(2 * math.exp(0.2228))


@pytest.mark.parametrize(("own", "base", "value"), [(0.5, 0.0, None), (0.0, 0.5, 0.0)])
def test_a_ratio_with_nothing_on_one_side(own, base, value):
    found = ratio(Estimate(own, 0.1, 4), Estimate(base, 0.1, 4))
    assert (found.value, found.low) == (value, None) if value is not None else found is None


@pytest.mark.parametrize(("freedom", "value"), [(1, 12.706), (30, 2.042), (40, 2.021), (60, 2.000), (120, 1.980)])
def test_t_values_are_those_of_the_tables(freedom, value):
    assert t_value(freedom) == pytest.approx(value, abs=1e-3)
