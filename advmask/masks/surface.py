"""A worn mask as a triangle mesh, tied to its flat pattern."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.relief import Ridge

FloatArray = NDArray[np.float64]
_SAME_PLACE_MM = 1e-3
_PLACE_BITS = 21  # of each coordinate, which is a kilometre to either side
_PLACE_MASK = (1 << _PLACE_BITS) - 1


@dataclass(frozen=True, eq=False)
class MaskSurface:
    """A worn mask as a triangle mesh with texture coordinates on its flat pattern.

    A place where cloth meets cloth (a seam, the edge of a pleat) holds several vertices with one position and
    different texture coordinates.

    Attributes:
        pattern: The flat pattern.
        vertices_mm: (V, 3) head frame: x to the right in the picture, y up, z to the camera.
        uv_mm: (V, 2) pattern frame.
        chart_mm: (V, 2) where on a face the cloth lies, whatever the pattern: arc length from the nose line,
            and down from its top. Artwork drawn for a face is laid out by it.
        faces: (F, 3) vertex numbers, counter-clockwise when seen from outside.
        relief: Seams, pleat edges, the nose wire: what is always there.
    """

    pattern: FlatPattern
    vertices_mm: Float64[np.ndarray, "v 3"]
    uv_mm: Float64[np.ndarray, "v 2"]
    chart_mm: Float64[np.ndarray, "v 2"]
    faces: Int64[np.ndarray, "f 3"]
    relief: tuple[Ridge, ...] = ()

    @property
    def name(self) -> str:
        """The pattern's name."""
        return self.pattern.name

    @property
    def origin_mm(self) -> tuple[float, float]:
        """Pattern-frame coordinates of the top-left corner of the texture's rectangle."""
        left, top, _, _ = self.pattern.box_mm
        return left, top

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the texture's rectangle, which just holds the finished pattern."""
        left, top, right, bottom = self.pattern.box_mm
        return right - left, bottom - top

    def texture_size(self, texels_per_mm: float) -> tuple[int, int]:
        """Height and width in texels of a texture that covers the pattern."""
        width, height = self.size_mm
        return round(height * texels_per_mm), round(width * texels_per_mm)

    def graded(self, factor: float, size: str) -> "MaskSurface":
        """The mask made for a head `factor` times as large.

        Heads of all sizes are placed by one reference head, so that only the flat pattern changes.
        """
        return replace(
            self,
            pattern=self.pattern.graded(factor, size),
            uv_mm=self.uv_mm * factor,
            relief=tuple(ridge.graded(factor) for ridge in self.relief),
        )


def vertex_normals(
    vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"]
) -> Float64[np.ndarray, "v 3"]:
    """Area-weighted unit normals of a mesh whose faces turn counter-clockwise seen from outside.

    Vertices in one place share a normal, so that light runs smoothly over seams.
    """
    place = same_places(vertices)
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    total = _summed(place[faces], np.cross(b - a, c - a), int(place.max(initial=-1)) + 1)
    normals = total[place]
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12))


def same_places(vertices: Float64[np.ndarray, "v 3"]) -> Int64[np.ndarray, " v"]:
    """A number for each vertex that those in one place share."""
    x, y, z = np.rint(vertices.T / _SAME_PLACE_MM).astype(np.int64) & _PLACE_MASK
    _, place = np.unique((x << 2 * _PLACE_BITS) | (y << _PLACE_BITS) | z, return_inverse=True)
    return np.asarray(place, dtype=np.int64)


def vertex_tangents(
    vertices: Float64[np.ndarray, "v 3"], uv: Float64[np.ndarray, "v 2"], faces: Int64[np.ndarray, "f 3"]
) -> tuple[Float64[np.ndarray, "v 3"], Float64[np.ndarray, "v 3"]]:
    """Directions (V, 3) in which u and v grow on the worn cloth, mm per mm: means over a vertex's faces."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    p, q, r = (uv[faces[:, corner]] for corner in range(3))
    (u1, v1), (u2, v2) = (q - p).T, (r - p).T
    determinant = u1 * v2 - u2 * v1
    good = np.abs(determinant) > 1e-12
    share = (good / np.where(good, determinant, 1.0))[:, None]
    by_u = ((b - a) * v2[:, None] - (c - a) * v1[:, None]) * share
    by_v = ((c - a) * u1[:, None] - (b - a) * u2[:, None]) * share
    count = len(vertices)
    number = np.bincount(faces.ravel(), np.repeat(good, 3), count).clip(1)[:, None]
    return _summed(faces, by_u, count) / number, _summed(faces, by_v, count) / number


def _summed(
    corners: Int64[np.ndarray, "f 3"], values: Float64[np.ndarray, "f 3"], count: int
) -> Float64[np.ndarray, "count 3"]:
    """Sums of the faces' vectors at their corners."""
    flat, each = corners.ravel(), np.repeat(values, 3, axis=0)
    return np.stack([np.bincount(flat, axis, count) for axis in each.T], axis=1)
