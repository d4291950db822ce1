"""ROC, DET and equal error rate against counting every pair, ties and empty classes among them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid

from advmask.evaluation.curves import rates_at, roc, thinned

# Few different values, so that scores tie within and between the classes.
SCORES = st.lists(st.integers(-3, 3).map(lambda value: value / 2), min_size=1, max_size=30)


@given(genuine=SCORES, impostor=SCORES)
def test_every_point_of_the_curve_is_a_count(genuine: list[float], impostor: list[float]):
    fmr, tar = roc(np.array(genuine), np.array(impostor))
    expected = {(0.0, 0.0)}
    for threshold in {*genuine, *impostor}:
        let_in = sum(value >= threshold for value in impostor) / len(impostor)
        matched = sum(value >= threshold for value in genuine) / len(genuine)
        expected.add((let_in, matched))
    assert {(round(a, 9), round(b, 9)) for a, b in zip(fmr, tar, strict=True)} == {
        (round(a, 9), round(b, 9)) for a, b in expected
    }
    assert (np.diff(fmr) >= 0).all()
    assert (np.diff(tar) >= 0).all()


@given(genuine=SCORES, impostor=SCORES)
def test_the_area_is_the_share_of_pairs_in_order(genuine: list[float], impostor: list[float]):
    """Mann and Whitney: a tie counts one half."""
    fmr, tar = roc(np.array(genuine), np.array(impostor))
    wins = [(g > i) + 0.5 * (g == i) for g in genuine for i in impostor]
    assert trapezoid(tar, fmr) == pytest.approx(sum(wins) / len(wins))


def test_empty_classes_have_no_rate():
    assert np.isnan(rates_at(np.array([]), np.array([0.0]))).all()


def test_a_thinned_curve_keeps_its_ends_and_lies_on_it():
    draws = np.random.default_rng(0)
    fmr, tar = roc(draws.normal(1, 1, 5000), draws.normal(0, 1, 20_000))
    few, of_them = thinned(fmr, tar, points=100)
    assert len(few) <= 110
    assert (few[-1], of_them[-1]) == (1.0, 1.0)
    assert set(zip(few, of_them, strict=True)) <= set(zip(fmr, tar, strict=True))
