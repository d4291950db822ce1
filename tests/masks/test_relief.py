"""Relief: slopes are those of the height, written here once more; light multiplies."""

import itertools

import numpy as np
import pytest

from advmask.masks.relief import Ridge, relief


def height_at(points: np.ndarray, ridge: Ridge) -> np.ndarray:
    """Height of one ridge: Gaussian in the distance from the line, eased in over `fade_mm` from both ends."""
    line = ridge.points_mm
    lengths = [float(np.hypot(*(b - a))) for a, b in itertools.pairwise(line)]
    out = []
    for point in points:
        best, along, before = np.inf, 0.0, 0.0
        for (a, b), length in zip(itertools.pairwise(line), lengths, strict=True):
            t = min(1.0, max(0.0, float((point - a) @ (b - a)) / length**2))
            distance = float(np.hypot(*(point - a - t * (b - a))))
            if distance < best:
                best, along = distance, before + t * length
            before += length
        rise = 1.0
        if ridge.fade_mm:
            x = min(1.0, min(along, sum(lengths) - along) / ridge.fade_mm)
            rise = x * x * (3 - 2 * x)
        out.append(ridge.height_mm * rise * np.exp(-(best**2) / (2 * ridge.width_mm**2)))
    return np.array(out)


def finite_differences(points: np.ndarray, ridge: Ridge, *, step: float = 1e-5) -> np.ndarray:
    slopes = []
    for axis in np.eye(2):
        up, down = (height_at(points + sign * step * axis, ridge) for sign in (1, -1))
        slopes.append((up - down) / (2 * step))
    return np.stack(slopes, axis=1)


LINES = {
    "straight": np.array([[10.0, 12.0], [50.0, 30.0]]),
    "bent": np.array([[10.0, 10.0], [30.0, 14.0], [45.0, 30.0], [60.0, 34.0]]),
}


@pytest.mark.parametrize("line", sorted(LINES))
@pytest.mark.parametrize(("height", "width"), [(1.5, 3.0), (-0.4, 0.8)])
def test_slope_is_that_of_the_height(line, height, width):
    ridge = Ridge(LINES[line], height, width)
    points = np.random.default_rng(0).uniform([5, 5], [65, 40], size=(400, 2))
    slope, light = relief(points, [ridge])
    expected = finite_differences(points, ridge)
    # Where two pieces of a bent line are equally near, the height has a kink.
    agree = np.abs(slope - expected).max(axis=1) < 1e-3 * abs(height)
    assert agree.mean() > 0.98
    assert np.abs(expected).max() > 0.1
    assert (light == 1).all()


def test_a_fold_fades_slowly_enough_for_its_slope_to_be_taken_across_only():
    ridge = Ridge(LINES["straight"], 1.2, 3.0, fade_mm=17.0)
    points = np.random.default_rng(0).uniform([5, 5], [55, 35], size=(300, 2))
    slope, _ = relief(points, [ridge])
    expected = finite_differences(points, ridge)
    along = np.array([40.0, 18.0]) / np.hypot(40, 18)
    across = np.array([-along[1], along[0]])
    beside = ((points - LINES["straight"][0]) @ along > 0) & ((points - LINES["straight"][1]) @ along < 0)
    np.testing.assert_allclose((slope @ across)[beside], (expected @ across)[beside], atol=1e-4)
    # The rise along the line is left out: it is small.
    assert np.abs((expected - slope)[beside] @ along).max() < 1.2 * 1.5 / 17 + 1e-3


def test_nothing_happens_far_from_the_line():
    points = np.array([[200.0, 200.0], [10.0, 60.0]])
    slope, light = relief(points, [Ridge(LINES["bent"], 2.0, 3.0, shadow=0.5)])
    assert (slope == 0).all()
    assert (light == 1).all()


def test_slopes_add_up_and_light_multiplies():
    ridges = [
        Ridge(LINES["straight"], 1.0, 3.0, shadow=0.3),
        Ridge(LINES["bent"], -0.5, 2.0, shadow=0.2, below_only=True),
        Ridge(LINES["bent"] + 3.0, 0.3, 4.0, fade_mm=9.0),
    ]
    points = np.random.default_rng(1).uniform([5, 5], [65, 40], size=(300, 2))
    slope, light = relief(points, ridges)
    parts = [relief(points, [ridge]) for ridge in ridges]
    np.testing.assert_allclose(slope, sum(part[0] for part in parts), atol=1e-12)
    np.testing.assert_allclose(light, np.prod([part[1] for part in parts], axis=0), atol=1e-12)
    assert (light > 0).all()
    assert light.min() < 0.75


def test_the_shadow_of_a_pleat_falls_below_its_edge_only():
    edge = Ridge(np.array([[0.0, 20.0], [60.0, 20.0]]), 0.0, 3.0, shadow=0.45, below_only=True)
    points = np.stack([np.full(200, 30.0), np.linspace(10.0, 30.0, 200)], axis=1)
    slope, light = relief(points, [edge])
    assert (slope == 0).all()
    assert (light[points[:, 1] < 20] == 1).all()
    below = points[:, 1] > 20
    expected = 1 - 0.45 * np.exp(-((points[below, 1] - 20) ** 2) / 18)
    near = points[below, 1] < 30
    np.testing.assert_allclose(light[below][near], expected[near], atol=1e-12)
    on_edge = relief(np.array([[30.0, 20.0]]), [edge])[1]
    assert on_edge[0] == pytest.approx(0.55)


def test_no_ridges_and_no_points():
    slope, light = relief(np.zeros((3, 2)), [])
    assert (slope == 0).all()
    assert (light == 1).all()
    assert relief(np.zeros((0, 2)), [Ridge(LINES["bent"], 1.0)])[0].shape == (0, 2)


@pytest.mark.parametrize("points", [[[3.0, 4.0], [3.0, 4.0]], [[3.0, 4.0], [3.0, 4.0], [9.0, 4.0]]])
def test_repeated_points_of_a_line_do_no_harm(points):
    slope, light = relief(np.array([[3.5, 4.5], [3.0, 4.0]]), [Ridge(np.array(points), 1.0, 2.0, shadow=0.5)])
    assert np.isfinite(slope).all()
    assert np.isfinite(light).all()


def test_a_graded_ridge_lies_on_the_graded_pattern_with_the_same_profile():
    ridge = Ridge(LINES["bent"], 1.0, 2.0, shadow=0.2, fade_mm=5.0)
    larger = ridge.graded(1.5)
    np.testing.assert_array_equal(larger.points_mm, 1.5 * ridge.points_mm)
    assert (larger.height_mm, larger.width_mm, larger.shadow) == (1.0, 2.0, 0.2)
