"""A worn mask as a triangle mesh, tied to its flat pattern."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.relief import Ridge

FloatArray = NDArray[np.float64]
_SAME_PLACE_MM = 1e-3


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
    _, place = np.unique(np.rint(vertices / _SAME_PLACE_MM).astype(np.int64), axis=0, return_inverse=True)
    place = place.reshape(-1)
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    weighted = np.cross(b - a, c - a)
    total = np.zeros((int(place.max(initial=-1)) + 1, 3))
    for corner in range(3):
        np.add.at(total, place[faces[:, corner]], weighted)
    normals = total[place]
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12))


def vertex_tangents(
    vertices: Float64[np.ndarray, "v 3"], uv: Float64[np.ndarray, "v 2"], faces: Int64[np.ndarray, "f 3"]
) -> tuple[Float64[np.ndarray, "v 3"], Float64[np.ndarray, "v 3"]]:
    """Directions (V, 3) in which u and v grow on the worn cloth, mm per mm: means over a vertex's faces."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    p, q, r = (uv[faces[:, corner]] for corner in range(3))
    flat = np.stack([q - p, r - p], axis=-1)
    worn = np.stack([b - a, c - a], axis=-1)
    determinant = np.linalg.det(flat)
    good = np.abs(determinant) > 1e-12
    jacobian = np.zeros_like(worn)
    jacobian[good] = worn[good] @ np.linalg.inv(flat[good])
    total, count = np.zeros((len(vertices), 3, 2)), np.zeros(len(vertices))
    for corner in range(3):
        np.add.at(total, faces[:, corner], jacobian)
        np.add.at(count, faces[:, corner], good.astype(np.float64))
    mean = total / count.clip(1)[:, None, None]
    return mean[..., 0], mean[..., 1]
