"""The test over people against scipy's permutation test, and Holm's correction against its definition."""

import math

import numpy as np
import pytest
from scipy.stats import permutation_test

from advmask.evaluation.sign_flips import holm, sign_flip_p


def by_scipy(differences: np.ndarray, people: list[str], resamples: float = np.inf) -> float:
    """Sums over each person's probes, which change sides together."""
    totals = np.array([differences[np.array(people) == name].sum() for name in sorted(set(people))])
    found = permutation_test(
        (totals, np.zeros(len(totals))),
        lambda first, second, axis: np.sum(first - second, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        random_state=0,
    )
    return float(found.pvalue)


@pytest.mark.parametrize("seed", range(6))
def test_all_flips_agree_with_scipy(seed: int) -> None:
    draws = np.random.default_rng(seed)
    people = [f"p{i}" for i in draws.integers(9, size=40)]
    differences = draws.integers(-1, 2, size=40) + 0.3 * (seed % 3)
    assert sign_flip_p(differences, people) == pytest.approx(by_scipy(differences, people), abs=1e-12)


def test_drawn_flips_agree_with_scipy() -> None:
    draws = np.random.default_rng(3)
    people = [f"{i:02}" for i in range(30) for _ in range(3)]
    differences = draws.normal(0.25, 1.0, size=90)
    drawn = sign_flip_p(differences, people, seed=1)
    assert 0.005 < drawn < 0.3
    assert drawn == pytest.approx(by_scipy(differences, people, 50_000), abs=0.006)


def test_people_count_and_not_their_photos() -> None:
    """Three people who agree: p is 2 of 8, however many photos they have."""
    for photos in (1, 50):
        assert sign_flip_p(np.ones(3 * photos), [*"abc"] * photos) == 2 / 8


def test_where_nothing_differs_p_is_one_and_more_so_with_nobody() -> None:
    assert sign_flip_p(np.zeros(10), [*"abcdefghij"]) == 1.0
    assert math.isnan(sign_flip_p(np.zeros(0), []))


def test_people_who_do_not_differ_change_nothing() -> None:
    few = sign_flip_p(np.array([1.0, 2.0, -0.5]), [*"abc"])
    many = np.concatenate([[1.0, 2.0, -0.5], np.zeros(200)])
    assert sign_flip_p(many, [*"abc", *map(str, range(200))]) == few


def test_ps_of_equal_designs_are_as_rare_as_they_say() -> None:
    draws = np.random.default_rng(0)
    people = [f"{i}" for i in range(10) for _ in range(4)]
    found = np.array(
        [sign_flip_p(np.repeat(draws.normal(size=10), 4) + draws.normal(size=40), people) for _ in range(300)]
    )
    assert np.mean(found <= 0.05) < 0.09
    assert 0.4 < found.mean() < 0.6


@pytest.mark.parametrize("seed", range(4))
def test_holm_refuses_what_stepping_down_refuses(seed: int) -> None:
    values = np.random.default_rng(seed).random(7) ** 3
    adjusted = holm(values.tolist())
    for level in (0.01, 0.05, 0.2, 0.6):
        refused, order = set(), np.argsort(values)
        for step, place in enumerate(order):
            if values[place] > level / (len(values) - step):
                break
            refused.add(int(place))
        assert {place for place, p in enumerate(adjusted) if p <= level} == refused


def test_holm_passes_over_what_is_no_test() -> None:
    first, second, third = holm([0.01, math.nan, 0.04])
    assert (first, third) == (0.02, 0.04)
    assert math.isnan(second)
    assert holm([0.6, 0.7]) == [1.0, 1.0]
