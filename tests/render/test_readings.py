"""Where a sub-pixel is read: as often as the longest step on the cloth needs, and evenly about its middle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advmask.render.readings import readings


@pytest.mark.parametrize(
    ("right", "down", "count"),
    [
        ((0.5, 0.0), (0.0, 0.4), 1),
        ((1.2, 0.0), (0.0, 0.2), 2),  # the area alone would be read once
        ((0.6, 0.6), (0.6, 0.6), 2),
        ((2.5, 0.0), (0.0, 0.3), 2),
        ((2.5, 0.0), (0.0, 2.5), 4),
        ((40.0, 0.0), (0.0, 0.1), 4),
    ],
)
def test_the_longest_step_decides(right, down, count):
    found = readings(np.array([[right, down]]))
    assert found.count.tolist() == [count]
    assert len(found.offset) == count


def test_two_readings_lie_on_the_diagonal_along_which_the_cloth_moves_most():
    falling, rising = readings(
        np.array([[(0.9, 0.0), (0.9, 0.1)], [(0.9, 0.0), (-0.9, 0.1)]])
    ).offset.reshape(2, 2, 2)
    assert np.abs(falling[1] - falling[0]).max() == pytest.approx(0.9)
    assert np.abs(rising[1] - rising[0]).max() == pytest.approx(0.9)


@given(st.integers(0, 999))
def test_readings_of_each_kind_are_even_about_the_middle(seed):
    draw = np.random.default_rng(seed)
    slope = draw.normal(size=(9, 2, 2)) * draw.uniform(0.1, 6, size=(9, 1, 1))
    found = readings(slope)
    assert found.first.tolist() == (np.cumsum(found.count) - found.count).tolist()
    for one, first, count in zip(slope, found.first, found.count, strict=True):
        offset = found.offset[first : first + count]
        np.testing.assert_allclose(offset.mean(axis=0), 0, atol=1e-12)
        place = np.linalg.solve(one.T, offset.T)  # in sub-pixels
        assert np.abs(place).max() < 0.5
        assert len(np.unique(offset.round(9), axis=0)) == count
