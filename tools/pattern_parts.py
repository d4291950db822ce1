"""What patterns are made of: grids of cloth, their edges, wires and hems, gathered into a surface."""

from dataclasses import dataclass, field

import numpy as np
from face_sheet import FaceSheet, grid_faces
from numpy.typing import NDArray

from advmask.masks.flat_pattern import FlatPattern, PatternLine
from advmask.masks.relief import Ridge
from advmask.masks.surface import MaskSurface

FloatArray = NDArray[np.float64]

SEAM_ALLOWANCE_MM = 6.0
PANEL_GAP_MM = 30.0  # between the two halves, so that their allowances and bleeds stay apart
WIRE_HALF_MM, WIRE_DOWN_MM = 45.0, 5.0
GROOVE = {"height_mm": -0.35, "width_mm": 0.9, "shadow": 0.22}
STITCHED_HEM = {"height_mm": -0.2, "width_mm": 0.8, "shadow": 0.12}


@dataclass
class Sheet:
    """Vertices laid out in a grid, to be gathered into a mesh."""

    position: FloatArray
    chart: FloatArray
    uv: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 2)))

    @property
    def faces(self) -> NDArray[np.int64]:
        """Triangles of the grid."""
        return grid_faces(*self.position.shape[:2])


def cut_sheet(face: FaceSheet, s: FloatArray, t: FloatArray) -> Sheet:
    """The part of the face sheet at (s, t), both (rows, columns)."""
    return Sheet(face.points(s, t), face.chart(s, t))


def trimmed_grid(t: FloatArray, *, rows: int, bottom: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """(s, t) of a grid whose lower edge rises from `bottom[0]` at the chin to `bottom[1]` at the ears."""
    reach = np.abs(t).max()
    top = 0.03 * (np.abs(t) / reach) ** 4
    lower = bottom[0] + (bottom[1] - bottom[0]) * np.abs(t / reach) ** 2.2
    down = np.linspace(0.0, 1.0, rows)[:, None]
    return top + down * (lower - top), np.broadcast_to(t, (rows, len(t)))


def border(grid: FloatArray) -> FloatArray:
    """Closed outline of a grid, clockwise in the picture: top, right, bottom, left."""
    return np.concatenate([grid[0], grid[1:, -1], grid[-1, -2::-1], grid[-2:0:-1, 0]])


def nose_wire(top: FloatArray) -> tuple[PatternLine, Ridge]:
    """The wire below the upper edge `top` (N, 2), N points from left to right."""
    u = np.linspace(-WIRE_HALF_MM, WIRE_HALF_MM, 25)
    v = np.interp(u, top[:, 0], top[:, 1]) + WIRE_DOWN_MM
    points = np.stack([u, v], axis=1)
    return PatternLine("wire", "nose wire", points), Ridge(points, 0.9, 2.0, 0.06, fade_mm=6.0)


def mirrored(uv: FloatArray) -> FloatArray:
    """The mean of a grid of coordinates and its mirror image."""
    return 0.5 * (uv + uv[:, ::-1] * [-1.0, 1.0])


def hems(uv: FloatArray, inset: float) -> list[FloatArray]:
    """Stitching lines along the upper and lower edge of a grid."""
    return [edge + np.array([0.0, way * inset]) for edge, way in ((uv[0], 1), (uv[-1], -1))]


def surface_of(
    pattern: FlatPattern,
    sheets: list[Sheet],
    uv: list[FloatArray],
    faces: list[NDArray[np.int64]],
    relief: tuple[Ridge, ...],
) -> MaskSurface:
    """Gather grids into one mesh."""
    counts = np.cumsum([0, *(len(sheet.position.reshape(-1, 3)) for sheet in sheets)])
    return MaskSurface(
        pattern=pattern,
        vertices_mm=np.concatenate([sheet.position.reshape(-1, 3) for sheet in sheets]),
        uv_mm=np.concatenate([one.reshape(-1, 2) for one in uv]),
        chart_mm=np.concatenate([sheet.chart.reshape(-1, 2) for sheet in sheets]),
        faces=np.concatenate([one + start for one, start in zip(faces, counts[:-1], strict=True)]),
        relief=relief,
    )
