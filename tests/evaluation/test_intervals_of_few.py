"""Intervals where each value is of one person or file: against the formula, and on simulated people."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advmask.evaluation.estimates import Estimate, binomial_estimate, combined
from advmask.evaluation.metrics import difference_over_people, rate_over_people, resampled_mean


def unpaired_difference(first: np.ndarray, second: np.ndarray) -> Estimate:
    return combined(rate_over_people(first), rate_over_people(second))


shares = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


def test_one_file_is_one_trial() -> None:
    assert rate_over_people(np.array([0.25])) == binomial_estimate(0.25, 1)
    assert rate_over_people(np.array([0.0])).high == pytest.approx(0.975)


def test_nobody_matched_is_what_evaluate_says() -> None:
    names = [str(number) for number in range(20)]
    assert rate_over_people(np.zeros(20)).high == pytest.approx(rate_over_people(np.zeros(20), names).high)


@given(shares)
def test_a_rate_lies_in_its_interval(values: np.ndarray) -> None:
    found = rate_over_people(values)
    assert found.value == pytest.approx(values.mean())
    assert found.low is not None
    assert found.high is not None
    assert -1e-9 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= 1 + 1e-9
    assert found.high > found.low


@given(shares, shares)
def test_a_difference_turned_round_is_its_mirror(first: np.ndarray, second: np.ndarray) -> None:
    one, other = (unpaired_difference(*pair) for pair in ((first, second), (second, first)))
    assert one.low is not None
    assert one.high is not None
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-9)
    assert one.low <= one.value <= one.high
    assert one.low >= -1 - 1e-9
    assert one.high <= 1 + 1e-9


def test_a_difference_by_hand() -> None:
    found = unpaired_difference(np.array([1.0, 1, 1, 1, 0]), np.array([0.0, 1, 0, 0]))
    one, other = binomial_estimate(0.8, 5), binomial_estimate(0.25, 4)
    assert one.low is not None
    assert one.high is not None
    assert other.low is not None
    assert other.high is not None
    assert found.value == pytest.approx(0.55)
    assert found.low == pytest.approx(0.55 - math.sqrt((0.8 - one.low) ** 2 + (other.high - 0.25) ** 2))
    assert found.high == pytest.approx(0.55 + math.sqrt((one.high - 0.8) ** 2 + (0.25 - other.low) ** 2))


def test_many_people_are_resampled_in_pairs() -> None:
    draw = np.random.default_rng(0)
    first = draw.uniform(0.3, 1.0, 400)
    second = np.clip(first - 0.13 + draw.normal(0, 0.15, 400), 0, 1)
    found = difference_over_people(first, second, seed=3)
    names = [str(number) for number in range(400)]
    assert found == resampled_mean(first - second, names, seed=3)
    unpaired = unpaired_difference(first, second)
    assert found.low is not None
    assert unpaired.low is not None
    assert found.low > 0.1 > unpaired.low, "pairs are what makes it narrow"


def test_nothing_has_no_rate() -> None:
    assert math.isnan(rate_over_people(np.array([])).value)
    assert math.isnan(unpaired_difference(np.array([]), np.ones(3)).value)


@pytest.mark.parametrize(("truth", "people"), [(0.3, 2), (0.3, 3), (0.05, 12), (0.9, 8), (0.3, 20)])
def test_intervals_hold_the_truth(truth: float, people: int) -> None:
    draw = np.random.default_rng(people)
    held = 0
    for _ in range(120):
        own = draw.beta(2 * truth, 2 * (1 - truth), people)
        found = rate_over_people(draw.binomial(10, own) / 10)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert held >= 0.92 * 120
