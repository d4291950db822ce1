"""How far each pixel lies from an outline: the one number that edges, bleed and cut lines are drawn from."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_PIECE_PX = 64.0


def signed_distance_px(
    points: NDArray[np.float64], *, height: int, width: int, reach: float
) -> NDArray[np.float32]:
    """Distance of every pixel centre from a closed polygon, negative inside.

    Args:
        points: (N, 2) corners (x, y) in pixels, pixel centres at +0.5. They may lie outside the picture.
        height: Rows of the picture.
        width: Columns of the picture.
        reach: Distances beyond this are cut off at it, in pixels; the work grows with it.

    Returns:
        (height, width), from -reach to reach, exact in between.
    """
    distance = np.full((height, width), reach, dtype=np.float32)
    closed = np.vstack([points, points[:1]])
    for start, end in pairwise(closed):
        # A long slanted edge has a large bounding box; pieces of it have small ones.
        pieces = max(1, int(np.ceil(np.hypot(*(end - start)) / _PIECE_PX)))
        stations = start + np.linspace(0.0, 1.0, pieces + 1)[:, None] * (end - start)
        for first, last in pairwise(stations):
            _lower_near(distance, first, last, reach)
    return np.where(_inside(closed, height=height, width=width), -distance, distance)


def _lower_near(
    distance: NDArray[np.float32], start: NDArray[np.float64], end: NDArray[np.float64], reach: float
) -> None:
    height, width = distance.shape
    low = np.floor(np.minimum(start, end) - reach - 0.5).astype(int)
    high = np.ceil(np.maximum(start, end) + reach + 0.5).astype(int)
    left, top = max(0, low[0]), max(0, low[1])
    right, bottom = min(width, high[0]), min(height, high[1])
    if left >= right or top >= bottom:
        return
    x = (np.arange(left, right) + 0.5 - start[0])[None, :]
    y = (np.arange(top, bottom) + 0.5 - start[1])[:, None]
    along = end - start
    length2 = float(along @ along)
    share = np.clip((x * along[0] + y * along[1]) / length2, 0.0, 1.0) if length2 > 0 else 0.0
    near = np.hypot(x - share * along[0], y - share * along[1])
    window = distance[top:bottom, left:right]
    np.minimum(window, near, out=window, casting="same_kind")


def _inside(closed: NDArray[np.float64], *, height: int, width: int) -> NDArray[np.bool_]:
    # Even-odd rule: along a row, every edge crossed changes inside to outside or back.
    crossings = np.zeros((height, width + 1), dtype=np.int32)
    for (x0, y0), (x1, y1) in pairwise(closed):
        low, high = min(y0, y1), max(y0, y1)
        first, last = max(0, int(np.ceil(low - 0.5))), min(height, int(np.ceil(high - 0.5)))
        if first >= last:
            continue
        rows = np.arange(first, last)
        x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        columns = np.clip(np.ceil(x - 0.5), 0, width).astype(int)
        crossings[rows, columns] += 1
    inside: NDArray[np.bool_] = crossings[:, :width].cumsum(axis=1) % 2 == 1
    return inside
