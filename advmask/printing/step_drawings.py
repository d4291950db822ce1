"""Small drawings for the steps of making a mask, as vectors: what is cut, folded and sewn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin

from fpdf import FPDF

from advmask.masks.flat_pattern import FlatPattern
from advmask.printing.latin import latin
from advmask.printing.plan_names import pleat_depths

_SCALE = 0.75
WIDTH_MM, HEIGHT_MM = 38.0 * _SCALE, 24.0 * _SCALE
"""The box of every drawing on the page; drawings are written down in one of 38 x 24."""
LETTERS_PT = 5.0

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Mark:
    """A line of a drawing, from the top left corner of its box of 38 x 24.

    Attributes:
        kind: `cloth` is an outline filled with grey; `line`, `cut`, `sew`, `fold`, `wire`, `elastic` are
            drawn as on the plan; `arrow` has a head at its end.
        points: Along it.
    """

    kind: str
    points: Points


@dataclass(frozen=True)
class Drawing:
    """Lines, and words with the left end of their baseline."""

    marks: tuple[Mark, ...]
    words: tuple[tuple[str, float, float], ...] = ()


_LOOK: dict[str, tuple[tuple[int, int, int], float, tuple[float, float] | None]] = {
    "cloth": ((90, 90, 90), 0.25, None),
    "line": ((90, 90, 90), 0.2, None),
    "cut": ((255, 0, 255), 0.35, None),
    "sew": ((224, 0, 0), 0.4, (1.6, 0.8)),
    "fold": ((224, 128, 0), 0.35, (2.4, 0.8)),
    "wire": ((64, 64, 64), 0.7, (0.7, 0.7)),
    "elastic": ((40, 110, 160), 0.7, None),
    "arrow": ((0, 0, 0), 0.25, None),
}


def drawing_of(name: str, pattern: FlatPattern) -> Drawing:
    """A drawing by its name in `DRAWINGS`.

    Args:
        name: Which.
        pattern: Whose measures are written on it.
    """
    return _DRAWINGS[name](pattern)


def draw(pdf: FPDF, drawing: Drawing, left: float, top: float) -> None:
    """Draw it with its top left corner at a place of the page, mm."""
    pdf.set_fill_color(236, 236, 236)
    for mark in drawing.marks:
        colour, width, dash = _LOOK[mark.kind]
        pdf.set_draw_color(*colour)
        pdf.set_line_width(width)
        pdf.set_dash_pattern(*(dash or (0, 0)))
        places = [(left + x * _SCALE, top + y * _SCALE) for x, y in mark.points]
        if mark.kind == "cloth":
            pdf.polygon(places, style="DF")
        else:
            pdf.polyline(places)
        if mark.kind == "arrow":
            pdf.polyline([(left + x * _SCALE, top + y * _SCALE) for x, y in _head(mark.points)])
    pdf.set_dash_pattern()
    pdf.set_font("helvetica", size=LETTERS_PT)
    for words, x, y in drawing.words:
        pdf.text(left + x * _SCALE, top + y * _SCALE, latin(words))


def _head(points: Points) -> Points:
    (x0, y0), (x, y) = points[-2], points[-1]
    length = max(((x - x0) ** 2 + (y - y0) ** 2) ** 0.5, 1e-9)
    ux, uy = (x - x0) / length, (y - y0) / length
    return [
        (x - 1.6 * ux - 0.9 * uy, y - 1.6 * uy + 0.9 * ux),
        (x, y),
        (x - 1.6 * ux + 0.9 * uy, y - 1.6 * uy - 0.9 * ux),
    ]


def _arc(x: float, y: float, across: float, down: float, start: float, end: float) -> Points:
    """Part of an ellipse; angles in turns, 0 to the right, clockwise."""
    turns = [start + (end - start) * step / 24 for step in range(25)]
    return [(x + across * cos(2 * pi * turn), y + down * sin(2 * pi * turn)) for turn in turns]


def _box(x0: float, y0: float, x1: float, y1: float) -> Points:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


_MASK = [(6.0, 7.0), (19.0, 3.0), (32.0, 7.0), (30.0, 14.0), (19.0, 21.0), (8.0, 14.0)]


def _ring(points: Points) -> Points:
    return [*points, points[0]]


def _transfer(_: FlatPattern) -> Drawing:
    return Drawing(
        (
            Mark("cloth", _box(4, 17, 34, 20)),
            Mark("line", [(6, 15), (32, 15)]),
            Mark("line", _ring(_box(12, 5, 26, 10))),
            Mark("arrow", [(19, 10.5), (19, 14.2)]),
        ),
        (("press", 16.2, 8.4), ("cloth", 16.5, 23.0), ("print face down", 1.0, 13.6)),
    )


def _cut(_: FlatPattern) -> Drawing:
    outer = [(3.0, 5.5), (19.0, 1.0), (35.0, 5.5), (32.5, 15.5), (19.0, 23.5), (5.5, 15.5)]
    return Drawing((Mark("cloth", _MASK), Mark("cut", _ring(outer))), (("cut outside", 13.5, 11.5),))


def _dart(_: FlatPattern) -> Drawing:
    flat = [(2, 3), (15, 3), (15, 14), (12, 21), (9.5, 21), (8.5, 10), (7.5, 21), (5, 21), (2, 14)]
    sewn = [(23, 3), (36, 3), (36, 14), (33, 20), (26, 20), (23, 14)]
    return Drawing(
        (
            Mark("cloth", flat),
            Mark("arrow", [(6.6, 17.5), (7.8, 17.5)]),
            Mark("arrow", [(10.4, 17.5), (9.2, 17.5)]),
            Mark("arrow", [(17, 11), (21.4, 11)]),
            Mark("cloth", sewn),
            Mark("sew", [(29.5, 9.5), (29.5, 20)]),
        ),
        (("dart", 6.2, 7.0), ("sewn", 26.8, 7.0)),
    )


def _seam(_: FlatPattern) -> Drawing:
    return Drawing(
        (
            Mark("cloth", [(3, 6), (12, 2), (15, 12), (12, 22), (4, 15)]),
            Mark("cloth", [(5, 7), (14, 3), (17, 12), (14, 21), (6, 16)]),
            Mark("sew", [(12.6, 4.6), (15.2, 12), (12.6, 19.6)]),
            Mark("arrow", [(19, 12), (22.6, 12)]),
            Mark("cloth", [(24, 6), (30.5, 3), (37, 6), (35.5, 15), (30.5, 21), (25.5, 15)]),
            Mark("sew", [(30.5, 3), (30.5, 21)]),
        ),
        (("right sides in", 1.0, 23.8),),
    )


def _tube(_: FlatPattern) -> Drawing:
    return Drawing(
        (
            Mark("cloth", _box(2, 6, 15, 18)),
            Mark("sew", [(14, 6), (14, 18)]),
            Mark("arrow", [(17, 12), (21.4, 12)]),
            Mark("cloth", [*_arc(30, 5, 6, 2, 0.5, 1.0), *_arc(30, 19, 6, 2, 0.0, 0.5)]),
            Mark("line", _arc(30, 5, 6, 2, 0.0, 0.5)),
            Mark("sew", [(31.5, 7.4), (31.5, 20.6)]),
        ),
        (("folded in half", 1.0, 21.5), ("tube", 25.6, 14.0)),
    )


def _pleats(pattern: FlatPattern) -> Drawing:
    depths = list(pleat_depths(pattern).values())
    # From the side: cloth runs down, up behind its mountain edge, and down again.
    side: list[tuple[float, float]] = [(8.0, 1.5)]
    for number in range(len(depths[:3])):
        y = 7.5 + 6.0 * number
        side += [(8.0 - 1.2 * number, y), (9.4 - 1.2 * number, y - 3.6), (6.8 - 1.2 * number, y - 3.2)]
    side.append((side[-1][0], 23.0))
    rows = [Mark("fold", [(20, 6.5 + 5.5 * number), (36, 6.5 + 5.5 * number)]) for number in range(3)]
    return Drawing(
        (
            Mark("line", side),
            Mark("line", [(11.6, 3.9), (14.4, 3.9)]),
            Mark("line", [(11.6, 7.5), (14.4, 7.5)]),
            Mark("cloth", _box(20, 2, 36, 22)),
            *rows,
        ),
        ((f"{depths[0]:.1f}", 14.8, 6.5), ("mm", 14.8, 9.0), ("side", 11.0, 16.0), ("front", 25.2, 5.2)),
    )


def _fold(_: FlatPattern) -> Drawing:
    return Drawing((Mark("cloth", _MASK), Mark("fold", [(7, 10), (31, 10)])), (("fold", 16.8, 14.0),))


def _hem(_: FlatPattern) -> Drawing:
    return Drawing(
        (
            Mark("cloth", [(3, 10), (28, 10), (28, 12), (3, 12)]),
            Mark("line", [(28, 12), (30.5, 13), (28, 14.6), (17, 14.6)]),
            Mark("sew", [(20, 8.6), (20, 16.2)]),
            Mark("arrow", [*_arc(30.5, 12.5, 4.5, 4.5, 0.78, 1.12)]),
        ),
        (("right side", 4.0, 8.6), ("turned to the back", 3.0, 19.4)),
    )


def _wire(_: FlatPattern) -> Drawing:
    return Drawing(
        (Mark("cloth", _MASK), Mark("wire", [(12.5, 7.2), (19, 5.2), (25.5, 7.2)])),
        (("wire, on the back", 11.0, 12.0),),
    )


def _sides(_: FlatPattern) -> Drawing:
    return Drawing(
        (
            Mark("cloth", _box(7, 4, 31, 20)),
            *(Mark("fold", [(9.5, y), (28.5, y)]) for y in (8.0, 12.0, 16.0)),
            Mark("sew", [(9, 4), (9, 20)]),
            Mark("sew", [(29, 4), (29, 20)]),
            Mark("arrow", [(3, 12), (6.4, 12)]),
            Mark("arrow", [(35, 12), (31.6, 12)]),
        ),
        (("turn and stitch both sides", 6.0, 23.4),),
    )


def _straps(upper: Points, lower: Points, words: str) -> Callable[[FlatPattern], Drawing]:
    mirrored = [[(38.0 - x, y) for x, y in points] for points in (upper, lower)]
    marks = tuple(Mark("elastic", points) for points in (upper, lower, *mirrored) if points)
    return lambda _: Drawing((Mark("cloth", _MASK), *marks), ((words, 11.2, 12.0),))


_DRAWINGS: dict[str, Callable[[FlatPattern], Drawing]] = {
    "transfer": _transfer,
    "cut": _cut,
    "dart": _dart,
    "seam": _seam,
    "tube": _tube,
    "pleats": _pleats,
    "fold": _fold,
    "hem": _hem,
    "wire": _wire,
    "sides": _sides,
    "ear_loops": _straps([(6, 7), (1.5, 6.5), (1.0, 11), (3, 14.5), (8, 14)], [], "elastic, 2 times"),
    "head_straps": _straps([(6, 7), (3, 4), (2, 0.5)], [(8, 14), (4, 15), (0.5, 17)], "elastic, 2 times"),
    "ties": _straps([(6, 7), (4, 4), (4.5, 0.5)], [(8, 14), (3, 17), (2, 22)], "tape, 4 times"),
}
DRAWINGS = tuple(_DRAWINGS)
