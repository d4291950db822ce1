"""Rates and intervals against counting by hand."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advmask.evaluation.metrics import (
    Estimate,
    accepted,
    mean_over_people,
    outer_share,
    rate_over_people,
)

PROBES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.floats(-5, 5, allow_subnormal=False)), min_size=1, max_size=25
)


def student_of(freedom: int) -> float:
    """Student's 97.5 % points, from a printed table."""
    return {1: 12.706, 2: 4.3027, 3: 3.1824}[freedom]


@given(values=st.lists(st.floats(-2, 2), max_size=30), threshold=st.floats(-2, 2))
def test_accepted_counts_what_reaches_the_threshold(values: list[float], threshold: float):
    found = accepted(np.array(values, dtype=np.float64), threshold)
    assert found.tolist() == [1.0 if value >= threshold else 0.0 for value in values]


def test_the_threshold_itself_is_accepted():
    assert accepted(np.array([0.3, np.nextafter(0.3, 0)]), 0.3).tolist() == [1.0, 0.0]


@given(probes=PROBES, seed=st.integers(0, 1000))
def test_the_mean_is_over_probes_and_the_interval_over_people(probes: list[tuple[str, float]], seed: int):
    people, values = [name for name, _ in probes], np.array([value for _, value in probes])
    found = mean_over_people(values, people, seed=seed, resamples=40)
    assert found.value == pytest.approx(sum(values) / len(values), abs=1e-12)
    names = sorted(set(people))
    if len(names) == 1:
        assert found == Estimate(found.value, None, None)
        return
    # The same resampling, person by person and probe by probe.
    chosen = np.random.default_rng(seed).integers(len(names), size=(40, len(names)))
    means = []
    for row in chosen:
        brought = [v for pick in row for name, v in zip(people, values, strict=True) if name == names[pick]]
        means.append(sum(brought) / len(brought))
    half = NormalDist().cdf(-math.sqrt(len(names) / (len(names) - 1)) * student_of(len(names) - 1))
    assert found.low == pytest.approx(np.quantile(means, half), abs=1e-4)
    assert found.high == pytest.approx(np.quantile(means, 1 - half), abs=1e-4)


def test_one_person_gives_no_interval_and_nobody_gives_nothing():
    assert mean_over_people(np.array([0.0, 1.0]), ["a", "a"]) == Estimate(0.5, None, None)
    nothing = mean_over_people(np.array([]), [])
    assert math.isnan(nothing.value)
    assert nothing.low is None
    assert nothing.high is None


def test_the_interval_is_as_wide_as_the_spread_between_people():
    """Many people with one value each: the bootstrap agrees with mean plus or minus 1.96 standard errors."""
    draws = np.random.default_rng(0)
    of_person = draws.normal(0.4, 0.2, 150)
    people = [f"{i:03}" for i in range(150) for _ in range(8)]
    found = mean_over_people(np.repeat(of_person, 8), people)
    assert found.low is not None
    assert found.high is not None
    half = NormalDist().inv_cdf(0.975) * of_person.std() / math.sqrt(150)
    assert found.high - found.value == pytest.approx(half, rel=0.15)
    assert found.value - found.low == pytest.approx(half, rel=0.15)


def test_more_probes_of_the_same_people_do_not_narrow_the_interval():
    values = np.array([0.1, 0.5, 0.6, 0.9])
    people = ["a", "b", "c", "d"]
    once = mean_over_people(values, people, seed=3)
    often = mean_over_people(np.tile(values, 50), people * 50, seed=3)
    assert once.low == pytest.approx(often.low)
    assert once.high == pytest.approx(often.high)


def test_the_true_mean_lies_in_most_intervals():
    draws = np.random.default_rng(1)
    people = [str(i) for i in range(40) for _ in range(3)]
    covered = 0
    for _ in range(200):
        values = np.repeat(draws.random(40), 3)
        found = mean_over_people(values, people, resamples=300)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.5 <= found.high
    assert 0.88 * 200 <= covered <= 0.99 * 200


def test_the_seed_decides():
    values, people = np.arange(26) ** 2 / 676, list("abcdefghijklmnopqrstuvwxyz")
    assert mean_over_people(values, people, seed=1) == mean_over_people(values, people, seed=1)
    assert mean_over_people(values, people, seed=1) != mean_over_people(values, people, seed=2)


def test_quantiles_move_outwards_for_few_people_and_back_for_many():
    assert outer_share(2) < outer_share(8) < outer_share(20) < outer_share(1000) < 0.025
    assert outer_share(10**6) == pytest.approx(0.025, abs=1e-6)
    # 20 people: sqrt(20/19) times Student's 2.093.
    assert outer_share(20) == pytest.approx(NormalDist().cdf(-math.sqrt(20 / 19) * 2.0930), abs=1e-5)


@pytest.mark.parametrize("people", [1, 2, 20, 200])
def test_a_rate_of_zero_is_not_certain(people: int):
    names = [str(i) for i in range(people) for _ in range(3)]
    none, every = (rate_over_people(np.full(len(names), value), names) for value in (0.0, 1.0))
    if people == 1:
        assert (none.low, none.high) == (None, None)
        return
    assert none.value == none.low == 0.0
    assert none.high is not None
    assert (1 - none.high) ** people == pytest.approx(0.025)  # that nobody of so many is matched
    assert every.low == pytest.approx(1 - none.high)
    assert every.high == 1.0


@pytest.mark.parametrize(("people", "spread"), [(20, "even"), (50, "even"), (200, "even"), (20, "low")])
def test_the_interval_covers_the_truth_as_often_as_it_says(people: int, spread: str):
    """Simulated people, each with a rate of their own: 93 to 97 % of intervals hold the true mean."""
    draws = np.random.default_rng(people)
    names = [str(i) for i in range(people) for _ in range(4)]
    first, second = {"even": (2.0, 2.0), "low": (0.5, 2.0)}[spread]
    covered = 0
    for turn in range(600):
        rates = draws.beta(first, second, people)
        values = (draws.random((people, 4)) < rates[:, None]).ravel().astype(np.float64)
        found = mean_over_people(values, names, seed=turn, resamples=800)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= first / (first + second) <= found.high
    assert 0.93 <= covered / 600 <= 0.975


def test_many_people_are_resampled_in_pieces():
    values = np.random.default_rng(0).random(100_000)
    people = [str(i // 5) for i in range(100_000)]
    found = mean_over_people(values, people, resamples=300)
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * math.sqrt(1 / 12 / 100_000), rel=0.2)
