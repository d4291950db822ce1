"""Shapes of an SVG drawing as paths, and paths as points."""

import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
import svgelements
from jaxtyping import Float64

from advmask.core.errors import DesignError
from advmask.masks.svg_grammar import numbers, spelt_out
from advmask.masks.svg_places import Place
from advmask.masks.svg_transforms import Matrix

_STEP_MM = 0.5  # along curves, before points that add nothing are dropped
_FLAT_MM = 0.01
_MOST_POINTS = 100_000
_STYLED_PATH = re.compile(r"path\(\s*(['\"])(.*)\1\s*\)\Z", re.DOTALL)


def shape_path(place: Place, matrix: Matrix) -> Any:
    """The path of a shape where a matrix lays it.

    Raises:
        DesignError: It is damaged.
    """
    (a, c, e), (b, d, f) = matrix[:2].tolist()
    try:
        return abs(_path(place) * svgelements.Matrix(a, b, c, d, e, f))
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, ArithmeticError) as error:
        raise place.refused(f"cannot be read ({error or 'its line is damaged'}); draw it again") from error


def _path(place: Place) -> Any:
    element, tag = place.element, place.tag

    def number(key: str) -> float:
        return place.number(key, 0.0)

    if tag == "path":
        styled = place.tree.styles.of(element).get("d")
        match = _STYLED_PATH.match(styled or "")
        if styled is not None and match is None and styled != "none":
            raise ValueError(f"d: {styled[:40]} in its style")
        data = element.get("d", "") if styled is None else "" if match is None else match[2]
        return svgelements.Path(spelt_out(data))
    if tag in {"polyline", "polygon"}:
        values = numbers(element.get("points", ""))
        if len(values) % 2 or len(values) < 4:
            raise ValueError("an odd or too small count of numbers in points")
        pairs = list(zip(values[::2], values[1::2], strict=True))
        return svgelements.Path((svgelements.Polygon if tag == "polygon" else svgelements.Polyline)(*pairs))
    if tag == "line":
        ends = [place.number(key, 0.0) for key in ("x1", "y1", "x2", "y2")]
        return svgelements.Path(svgelements.SimpleLine(*ends))
    if tag == "circle":
        return svgelements.Path(svgelements.Circle(number("cx"), number("cy"), number("r")))
    rx = place.number("rx", math.nan)
    ry = place.number("ry", rx)
    rx = ry if math.isnan(rx) else rx
    rx, ry = (0.0, 0.0) if math.isnan(rx) else (rx, ry)
    if tag == "ellipse":
        return svgelements.Path(svgelements.Ellipse(number("cx"), number("cy"), rx, ry))
    sides = number("x"), number("y"), number("width"), number("height")
    if min(*sides[2:], rx, ry) < 0:
        raise ValueError("a size below zero")
    return svgelements.Path(svgelements.Rect(*sides, min(rx, sides[2] / 2), min(ry, sides[3] / 2)))


def drawn_points(part: Any, what: str) -> Float64[np.ndarray, "n 2"]:
    """Points along a part of a path, no further than 0.01 mm from it.

    Raises:
        DesignError: It is damaged, or longer than a mask can be.
    """
    points: list[tuple[float, float]] = []
    curved = False
    for segment in part:
        start, end = segment.start, segment.end
        if end is None:
            raise DesignError(f"{what} cannot be read (a piece of it has no end); draw it again.")
        if isinstance(segment, (svgelements.Move, svgelements.Line, svgelements.Close)):
            points.append((float(end.x), float(end.y)))
            continue
        curved = True
        if start is None:
            raise DesignError(f"{what} cannot be read (a piece of it has no start); draw it again.")
        polygon = [segment.point(share) for share in np.linspace(0, 1, 9)]
        length = sum(math.hypot(float(b.x - a.x), float(b.y - a.y)) for a, b in pairwise(polygon))
        if not math.isfinite(length) or length / _STEP_MM > _MOST_POINTS:
            raise DesignError(f"{what} holds a curve of {length:g} mm; a mask is smaller.")
        shares = np.linspace(0, 1, max(8, math.ceil(length / _STEP_MM)) + 1)[1:]
        points += [(float(p.x), float(p.y)) for p in (segment.point(share) for share in shares)]
        if len(points) > _MOST_POINTS:
            raise DesignError(f"{what} has more than {_MOST_POINTS} points; simplify it.")
    places = np.array(points, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(places).all():
        raise DesignError(f"{what} holds a place that is not a number; draw it again.")
    if len(places) < 2 or np.ptp(places, axis=0).max() == 0:
        return places[:1]
    line = shapely.remove_repeated_points(shapely.LineString(places))
    thinned = shapely.simplify(line, _FLAT_MM, preserve_topology=False) if curved else line
    return np.asarray(shapely.get_coordinates(thinned))
