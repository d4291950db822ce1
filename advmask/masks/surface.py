"""The parametric lower-face mask: a surface of superellipse arcs in head millimetres."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

FloatArray = NDArray[np.float64]

# One row of the mask each, from the nose line (s = 0) to under the chin (s = 1), in head millimetres:
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


@dataclass(frozen=True)
class MaskSurface:
    """A worn mask as a triangle mesh with texture coordinates on its flat pattern.

    Attributes:
        name: The pattern's name.
        vertices_mm: (V, 3) head frame: x to the right in the picture, y up, z to the camera.
        normals: (V, 3) unit, pointing away from the face.
        uv_mm: (V, 2) pattern frame: u right, v down, origin at the top of the nose line.
        faces: (F, 3) vertex numbers, counter-clockwise when seen from outside.
        outline_mm: (N, 2) the closed border of the flat pattern, in the pattern frame.
    """

    name: str
    vertices_mm: FloatArray
    normals: FloatArray
    uv_mm: FloatArray
    faces: NDArray[np.int64]
    outline_mm: FloatArray

    @property
    def origin_mm(self) -> tuple[float, float]:
        """Pattern-frame coordinates of the top-left corner of the texture's rectangle."""
        u, v = self.uv_mm.min(axis=0)
        return float(u), float(v)

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the texture's rectangle, which just holds the pattern."""
        width, height = np.ptp(self.uv_mm, axis=0)
        return float(width), float(height)

    def texture_size(self, texels_per_mm: float) -> tuple[int, int]:
        """Height and width in texels of a texture that covers the pattern."""
        width, height = self.size_mm
        return round(height * texels_per_mm), round(width * texels_per_mm)


@cache
def lower_face_mask(*, rows: int = 24, columns: int = 31) -> MaskSurface:
    """Build the lower-face mask: nose line to under the chin, ear to ear.

    A half arc of a row is x = xe sin(t)^(2/n), z = ze + (zm - ze) cos(t)^(2/n),
    y = ye + (ym - ye)(1 - (x / xe)^q) for t in [0, pi/2]; the parameters follow the rows of the table by
    monotone cubic interpolation (Fritsch and Carlson 1980). Texture coordinates are arc lengths: u along
    the row from the midline, v along the midline from the top. The map is not isometric at the gathered
    sides.

    Args:
        rows: Rows of vertices, at least 8.
        columns: Vertices in a row, odd, so that one lies on the midline.
    """
    if rows < 8 or columns < 5 or columns % 2 == 0:
        raise ValueError(f"rows must be >= 8 and columns odd and >= 5, not {rows} and {columns}")
    parameters = PchipInterpolator(_ROWS[:, 0], _ROWS[:, 1:])(np.linspace(0.0, 1.0, rows))
    arcs = [_full_arc(row, columns) for row in parameters]
    grid = np.stack([points for points, _ in arcs])
    u = np.stack([lengths for _, lengths in arcs])
    middle = grid[:, columns // 2]
    v_row = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(middle, axis=0), axis=1))])
    v = np.repeat(v_row[:, None], columns, axis=1)
    faces = _grid_faces(rows, columns)
    vertices = grid.reshape(-1, 3)
    uv = np.stack([u, v], axis=-1).reshape(-1, 2)
    return MaskSurface(
        name="lower_face",
        vertices_mm=vertices,
        normals=vertex_normals(vertices, faces),
        uv_mm=uv,
        faces=faces,
        outline_mm=_border(uv.reshape(rows, columns, 2)),
    )


def vertex_normals(vertices: FloatArray, faces: NDArray[np.int64]) -> FloatArray:
    """Area-weighted unit normals (V, 3) of a mesh whose faces turn counter-clockwise seen from outside."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    weighted = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], weighted)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12))


def _full_arc(row: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
    """Points (columns, 3) of one row at equal arc lengths, and their signed arc lengths (columns,)."""
    y_mid, z_mid, x_edge, y_edge, z_edge, n, q = row
    t = np.linspace(-np.pi / 2, np.pi / 2, 2 * _ARC_SAMPLES + 1)
    x = x_edge * np.sign(t) * np.abs(np.sin(t)) ** (2 / n)
    z = z_edge + (z_mid - z_edge) * np.abs(np.cos(t)) ** (2 / n)
    y = y_edge + (y_mid - y_edge) * (1 - np.abs(x / x_edge) ** q)
    points = _rounded(np.stack([x, y, z], axis=1))
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    wanted = np.linspace(0.0, length[-1], columns)
    even = np.stack([np.interp(wanted, length, points[:, axis]) for axis in range(3)], axis=1)
    return even, wanted - length[-1] / 2


def _rounded(points: FloatArray) -> FloatArray:
    """Round the crease on the midline: blur over even arc lengths, fading out away from the midline."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    even = np.linspace(0.0, length[-1], len(points))
    resampled = np.stack([np.interp(even, length, points[:, axis]) for axis in range(3)], axis=1)
    step = even[1] - even[0]
    blurred = gaussian_filter1d(resampled, _CREASE_MM / step, axis=0, mode="nearest")
    weight = np.exp(-0.5 * ((even - length[-1] / 2) / (3 * _CREASE_MM)) ** 2)[:, None]
    return np.asarray(resampled + weight * (blurred - resampled))


def _grid_faces(rows: int, columns: int) -> NDArray[np.int64]:
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


def _border(uv: FloatArray) -> FloatArray:
    top, bottom = uv[0], uv[-1][::-1]
    right, left = uv[1:-1, -1], uv[1:-1, 0][::-1]
    return np.concatenate([top, right, bottom, left])
