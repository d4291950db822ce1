"""The flat pattern of a mask: what a printer prints and a tailor cuts, in millimetres."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely
from jaxtyping import Float64
from numpy.typing import NDArray

from advmask.masks.settings import Straps

FloatArray = NDArray[np.float64]
LineKind = Literal["seam", "fold", "wire"]

AROUND_MM = 8.0  # a drawing made for a pattern goes on so far beyond the widest allowance
SAFE_MM = 3.0  # what matters stays this far inside the finished edge
_CORNER_MM = 0.05  # outlines are simplified to this, far below what a printer or a needle can do


@dataclass(frozen=True, eq=False)
class Panel:
    """One piece of cloth.

    Attributes:
        name: As printed on the sheet.
        outline_mm: (N, 2) the closed finished edge: what of the cloth is seen on the sewn mask.
        allowance_mm: Cloth beyond the finished edge that is sewn away or turned in.
    """

    name: str
    outline_mm: Float64[np.ndarray, "n 2"]
    allowance_mm: float = 0.0

    def cut_mm(self) -> Float64[np.ndarray, "m 2"]:
        """(M, 2) where the scissors go: the finished edge and its allowance."""
        return self._offset(self.allowance_mm)

    def bleed_mm(self, bleed: float) -> Float64[np.ndarray, "m 2"]:
        """(M, 2) how far ink goes: `bleed` millimetres beyond the cut."""
        return self._offset(self.allowance_mm + bleed)

    def safe_mm(self, inset: float = SAFE_MM) -> Float64[np.ndarray, "m 2"]:
        """(M, 2) the area that no uneven cut or seam reaches, `inset` mm inside the finished edge."""
        return self._offset(-inset)

    def _offset(self, distance: float) -> FloatArray:
        if distance == 0:
            return self.outline_mm
        moved = shapely.Polygon(self.outline_mm).buffer(distance, join_style="round")
        if isinstance(moved, shapely.MultiPolygon):  # a narrow neck closed: the largest part is the panel
            moved = max(moved.geoms, key=lambda part: part.area)
        ring = shapely.simplify(moved, _CORNER_MM).exterior
        return np.asarray(ring.coords, dtype=np.float64)[:-1]


@dataclass(frozen=True, eq=False)
class PatternLine:
    """A line drawn on the pattern that is not cut.

    Attributes:
        kind: `seam` is sewn, `fold` is folded, `wire` holds the nose wire.
        name: As printed on the sheet.
        points_mm: (N, 2) an open line.
    """

    kind: LineKind
    name: str
    points_mm: Float64[np.ndarray, "n 2"]


@dataclass(frozen=True, eq=False)
class FlatPattern:
    """All pieces of a mask and the lines on them.

    Convention: the pattern frame is in millimetres, u right, v down, origin at the top of the nose line.

    Attributes:
        name: `contour` or another that ships, or the name of the user's file.
        size: S, M, L or child.
        panels: The pieces; they do not overlap.
        lines: Seams, folds and the nose wire.
        straps: What holds it: loops behind the ears, two elastic straps around the head, four tapes tied
            behind it, or nothing.
    """

    name: str
    size: str
    panels: tuple[Panel, ...]
    lines: tuple[PatternLine, ...] = ()
    straps: Straps = "ear_loops"

    @property
    def box_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the finished edges of all panels."""
        points = np.concatenate([panel.outline_mm for panel in self.panels])
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def frame_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what a template shows and a drawing on it covers."""
        around = max(panel.allowance_mm for panel in self.panels) + AROUND_MM
        left, top, right, bottom = self.box_mm
        return left - around, top - around, right + around, bottom + around

    def graded(self, factor: float, size: str) -> "FlatPattern":
        """The pattern for another size of head; allowances stay what a needle needs."""
        return FlatPattern(
            self.name,
            size,
            tuple(replace(panel, outline_mm=panel.outline_mm * factor) for panel in self.panels),
            tuple(replace(line, points_mm=line.points_mm * factor) for line in self.lines),
            self.straps,
        )
