"""A user's outline, drawn as SVG, as a mask surface."""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from advmask.core.errors import DesignError
from advmask.masks.cloth_cutting import cut_from, with_rim
from advmask.masks.flat_pattern import FlatPattern, Panel, PatternLine
from advmask.masks.relief import Ridge
from advmask.masks.settings import SHIPPED, SIZES
from advmask.masks.shipped import shipped_surface
from advmask.masks.surface import MaskSurface
from advmask.masks.svg_shapes import DrawnLine, read_drawing
from advmask.masks.svg_units import pixel_hint

CONTOUR_RIM_MM = 10.0  # how far an outline made from the contour template may go beyond it
_TOLERANCE_MM = 0.2
_LEAST_MM2 = 1000.0
_MOST_ALLOWANCE_MM = 30.0
_MOST_PANELS = 20


def surface_from_svg(content: bytes, *, name: str, where: str) -> MaskSurface:
    """Cut a mask out of the cloth along the outlines of a drawing, for a head of size M.

    Convention: one user unit is one millimetre, (0, 0) is the top of the nose line, x to the right, y down.
    Lines are known by class, or by an id or an Inkscape label that begins with the word, of their own or of
    a group around them: `finished`, one closed outline per panel (`data-allowance-mm` tells the allowance,
    `data-name` the name); where there is none, `cut`, as finished edges without allowance; and `seam`,
    `fold` and `wire`, open lines. All else is ignored. `data-pattern` of the root names the shipped pattern
    that the drawing was made from, which then is the cloth (contour with a rim of 10 mm); without it the
    cloth is a smooth sheet over the lower face. `data-size` tells the size of head it is drawn for.

    Args:
        content: The file.
        name: Of the pattern.
        where: The file's name, for messages.

    Raises:
        DesignError: The drawing is not a pattern; the message names the element and the place in mm.
    """
    root, lines = read_drawing(content, where=where)
    source = root.get("data-pattern", "cloth")
    if source not in (*SHIPPED, "cloth"):
        raise DesignError(
            f"{where} was drawn from the pattern {source!r}, whose worn shape it does not hold; edit the "
            "file that pattern comes from, or remove data-pattern to cut the outline from plain cloth."
        )
    scale = _scale(root.get("data-size"), where)
    outlines = [line for line in lines if line.kind == "finished"] or [
        line for line in lines if line.kind == "cut"
    ]
    if not outlines:
        raise DesignError(
            f"{where} has no outline; give one closed line the class, id or label 'finished', or start from "
            "the drawing that `advmask pattern` writes."
        )
    if len(outlines) > _MOST_PANELS:
        raise DesignError(f"{where} has {len(outlines)} outlines; a mask has at most {_MOST_PANELS} panels.")
    for outline in outlines:
        _check_outline(outline)
    panels = tuple(_panel(outline, number, scale) for number, outline in enumerate(outlines, 1))
    _check_overlap(outlines, scale)
    cloth = _cloth(source)
    _check_on_cloth(outlines, cloth, source, scale, root)
    drawn = tuple(_pattern_line(line, scale) for line in lines if line.kind in {"seam", "fold", "wire"})
    kept = cloth.relief if source in SHIPPED else ()
    own = [_ridge(line) for line in drawn] if source in {"contour", "cloth"} else []
    if source == "contour":  # its wire and hems are drawn or not, as the user likes
        kept = ()
    return cut_from(cloth, FlatPattern(name, "M", panels, drawn, cloth.pattern.straps), (*kept, *own))


def _scale(size: str | None, where: str) -> float:
    if size is None:
        return 1.0
    if size not in SIZES:
        raise DesignError(f"{where} has data-size={size!r}; write one of {', '.join(SIZES)} or nothing.")
    return 1 / SIZES[size]


def _cloth(source: str) -> MaskSurface:
    if source == "contour":
        return with_rim(shipped_surface("contour"), CONTOUR_RIM_MM)
    return shipped_surface(source)


def _check_outline(outline: DrawnLine) -> None:
    points = outline.points_mm
    if not outline.closed:
        (u, v), (x, y) = points[0], points[-1]
        raise DesignError(
            f"{outline.what} is not closed: it begins at ({u:.1f}, {v:.1f}) mm and ends at "
            f"({x:.1f}, {y:.1f}) mm; join its ends."
        )
    if len(points) < 3:
        raise DesignError(f"{outline.what} encloses no area; draw a closed outline.")
    polygon = shapely.Polygon(points)
    if not polygon.is_valid:
        reason = shapely.is_valid_reason(polygon)
        found = re.search(r"\[(\S+) (\S+)\]", reason)
        place = f" at ({float(found[1]):.1f}, {float(found[2]):.1f}) mm" if found else ""
        raise DesignError(f"{outline.what} crosses or touches itself{place}; move its points apart there.")
    if polygon.area < _LEAST_MM2:
        raise DesignError(
            f"{outline.what} encloses {polygon.area / 100:.2g} cm2 and a panel has at least 10 cm2; one "
            "user unit is one millimetre."
        )


def _panel(outline: DrawnLine, number: int, scale: float) -> Panel:
    given = outline.attributes.get("data-allowance-mm", "0") if outline.kind == "finished" else "0"
    try:
        allowance = float(given)
    except ValueError:
        allowance = math.nan
    if not 0 <= allowance <= _MOST_ALLOWANCE_MM:
        raise DesignError(
            f"{outline.what} has data-allowance-mm={given!r}; write 0 to {_MOST_ALLOWANCE_MM:g}."
        )
    return Panel(outline.name or f"panel {number}", outline.points_mm * scale, allowance)


def _check_overlap(outlines: Sequence[DrawnLine], scale: float) -> None:
    polygons = [shapely.Polygon(outline.points_mm * scale) for outline in outlines]
    for number, first in enumerate(polygons):
        for other, second in enumerate(polygons[:number]):
            shared = shapely.intersection(first, second)
            if shared.area > _TOLERANCE_MM:
                place = shared.representative_point()
                u, v = place.x / scale, place.y / scale
                raise DesignError(
                    f"{outlines[number].what} overlaps {outlines[other].what} by {shared.area / 100:.2g} cm2 "
                    f"around ({u:.1f}, {v:.1f}) mm; move the panels apart, or keep one of them."
                )


def _check_on_cloth(
    outlines: Sequence[DrawnLine], cloth: MaskSurface, source: str, scale: float, root: Mapping[str, str]
) -> None:
    sheet = _area(cloth, source)
    left, top, right, bottom = (side / scale for side in sheet.bounds)
    for outline in outlines:
        beyond = shapely.difference(shapely.Polygon(outline.points_mm * scale), sheet.buffer(_TOLERANCE_MM))
        if beyond.is_empty:
            continue
        places = shapely.get_coordinates(beyond)
        distance = shapely.distance(shapely.points(places), sheet)
        worst = int(np.argmax(distance))
        u, v = places[worst] / scale
        size = np.ptp(np.concatenate([one.points_mm for one in outlines]), axis=0)
        hint = pixel_hint(root, *size.tolist())
        what = "the cloth" if source not in SHIPPED else f"the cloth of the {source} pattern it is made from"
        raise DesignError(
            f"{outline.what} leaves {what} by {distance[worst] / scale:.1f} mm at ({u:.1f}, {v:.1f}) mm; the "
            f"cloth goes from {left:.0f} to {right:.0f} mm across, from {top:.0f} to {bottom:.0f} mm down. "
            f"{hint or 'Draw the outline inside it, or give the worn shape too, as OBJ.'}"
        )


def _area(cloth: MaskSurface, source: str) -> shapely.Geometry:
    outlines = shapely.union_all([shapely.Polygon(panel.outline_mm) for panel in cloth.pattern.panels])
    if source != "contour":
        return outlines
    return shapely.union_all(shapely.polygons(cloth.uv_mm[cloth.faces]), grid_size=1e-6)


def _pattern_line(line: DrawnLine, scale: float) -> PatternLine:
    points = line.points_mm * scale
    if line.closed:
        points = np.concatenate([points, points[:1]])
    return PatternLine(line.kind, line.name or line.kind, points)  # type: ignore[arg-type]


def _ridge(line: PatternLine) -> Ridge:
    if line.kind == "wire":
        return Ridge(line.points_mm, 0.9, 2.0, 0.06, fade_mm=6.0)
    if line.kind == "seam":
        return Ridge(line.points_mm, -0.35, 0.9, 0.22)
    return Ridge(line.points_mm, 0.4, 1.2, 0.15)
