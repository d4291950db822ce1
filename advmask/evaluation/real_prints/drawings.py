"""Small schematic drawings of a masked head, as vectors on a PDF page."""

import math

from fpdf import FPDF

from advmask.evaluation.real_prints.situations import Situation

_LINE, _CLOTH, _SKIN, _GROUND = (60, 60, 60), (190, 205, 215), (255, 255, 255), (243, 243, 243)
_Point = tuple[float, float]


def draw_situation(pdf: FPDF, situation: Situation, *, left: float, top: float, side: float) -> None:
    """Draw a situation into a square.

    Args:
        pdf: On the page.
        situation: What is shown.
        left: Of the square, mm.
        top: Of the square, mm.
        side: Of the square, mm.
    """
    pdf.set_dash_pattern()
    pdf.set_fill_color(*_GROUND)
    pdf.rect(left, top, side, side, style="F", round_corners=True, corner_radius=1.5)
    pdf.set_draw_color(*_LINE)
    pdf.set_line_width(0.3)
    radius = 0.26 * side * situation.size
    middle = (left + 0.5 * side, top + (0.56 if situation.size > 0.8 else 0.6) * side)
    _head(pdf, middle, radius, situation)
    _light(pdf, situation, left, top, side)
    _move(pdf, situation, middle, radius, left, top, side)


def draw_box(pdf: FPDF, *, left: float, top: float, side: float = 3.2) -> None:
    """Draw a box to be ticked."""
    pdf.set_dash_pattern()
    pdf.set_draw_color(*_LINE)
    pdf.set_line_width(0.25)
    pdf.rect(left, top, side, side)


def _head(pdf: FPDF, middle: _Point, radius: float, situation: Situation) -> None:
    x, y = middle
    height = 1.3 * radius
    shift, lift = 0.45 * radius * situation.turn, 0.5 * radius * situation.tilt
    pdf.set_fill_color(*_SKIN)
    for ear in (-1, 1):
        away = 1 - 0.5 * max(0.0, ear * situation.turn)
        pdf.ellipse(x + ear * radius * 0.98 * away - 0.14 * radius, y - 0.3 * radius, 0.28 * radius,
                    0.5 * radius, style="DF")  # fmt: skip
    pdf.ellipse(x - radius, y - height, 2 * radius, 2 * height, style="DF")
    drop = 0.14 * radius if situation.talks else 0.0
    _mask(pdf, x, y, radius, height, shift, lift, drop)
    eye_y = y - 0.32 * radius - lift
    pdf.set_fill_color(*_LINE)
    for eye in (-1, 1):
        at = x + shift + eye * 0.4 * radius * math.cos(0.6 * situation.turn)
        size = 0.13 * radius
        pdf.ellipse(at - size, eye_y - size, 2 * size, 2 * size, style="F")
        pdf.line(at - 0.2 * radius, eye_y - 0.3 * radius, at + 0.2 * radius, eye_y - 0.3 * radius)


def _mask(
    pdf: FPDF, x: float, y: float, radius: float, height: float, shift: float, lift: float, drop: float
) -> None:
    """The lower face, covered: from the bridge of the nose along the cheeks round the chin."""
    nose = (x + shift, y - 0.2 * radius - lift)
    edge_y = y + 0.12 * radius - 0.6 * lift
    rim: list[_Point] = []
    start = math.asin(max(-1.0, min(1.0, (edge_y - y) / height)))
    for step in range(25):
        angle = start + (math.pi - 2 * start) * step / 24
        rim.append((x + 0.97 * radius * math.cos(angle), y + 0.97 * height * math.sin(angle) + drop))
    rim[0], rim[-1] = (rim[0][0], edge_y), (rim[-1][0], edge_y)
    pdf.set_fill_color(*_CLOTH)
    pdf.polygon([nose, *rim], style="DF")
    pdf.set_line_width(0.2)
    pdf.line(nose[0], nose[1], x + 0.8 * shift, y + 0.9 * height + drop)
    if drop:
        mouth = y + 0.62 * radius
        pdf.ellipse(x + shift - 0.2 * radius, mouth, 0.4 * radius, 0.34 * radius)
    pdf.set_line_width(0.3)


def _light(pdf: FPDF, situation: Situation, left: float, top: float, side: float) -> None:
    if situation.light is None:
        return
    if situation.light == "front":  # a window, seen by the one who is photographed
        x, y, width = left + 0.05 * side, top + 0.05 * side, 0.2 * side
        pdf.set_fill_color(255, 255, 255)
        pdf.rect(x, y, width, width, style="DF")
        pdf.line(x + width / 2, y, x + width / 2, y + width)
        pdf.line(x, y + width / 2, x + width, y + width / 2)
        _arrow(pdf, (x + 1.15 * width, y + 1.15 * width), (x + 1.55 * width, y + 1.5 * width))
        return
    if situation.light == "side":
        x, y = left + 0.04 * side, top + 0.32 * side
        pdf.set_fill_color(255, 255, 255)
        pdf.rect(x, y, 0.07 * side, 0.44 * side, style="DF")
        for part in (0.1, 0.22, 0.34):
            _arrow(pdf, (x + 0.09 * side, y + part * side), (x + 0.17 * side, y + part * side))
        return
    x, y = left + 0.5 * side, top + 0.03 * side
    pdf.line(x, top, x, y)
    pdf.set_fill_color(255, 255, 255)
    pdf.polygon([(x - 0.05 * side, y), (x + 0.05 * side, y), (x + 0.12 * side, y + 0.08 * side),
                 (x - 0.12 * side, y + 0.08 * side)], style="DF")  # fmt: skip
    for way in (-0.09, 0.0, 0.09):
        _arrow(pdf, (x + way * side, y + 0.1 * side), (x + 1.5 * way * side, y + 0.17 * side))


def _move(
    pdf: FPDF, situation: Situation, middle: _Point, radius: float, left: float, top: float, side: float
) -> None:
    x, y = middle
    if situation.move == "around":
        for way in (-1, 1):
            _arrow(
                pdf, (x + way * 0.55 * radius, top + 0.1 * side), (x + way * 1.5 * radius, top + 0.1 * side)
            )
    elif situation.move == "closer":
        for way in (-1, 1):
            start = (x + way * 1.5 * radius, y - 0.4 * radius)
            _arrow(pdf, start, (x + way * 2.6 * radius, y + 1.9 * radius))
    elif situation.move == "camera above":
        at = (left + 0.1 * side, top + 0.08 * side)
        pdf.set_fill_color(*_LINE)
        pdf.rect(at[0], at[1], 0.17 * side, 0.11 * side, style="F")
        _arrow(pdf, (at[0] + 0.2 * side, at[1] + 0.13 * side), (x - 0.8 * radius, y - 1.5 * radius))


def _arrow(pdf: FPDF, start: _Point, end: _Point) -> None:
    pdf.line(*start, *end)
    length = math.hypot(end[0] - start[0], end[1] - start[1])
    if length == 0:
        return
    along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    head = min(1.2, 0.5 * length)
    for way in (-0.5, 0.5):
        back = (-along[0] - way * along[1], -along[1] + way * along[0])
        pdf.line(end[0], end[1], end[0] + head * back[0], end[1] + head * back[1])
