"""A lower face in cloth: rows of superellipse arcs in head millimetres, from which mask patterns are cut.

Used when patterns are made, not when they are worn.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator, RegularGridInterpolator
from scipy.ndimage import gaussian_filter1d

FloatArray = NDArray[np.float64]

# One row of the sheet each, from the nose line (s = 0) to under the chin (s = 1), in head millimetres:
# s, midline (y, z), edge (x, y, z), arc exponent n, height exponent q.
# Proportions fitted by eye on varied faces; the origin is that of the five reference points in pose.py.
_ROWS = np.array(
    [
        [0.00, 15.0, 66.0, 72.5, 5.0, -8.0, 1.22, 0.9],
        [0.14, -4.0, 79.5, 73.0, -4.0, -9.0, 1.26, 1.2],
        [0.34, -30.0, 73.0, 72.0, -15.0, -10.0, 1.36, 1.7],
        [0.52, -56.0, 65.0, 70.0, -26.0, -11.0, 1.40, 2.2],
        [0.68, -79.0, 57.0, 68.0, -36.0, -11.0, 1.32, 2.6],
        [0.80, -94.0, 46.0, 66.0, -44.0, -11.0, 1.32, 2.8],
        [0.90, -102.0, 32.0, 64.5, -51.0, -11.0, 1.45, 2.8],
        [1.00, -104.0, 16.0, 63.0, -57.0, -11.0, 1.60, 2.6],
    ]
)
_ARC_SAMPLES = 400  # dense points on a half arc, before resampling to equal arc lengths
_CREASE_MM = 5.0  # cloth over the midline is rounded with about this radius
_ROWS_MADE, _COLUMNS_MADE = 201, 241


class FaceSheet:
    """The sheet as a function of (s, t): s from the nose line (0) to under the chin (1), t from ear to ear.

    A half arc of a row is x = xe sin(a)^(2/n), z = ze + (zm - ze) cos(a)^(2/n),
    y = ye + (ym - ye)(1 - (x / xe)^q) for a in [0, pi/2]; the parameters follow the rows of the table by
    monotone cubic interpolation (Fritsch and Carlson 1980). t is the share of the row's half arc length, -1
    at the left-in-picture ear, 1 at the right.

    Args:
        table: One row of the sheet each: s, midline, edge, n and q as for a face.
        crease_mm: Radius with which cloth over the midline is rounded.
    """

    def __init__(self, table: FloatArray = _ROWS, *, crease_mm: float = _CREASE_MM) -> None:
        s = np.linspace(0.0, 1.0, _ROWS_MADE)
        t = np.linspace(-1.0, 1.0, _COLUMNS_MADE)
        rows = PchipInterpolator(table[:, 0], table[:, 1:])(s)
        arcs = [_full_arc(row, _COLUMNS_MADE, crease_mm) for row in rows]
        grid = np.stack([points for points, _ in arcs])
        across = np.stack([lengths for _, lengths in arcs])
        middle = grid[:, _COLUMNS_MADE // 2]
        down = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(middle, axis=0), axis=1))])
        chart = np.stack([across, np.broadcast_to(down[:, None], across.shape)], axis=-1)
        both = np.concatenate([grid, chart], axis=-1)
        self._at = RegularGridInterpolator((s, t), both)

    def points(self, s: FloatArray, t: FloatArray) -> FloatArray:
        """Head positions (..., 3) in mm."""
        return np.asarray(self._at(np.stack(np.broadcast_arrays(s, t), axis=-1))[..., :3])

    def chart(self, s: FloatArray, t: FloatArray) -> FloatArray:
        """Arc lengths (..., 2) in mm: along the row from the midline, and down the midline to the row."""
        return np.asarray(self._at(np.stack(np.broadcast_arrays(s, t), axis=-1))[..., 3:])


def grid_faces(rows: int, columns: int) -> NDArray[np.int64]:
    """Triangles (F, 3) of a grid of vertices, counter-clockwise where rows run down and columns right."""
    number = np.arange(rows * columns).reshape(rows, columns)
    top_left, top_right = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    bottom_left, bottom_right = number[1:, :-1].ravel(), number[1:, 1:].ravel()
    # Diagonals mirror about the midline, so that the left half is the mirror image of the right.
    left = np.broadcast_to(np.arange(columns - 1) < (columns - 1) // 2, (rows - 1, columns - 1)).ravel()
    first = np.where(
        left[:, None],
        np.stack([top_left, bottom_left, bottom_right], axis=1),
        np.stack([top_left, bottom_left, top_right], axis=1),
    )
    second = np.where(
        left[:, None],
        np.stack([top_left, bottom_right, top_right], axis=1),
        np.stack([top_right, bottom_left, bottom_right], axis=1),
    )
    return np.concatenate([first, second]).astype(np.int64)


def _full_arc(row: FloatArray, columns: int, crease_mm: float) -> tuple[FloatArray, FloatArray]:
    """Points (columns, 3) of one row at equal arc lengths, and their signed arc lengths (columns,)."""
    y_mid, z_mid, x_edge, y_edge, z_edge, n, q = row
    t = np.linspace(-np.pi / 2, np.pi / 2, 2 * _ARC_SAMPLES + 1)
    x = x_edge * np.sign(t) * np.abs(np.sin(t)) ** (2 / n)
    z = z_edge + (z_mid - z_edge) * np.abs(np.cos(t)) ** (2 / n)
    y = y_edge + (y_mid - y_edge) * (1 - np.abs(x / x_edge) ** q)
    points = _rounded(np.stack([x, y, z], axis=1), crease_mm)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    wanted = np.linspace(0.0, length[-1], columns)
    even = np.stack([np.interp(wanted, length, points[:, axis]) for axis in range(3)], axis=1)
    return even, wanted - length[-1] / 2


def _rounded(points: FloatArray, crease_mm: float) -> FloatArray:
    """Round the crease on the midline: blur over even arc lengths, fading out away from the midline."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    even = np.linspace(0.0, length[-1], len(points))
    resampled = np.stack([np.interp(even, length, points[:, axis]) for axis in range(3)], axis=1)
    step = even[1] - even[0]
    blurred = gaussian_filter1d(resampled, crease_mm / step, axis=0, mode="nearest")
    weight = np.exp(-0.5 * ((even - length[-1] / 2) / (3 * crease_mm)) ** 2)[:, None]
    return np.asarray(resampled + weight * (blurred - resampled))
