"""What an SVG drawing says in millimetres: its lines, what each is meant as, and how it would be named."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

import numpy as np
import shapely
import svgelements
from jaxtyping import Float64

from advmask.core.errors import DesignError
from advmask.masks.svg_geometry import drawn_points, shape_path
from advmask.masks.svg_places import Place
from advmask.masks.svg_tree import INKSCAPE, SvgTree, said_of
from advmask.masks.svg_units import check_units

_SAME_MM = 0.05  # ends nearer than this are one point
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class DrawnLine:
    """One line of a drawing.

    Attributes:
        kind: One of `svg_tree.KINDS`.
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

    Lines are where a browser draws them: transforms of attributes and styles, inner drawings, symbols and
    uses are followed; hidden lines are left out. What would move, size or cut a line in a way that is not
    followed is refused, and nothing else of the drawing matters.

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
    tag = root.tag.rpartition("}")[2]
    if tag != "svg":
        raise DesignError(f"{where} is XML but not SVG: its root is <{tag}>; save it as plain SVG.")
    if re.search(rb"<\?xml-stylesheet", content):
        raise DesignError(
            f"{where} has its styles in another file (<?xml-stylesheet?>); save it as plain SVG."
        )
    try:
        tree = SvgTree(root, where=where)
        sizes = {key: tree.styles.value(root, key) for key in ("width", "height")}
        attributes = {key: value for key, value in root.attrib.items() if key not in sizes}
        attributes |= {key: value for key, value in sizes.items() if value not in {None, "auto"}}
        check_units(attributes, where=where)
        return attributes, [line for one in list(tree.lines()) for line in _drawn(*one)]
    except RecursionError as error:
        raise DesignError(
            f"{where} has groups within groups without end, or rules of styles that are; ungroup the "
            "drawing, or save it as plain SVG."
        ) from error


def _drawn(place: Place, kind: str) -> Iterator[DrawnLine]:
    what = f"{place.tree.where}: {place.what}"
    for one in reversed([*place.chain()]):  # from the root on, so that none asks the next without end
        _ = one.viewport, one.matrix
    path = shape_path(place, place.matrix)
    parts = [part for part in path.as_subpaths() if len(part) > 1]
    if kind in {"finished", "cut"} and len(parts) > 1:
        raise DesignError(
            f"{what} is made of {len(parts)} separate lines; an outline is one closed line without holes. In "
            "Inkscape, Path > Break Apart separates them."
        )
    said = said_of(place)
    name = said.get("data-name") or said.get(f"{INKSCAPE}label") or ""
    for part in parts:
        points = drawn_points(part, what)
        if len(points) < 2:
            continue
        _tell_if_framed(place, points, what)
        ends_meet = len(points) > 2 and float(np.hypot(*(points[0] - points[-1]))) < _SAME_MM
        closed = isinstance(part[-1], svgelements.Close) or ends_meet
        yield DrawnLine(
            kind, what, " ".join(name.split())[:80], points[:-1] if ends_meet else points, closed, said
        )
    if not parts:
        raise DesignError(f"{what} has no length; draw it again or delete it.")


def _tell_if_framed(place: Place, points: Float64[np.ndarray, "n 2"], what: str) -> None:
    for one in place.chain():
        if one.frame is None or one.tree.styles.value(one.element, "overflow") in {"visible", "auto"}:
            continue
        left, top, width, height = one.frame
        corners = np.array(
            [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]
        )
        seen = shapely.Polygon(corners @ one.outer[:2, :2].T + one.outer[:2, 2])
        if shapely.distance(seen, shapely.points(points)).max() > _SAME_MM:
            _logger.warning(
                "%s reaches beyond the frame of %s, where a picture would be cut off; it is taken whole.",
                what,
                one.what,
            )
