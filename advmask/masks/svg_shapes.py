"""What an SVG drawing says in millimetres: its lines, what each is meant as, and how it would be named."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import shapely
import svgelements
from jaxtyping import Float64

from advmask.core.errors import DesignError
from advmask.masks.svg_units import LENGTH, check_units

KINDS = ("finished", "cut", "seam", "fold", "wire")
_INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"
_UNSEEN = frozenset({"defs", "symbol", "clipPath", "mask", "pattern", "marker", "metadata", "style"})
_SHAPES = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
_STEP_MM = 0.5  # along curves, before points that add nothing are dropped
_FLAT_MM = 0.01
_SAME_MM = 0.05  # ends nearer than this are one point
_MOST_POINTS = 100_000


@dataclass(frozen=True, eq=False)
class DrawnLine:
    """One line of a drawing.

    Attributes:
        kind: One of `KINDS`.
        what: The element as an error message names it.
        name: What the user calls it, empty if nothing.
        points_mm: (N, 2); of a closed line the first point is not repeated.
        closed: Whether the end is joined to the beginning.
        attributes: Of the element.
    """

    kind: str
    what: str
    name: str
    points_mm: Float64[np.ndarray, "n 2"]
    closed: bool
    attributes: Mapping[str, str] = field(default_factory=dict)


def read_drawing(content: bytes, *, where: str) -> tuple[dict[str, str], list[DrawnLine]]:
    """Attributes of the root element, and the lines that are meant as part of a pattern.

    Args:
        content: The file.
        where: Its name, for messages.

    Raises:
        DesignError: The file is not SVG, is not in millimetres, or holds a line that cannot be read.
    """
    if not content.strip():
        raise DesignError(f"{where} is empty; save the drawing again as SVG.")
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DesignError(f"{where} is not XML ({error}); save the drawing as plain SVG.") from error
    if _tag(root) != "svg":
        raise DesignError(f"{where} is XML but not SVG: its root is <{_tag(root)}>; save it as plain SVG.")
    check_units(root, where=where)
    try:
        return dict(root.attrib), list(_lines(root, where))
    except RecursionError as error:
        raise DesignError(f"{where} has groups within groups without end; ungroup the drawing.") from error


def _lines(root: ElementTree.Element, where: str) -> Iterator[DrawnLine]:
    counts: dict[str, int] = {}

    def walk(
        element: ElementTree.Element, above: svgelements.Matrix, kind: str | None, referred: int
    ) -> Iterator[DrawnLine]:
        tag = _tag(element)
        if tag in _UNSEEN or _hidden(element):
            return
        kind = _kind(element) or kind
        what = _what(element, tag, counts)
        transform = _transform(element, above, f"{where}: {what}")
        if tag == "use" and kind in KINDS and referred < 8:
            target = _referred(root, element)
            if target is not None:
                shift = svgelements.Matrix.translate(*(_number(element, key, 0.0, what) for key in "xy"))
                yield from walk(target, shift * transform, kind, referred + 1)
            return
        if tag in _SHAPES and kind in KINDS:
            yield from _drawn(element, tag, transform, kind, f"{where}: {what}")
        for child in element:
            yield from walk(child, transform, kind, referred)

    return walk(root, svgelements.Matrix(), None, 0)


def _drawn(
    element: ElementTree.Element, tag: str, transform: svgelements.Matrix, kind: str, what: str
) -> Iterator[DrawnLine]:
    path = abs(_shape(element, tag, what) * transform)
    parts = [part for part in path.as_subpaths() if len(part) > 1]
    if kind in {"finished", "cut"} and len(parts) > 1:
        raise DesignError(
            f"{what} is made of {len(parts)} separate lines; an outline is one closed line without holes. In "
            "Inkscape, Path > Break Apart separates them."
        )
    for part in parts:
        points = _points(part, what)
        if len(points) < 2:
            continue
        ends_meet = len(points) > 2 and float(np.hypot(*(points[0] - points[-1]))) < _SAME_MM
        closed = isinstance(part[-1], svgelements.Close) or ends_meet
        yield DrawnLine(
            kind,
            what,
            _given_name(element),
            points[:-1] if ends_meet else points,
            closed,
            dict(element.attrib),
        )
    if not parts:
        raise DesignError(f"{what} has no length; draw it anew or delete it.")


def _shape(element: ElementTree.Element, tag: str, what: str) -> Any:
    def number(key: str, default: float = 0.0) -> float:
        return _number(element, key, default, what)

    try:
        if tag == "path":
            return svgelements.Path(element.get("d", ""))
        if tag == "rect":
            rx, ry = number("rx", number("ry")), number("ry", number("rx"))
            shape: Any = svgelements.Rect(number("x"), number("y"), number("width"), number("height"), rx, ry)
        elif tag == "circle":
            shape = svgelements.Circle(number("cx"), number("cy"), number("r"))
        elif tag == "ellipse":
            shape = svgelements.Ellipse(number("cx"), number("cy"), number("rx"), number("ry"))
        elif tag == "line":
            shape = svgelements.SimpleLine(number("x1"), number("y1"), number("x2"), number("y2"))
        else:
            numbers = [float(one) for one in re.split(r"[\s,]+", element.get("points", "").strip()) if one]
            if len(numbers) % 2 or len(numbers) < 4:
                raise ValueError("an odd or too small count of numbers in points")
            pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
            shape = (svgelements.Polygon if tag == "polygon" else svgelements.Polyline)(*pairs)
        return svgelements.Path(shape)
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, ZeroDivisionError) as error:
        raise DesignError(
            f"{what} cannot be read ({error or 'its line is damaged'}); draw it anew."
        ) from error


def _points(part: Any, what: str) -> Float64[np.ndarray, "n 2"]:
    points: list[tuple[float, float]] = []
    curved = False
    for segment in part:
        start, end = segment.start, segment.end
        if end is None:
            raise DesignError(f"{what} cannot be read (a piece of it has no end); draw it anew.")
        if isinstance(segment, (svgelements.Move, svgelements.Line, svgelements.Close)):
            points.append((float(end.x), float(end.y)))
            continue
        curved = True
        if start is None:
            raise DesignError(f"{what} cannot be read (a piece of it has no start); draw it anew.")
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
        raise DesignError(f"{what} holds a place that is not a number; draw it anew.")
    if len(places) < 2 or np.ptp(places, axis=0).max() == 0:
        return places[:1]
    line = shapely.remove_repeated_points(shapely.LineString(places))
    thinned = shapely.simplify(line, _FLAT_MM, preserve_topology=False) if curved else line
    return np.asarray(shapely.get_coordinates(thinned))


def _number(element: ElementTree.Element, key: str, default: float, what: str) -> float:
    given = element.get(key)
    if given is None or given == "auto":
        return default
    match = LENGTH.match(given)
    if match is None or match[2] not in {"", "px"}:
        raise DesignError(f"{what} has {key}={given!r}; write a plain number of user units, which are mm.")
    return float(match[1])


def _transform(element: ElementTree.Element, above: svgelements.Matrix, what: str) -> svgelements.Matrix:
    given = element.get("transform")
    if not given:
        return above
    try:
        return svgelements.Matrix(given) * above
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise DesignError(f"{what} has the transform {given!r}, which cannot be read; remove it.") from error


def _kind(element: ElementTree.Element) -> str | None:
    """What the element is meant as: by class, or by an id or Inkscape label that begins with the word."""
    for word in element.get("class", "").split():
        if word in (*KINDS, "labels", "safe", "bleed"):
            return word
    for text in (element.get("id", ""), element.get(f"{_INKSCAPE}label", "")):
        match = re.match(r"(finished|cut|seam|fold|wire)(?![A-Za-z])", text)
        if match is not None:
            return match[1]
    return None


def _what(element: ElementTree.Element, tag: str, counts: dict[str, int]) -> str:
    counts[tag] = counts.get(tag, 0) + 1
    named = element.get("id")
    classed = f" of class {element.get('class')!r}" if element.get("class") else ""
    return f"<{tag} id={named!r}>{classed}" if named else f"<{tag}> number {counts[tag]}{classed}"


def _given_name(element: ElementTree.Element) -> str:
    given = element.get("data-name") or element.get(f"{_INKSCAPE}label") or ""
    return " ".join(given.split())[:80]


def _referred(root: ElementTree.Element, element: ElementTree.Element) -> ElementTree.Element | None:
    link = element.get("href") or element.get("{http://www.w3.org/1999/xlink}href") or ""
    found = [one for one in root.iter() if link.startswith("#") and one.get("id") == link[1:]]
    return found[0] if found else None


def _hidden(element: ElementTree.Element) -> bool:
    style = re.sub(r"\s", "", element.get("style", ""))
    return element.get("display") == "none" or "display:none" in style


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "comment"
