"""Names on a plan: each stands where no line runs through it and no other name lies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import shapely
from jaxtyping import Float64

from advmask.masks.flat_pattern import FlatPattern, Panel, PatternLine

_MM_PER_POINT = 25.4 / 72
_ASCENT, _DESCENT = 0.74, 0.22  # of the size of the letters
_CLEAR_MM = 0.5  # between letters and lines
_LINE_SIZES, _PANEL_SIZES = (7.0, 6.0, 5.0), (9.0, 8.0, 7.0, 6.0)
_SHARES = (0.5, 0.35, 0.65, 0.25, 0.75, 0.15, 0.85)
_GAPS_MM = (0.0, 1.0, 2.0, 3.5, 5.0, 7.0, 9.0)
_ARROWS_MM = (12.0, 7.0, 0.0)
_STEP_MM = 4.0

WidthOf = Callable[[str, float], float]
"""Width in mm of words in letters of a size in points."""


@dataclass(frozen=True)
class Label:
    """Words on a plan, in the frame of the pattern.

    Attributes:
        words: What is written.
        at: Middle of the box of its letters, mm.
        angle_deg: By which they are turned, clockwise.
        size: Of the letters, points.
        width: Of the words, mm.
        arrow_mm: Length of an arrow above them that points up; 0 for none.
    """

    words: str
    at: tuple[float, float]
    angle_deg: float
    size: float
    width: float
    arrow_mm: float = 0.0

    @property
    def height(self) -> float:
        """Of the box, mm: letters and arrow."""
        letters = (_ASCENT + _DESCENT) * self.size * _MM_PER_POINT
        return letters + (self.arrow_mm + 1.0 if self.arrow_mm else 0.0)

    @property
    def baseline(self) -> float:
        """Below the middle of the box, mm."""
        return self.height / 2 - _DESCENT * self.size * _MM_PER_POINT

    @property
    def foot_of_arrow(self) -> float:
        """Above the middle of the box, mm: where the arrow begins, over the letters."""
        return _ASCENT * self.size * _MM_PER_POINT + 1.0 - self.baseline

    @property
    def box(self) -> shapely.Polygon:
        """What the words and the arrow take up."""
        half = np.array([max(self.width, 3.0) / 2, self.height / 2])
        turn = np.deg2rad(self.angle_deg)
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        return shapely.Polygon(signs * half @ axes + self.at)


def labels_of(
    pattern: FlatPattern,
    outlines: Mapping[str, Sequence[Float64[np.ndarray, "n 2"]]],
    *,
    width_of: WidthOf,
) -> list[Label]:
    """The names of folds, seams, wires and panels of a plan, each in a free place.

    A name for which no place is free at any size is left out: what stands on a line cannot be read.

    Args:
        pattern: The flat pattern.
        outlines: The closed lines that are drawn.
        width_of: Measures words.
    """
    drawn = [shapely.LinearRing(points) for rings in outlines.values() for points in rings]
    drawn += [shapely.LineString(line.points_mm) for line in pattern.lines]
    taken = shapely.union_all(drawn).buffer(_CLEAR_MM)
    shapely.prepare(taken)
    found: list[Label] = []
    for candidates in [
        *(_beside(pattern, line, width_of) for line in pattern.lines),
        *(_inside(panel, width_of) for panel in pattern.panels),
    ]:
        label = next((one for one in candidates if not _hits(one.box, taken, found)), None)
        found += [] if label is None else [label]
    return found


def pleat_depths(pattern: FlatPattern) -> dict[str, float]:
    """Depth of each pleat in mm, by its name: how far its valley fold lies from its mountain fold."""
    rows: dict[str, dict[str, float]] = {}
    for line in pattern.lines:
        name, comma, kind = line.name.rpartition(", ")
        if line.kind == "fold" and comma and kind in {"mountain", "valley"}:
            rows.setdefault(name, {})[kind] = float(line.points_mm[:, 1].mean())
    return {name: abs(row["valley"] - row["mountain"]) for name, row in rows.items() if len(row) == 2}


def _hits(box: shapely.Polygon, taken: shapely.Geometry, others: Sequence[Label]) -> bool:
    return bool(taken.intersects(box)) or any(other.box.intersects(box) for other in others)


def _beside(pattern: FlatPattern, line: PatternLine, width_of: WidthOf) -> Iterator[Label]:
    """Places along a line, near ones first, read from left to right or downwards."""
    words = _words(pattern, line)
    course = shapely.LineString(line.points_mm)
    for size in _LINE_SIZES:
        width = width_of(words, size)
        if width > 1.5 * course.length and len(line.points_mm) > 2:
            continue
        for gap in _GAPS_MM:
            for share in _SHARES:
                at = share * course.length
                ends = [
                    np.array(
                        course.interpolate(float(np.clip(at + way * width / 2, 0.0, course.length))).coords[0]
                    )
                    for way in (-1.0, 1.0)
                ]
                ends = ends if tuple(ends[0]) < tuple(ends[1]) else ends[::-1]
                way = (ends[1] - ends[0]) / max(float(np.linalg.norm(ends[1] - ends[0])), 1e-9)
                label = Label(words, (0.0, 0.0), float(np.degrees(np.arctan2(way[1], way[0]))), size, width)
                above = np.array([way[1], -way[0]])
                middle = np.array(course.interpolate(at).coords[0])
                away = label.height / 2 + 1.5 * _CLEAR_MM + gap
                for side in (1.0, -1.0):
                    u, v = (middle + side * away * above).tolist()
                    yield Label(words, (u, v), label.angle_deg, size, width)


def _words(pattern: FlatPattern, line: PatternLine) -> str:
    name, comma, kind = line.name.rpartition(", ")
    if line.kind != "fold" or not comma or kind not in {"mountain", "valley"}:
        return line.name
    words = f"{name}: {kind} fold (edge {'towards' if kind == 'mountain' else 'away from'} you)"
    depths = pleat_depths(pattern)
    return f"{words}, {depths[name]:.1f} mm deep" if name in depths else words


def _inside(panel: Panel, width_of: WidthOf) -> Iterator[Label]:
    """Places within a panel, those near its middle first."""
    words = f"{panel.name}, this side up"
    polygon = shapely.Polygon(panel.outline_mm)
    left, top, right, bottom = polygon.bounds
    middle = np.array(polygon.centroid.coords[0])
    places = np.stack(
        np.meshgrid(np.arange(left, right, _STEP_MM), np.arange(top, bottom, _STEP_MM)), axis=-1
    ).reshape(-1, 2)
    places = np.concatenate([middle[None], places])
    order = np.argsort(np.linalg.norm(places - middle, axis=1), kind="stable")
    for arrow, size in product(_ARROWS_MM, _PANEL_SIZES):
        width = width_of(words, size)
        for u, v in places[order].tolist():
            label = Label(words, (u, v), 0.0, size, width, arrow)
            if polygon.contains(label.box):
                yield label
