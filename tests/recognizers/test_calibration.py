"""Thresholds against a brute-force count, and match confidence that means what it says."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from advmask.core.errors import CalibrationError
from advmask.recognizers.calibration import (
    Calibration,
    calibrate,
    stored_calibration,
    threshold_at_fmr,
)


def share_let_in(scores: np.ndarray, threshold: float) -> float:
    return sum(float(score) >= threshold for score in scores.ravel()) / scores.size


@settings(max_examples=150, deadline=None)
@given(
    scores=st.one_of(
        arrays(np.float64, st.integers(50, 150), elements=st.floats(-1, 1)),
        arrays(np.float32, st.integers(50, 150), elements=st.floats(-1, 1, width=32)),
        arrays(np.float64, st.integers(50, 150), elements=st.sampled_from([-0.5, 0.0, 0.1, 0.2, 0.9])),
    ),
    fmr=st.sampled_from([0.2, 0.25, 0.3, 0.37, 0.5, 0.9]),
)
def test_the_fmr_is_never_exceeded_and_the_threshold_is_no_higher_than_need_be(
    scores: np.ndarray, fmr: float
) -> None:
    threshold = threshold_at_fmr(scores, fmr)
    assert share_let_in(scores, threshold) <= fmr
    # Letting in the next lower impostor, with all that tie with it, would be too many.
    refused = scores[scores.astype(np.float64) < threshold]
    assert share_let_in(scores, float(refused.max())) > fmr


@pytest.mark.parametrize("count", [1000, 1001, 1099, 1100, 3456])
def test_the_exact_number_of_impostors_is_let_in(count: int) -> None:
    scores = np.random.default_rng(count).permutation(np.linspace(-1, 1, count))
    threshold = threshold_at_fmr(scores.reshape(1, -1), 0.01)
    assert (scores >= threshold).sum() == math.floor(count / 100)


def test_decimal_rates_are_meant_as_written() -> None:
    """0.29 * 100 is 28.999... in binary; 29 of 100 were meant."""
    scores = np.arange(100.0)
    for percent in range(10, 100):
        assert (scores >= threshold_at_fmr(scores, percent / 100)).sum() == percent


def test_the_threshold_lies_halfway_between_two_impostors() -> None:
    scores = np.concatenate([np.full(990, -1.0), np.full(8, 0.2), np.full(2, 0.6)])
    assert threshold_at_fmr(scores, 0.01) == pytest.approx(-0.4)
    assert threshold_at_fmr(scores, 0.0101) == pytest.approx(-0.4)


def test_ties_at_the_limit_are_all_refused() -> None:
    scores = np.concatenate([np.zeros(900), np.full(100, 0.5)])
    threshold = threshold_at_fmr(scores, 0.01)
    assert 0.5 < threshold < 0.5 + 1e-6
    assert (scores >= threshold).sum() == 0
    ahead = np.concatenate([np.zeros(900), np.full(96, 0.5), [0.7, 0.8, 0.9, 1.0]])
    threshold = threshold_at_fmr(ahead, 0.01)
    assert threshold == pytest.approx(0.6)
    assert (ahead >= threshold).sum() == 4


def test_neighbouring_floating_point_numbers_are_kept_apart() -> None:
    """Their mean rounds to one of the two, which must be the one that is let in."""
    for low in (0.1, 0.3, 1.0, -0.7, np.nextafter(1.0, 0)):
        high = np.nextafter(low, np.inf)
        scores = np.concatenate([np.full(99, low), [high]])
        assert share_let_in(scores, threshold_at_fmr(scores, 0.1)) <= 0.1
        assert share_let_in(scores, threshold_at_fmr(scores, 0.1)) == 0.01


@pytest.mark.parametrize(
    ("fmr", "count", "needed"),
    [(1e-2, 999, "1000"), (1e-3, 1000, "10000"), (0.3, 33, "34"), (1e-2, 0, "1000")],
)
def test_too_few_comparisons_are_refused_with_the_number_needed(fmr: float, count: int, needed: str) -> None:
    with pytest.raises(
        CalibrationError, match=f"FMR {fmr:g} needs at least {needed} impostor .* are {count};"
    ):
        threshold_at_fmr(np.zeros(count), fmr)
    threshold_at_fmr(np.zeros(int(needed)), fmr)


def test_undefined_similarities_are_refused() -> None:
    scores = np.linspace(-1, 0, 1000)
    scores[17] = np.nan
    with pytest.raises(CalibrationError, match="undefined"):
        threshold_at_fmr(scores, 0.01)
    with pytest.raises(CalibrationError, match="undefined"):
        calibrate(np.array([1.0, np.nan]), np.linspace(-1, 0, 1000), fmr=0.01, source="")


@pytest.mark.parametrize("count", [1, 2, 9, 10])
def test_the_median_genuine_pair_has_confidence_95_percent(count: int) -> None:
    draw = np.random.default_rng(count)
    genuine, impostor = draw.normal(0.6, 0.1, count), draw.normal(0, 0.1, 2000)
    found = calibrate(genuine, impostor, fmr=0.01, source="drawn")
    median = torch.tensor(float(np.median(genuine)), dtype=torch.float64)
    assert float(found.confidence(median)) == pytest.approx(0.95, abs=1e-9)
    at_threshold = torch.tensor(found.threshold, dtype=torch.float64)
    assert float(found.confidence(at_threshold)) == pytest.approx(0.5)
    assert (found.impostor_comparisons, found.genuine_comparisons) == (2000, count)
    assert found.fmr == 0.01
    assert found.source == "drawn"
    assert found.threshold == threshold_at_fmr(impostor, 0.01)


def test_confidence_is_a_logistic_curve_and_keeps_shape_and_gradient() -> None:
    calibration = Calibration(fmr=0.01, threshold=0.3, scale=8)
    values = torch.linspace(-1, 1, 12, dtype=torch.float64).view(3, 4).requires_grad_()
    found = calibration.confidence(values)
    expected = 1 / (1 + np.exp(-8 * (values.detach().numpy() - 0.3)))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)
    assert torch.autograd.gradcheck(calibration.confidence, values)


def test_a_network_that_does_not_separate_is_refused() -> None:
    draw = np.random.default_rng(0)
    genuine, impostor = draw.normal(0, 1, 500), draw.normal(0, 1, 5000)
    with pytest.raises(CalibrationError, match=r"below the threshold at FMR 0\.01.*Check size, channels"):
        calibrate(genuine, impostor, fmr=0.01, source="")
    with pytest.raises(CalibrationError, match="does not separate"):
        calibrate(np.zeros(5), np.zeros(1000), fmr=0.01, source="")


def test_calibration_needs_genuine_pairs() -> None:
    with pytest.raises(CalibrationError, match="one person with two photos"):
        calibrate(np.zeros(0), np.linspace(0, 1, 1000), fmr=0.01, source="")


def test_dlib_ships_with_a_calibration_that_says_where_it_is_from() -> None:
    stored = stored_calibration("dlib")
    assert stored is not None
    assert "LFW" in stored.source
    assert stored.fmr == 0.01
    assert stored.impostor_comparisons * stored.fmr >= 10
    assert stored.genuine_comparisons > 100
    # dlib's own threshold is a distance of 0.6.
    assert -0.65 < stored.threshold < -0.5
    assert stored.scale > 0
    assert stored_calibration("nobody") is None


def test_calibrations_are_written_and_read_back() -> None:
    calibration = Calibration(fmr=1e-3, threshold=-1 / 3, scale=20.125, source="two words")
    assert Calibration.build(json.loads(json.dumps(calibration.model_dump()))) == calibration
