"""What charts are drawn with: shapes of SVG as data, places on axes, and one look for each condition."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Shape = tuple[str, dict[str, object], str]  # element, attributes, text; the template escapes all values
_FLOOR = 1e-4  # smallest rate on logarithmic axes
# One look for each condition: colour, dashes, mark. Any one of them tells the lines apart.
_LOOKS = (
    ("#000000", "", "circle"),
    ("#5a5a5a", "1.5 2.5", "square"),
    ("#0072b2", "8 3", "up"),
    ("#3d3d3d", "3 3", "diamond"),
    ("#cc79a7", "10 3 2 3", "cross"),
    ("#7a5c00", "6 2 1 2 1 2", "down"),
    ("#b84a00", "", "star"),
)


@dataclass(frozen=True)
class Chart:
    """A picture of shapes.

    Attributes:
        title: What a reader who does not see it is told.
        width: Of the view box, as `height`.
        shapes: The first one lies lowest.
    """

    title: str
    width: int
    height: int
    shapes: Sequence[Shape]


def linear(start: float, end: float, share: float) -> float:
    """Where a share in [0, 1] stands between two ends."""
    return start + float(share) * (end - start)


def logarithmic(start: float, end: float, rate: float) -> float:
    """Where a rate in [0, 1] stands between two ends on a logarithmic axis."""
    return linear(start, end, 1 - math.log10(max(rate, _FLOOR)) / math.log10(_FLOOR))


def path(d: str, stroke: str | None = None, **more: object) -> Shape:
    """A path; further attributes with `_` for `-`."""
    return "path", _attributes({"d": d, "stroke": stroke, **more}), ""


def label(x: float, y: float, words: str, anchor: str | None = None, **more: object) -> Shape:
    """Text at a place."""
    return "text", _attributes({"x": x, "y": y, "text_anchor": anchor, **more}), words


def line_look(number: int, name: str) -> dict[str, str]:
    """How the line of a condition is drawn, as arguments of `path`; the design is thick."""
    colour, dashes, _ = _LOOKS[number % len(_LOOKS)]
    width = "2.6" if name == "design" else "1.4"
    return {"stroke": colour, "stroke_width": width, "stroke_dasharray": dashes, "fill": "none"}


def mark(number: int, x: float, y: float) -> Shape:
    """The mark of a condition at a place."""
    colour, _, kind = _LOOKS[number % len(_LOOKS)]
    shapes = {
        "square": f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7z",
        "up": f"M{x - 4:.1f} {y + 3:.1f}h8l-4 -7z",
        "down": f"M{x - 4:.1f} {y - 3:.1f}h8l-4 7z",
        "diamond": f"M{x:.1f} {y - 4.5:.1f}l4.5 4.5l-4.5 4.5l-4.5 -4.5z",
        "cross": f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0 -7l-7 7",
        "star": star(x, y),
    }
    if kind == "circle":
        return circle(x, y, 3.5, colour)
    if kind == "cross":
        return path(shapes[kind], colour, stroke_width=2)
    return path(shapes[kind], fill=colour)


def circle(x: float, y: float, radius: float, stroke: str) -> Shape:
    """A circle filled with white."""
    attributes = {"cx": x, "cy": y, "r": radius, "fill": "#fff", "stroke": stroke, "stroke_width": 1.5}
    return "circle", _attributes(attributes), ""


def star(x: float, y: float) -> str:
    """A path of five points around a place."""
    points = []
    for number in range(10):
        radius, angle = (6.5, 2.8)[number % 2], math.pi * (number / 5 - 0.5)
        points.append(f"{x + radius * math.cos(angle):.1f} {y + radius * math.sin(angle):.1f}")
    return f"M{'L'.join(points)}Z"


def _attributes(given: dict[str, object]) -> dict[str, object]:
    """Names as in SVG, numbers short."""
    return {
        name.replace("_", "-"): f"{value:.1f}" if isinstance(value, float) else value
        for name, value in given.items()
    }
