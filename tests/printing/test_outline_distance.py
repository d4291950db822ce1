import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advmask.printing.coverage import signed_distance_px


def slow_distance(points, x, y):
    """One pixel by the textbook: ray casting and the nearest point of each edge."""
    inside, nearest = False, math.inf
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if (y0 <= y) != (y1 <= y) and x >= x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
        length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2
        share = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length2 if length2 else 0.0
        share = min(1.0, max(0.0, share))
        nearest = min(nearest, math.hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0)))
    return -nearest if inside else nearest


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(st.integers(-30, 130), st.integers(-30, 130)), min_size=3, max_size=7),
    reach=st.floats(0.5, 40),
)
def test_distance_agrees_with_the_textbook(points, reach):
    # Corners off the pixel centres, so that no pixel lies on an edge by chance.
    corners = np.array(points) / 3.0 + 0.137
    field = signed_distance_px(corners, height=17, width=23, reach=reach)
    expected = np.array([[slow_distance(corners, x + 0.5, y + 0.5) for x in range(23)] for y in range(17)])
    assert np.allclose(field, expected.clip(-reach, reach), atol=1e-4)


def test_long_edges_are_exact_too():
    corners = np.array([[-5.3, -200.0], [900.0, 410.2], [-5.3, 410.2]])
    field = signed_distance_px(corners, height=300, width=700, reach=4.0)
    for y, x in ((0, 300), (123, 475), (150, 518), (299, 695)):
        assert field[y, x] == pytest.approx(
            np.clip(slow_distance(corners, x + 0.5, y + 0.5), -4, 4), abs=1e-3
        )
