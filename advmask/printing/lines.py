"""The lines of a pattern on a PDF page."""

from collections.abc import Sequence

import numpy as np
from fpdf import FPDF
from jaxtyping import Float64

from advmask.masks.pattern import FlatPattern
from advmask.masks.svg_writer import MEANINGS, STYLES
from advmask.printing.latin import latin
from advmask.printing.raster import CUT_LINE_MM

_THIN_MM = 0.2
_TICK_MM = 5.0
_LEGEND_STEP_MM = 34.0
_LEGEND_LINE_MM = 5.0


def draw_cloth_lines(pdf: FPDF, pattern: FlatPattern, *, left: float, top: float) -> None:
    """Draw what may stand on cloth: cuts, finished edges within them, and ticks where folds end.

    Args:
        pdf: On the page of the print.
        pattern: The flat pattern.
        left: Where the pattern's origin lies on the page, mm.
        top: The same, downwards.
    """
    widest = max(panel.allowance_mm for panel in pattern.panels)
    for panel in pattern.panels:
        if panel.allowance_mm > 0:
            _set(pdf, "finished", width=_THIN_MM)
            _draw(pdf, panel.outline_mm, left, top, closed=True)
        _set(pdf, "cut", width=CUT_LINE_MM)
        _draw(pdf, panel.cut_mm(), left, top, closed=True)
    if widest == 0:
        return
    _set(pdf, "fold", width=_THIN_MM, dashed=False)
    for line in pattern.lines:
        if line.kind == "fold":
            for end, before in (
                (line.points_mm[0], line.points_mm[1]),
                (line.points_mm[-1], line.points_mm[-2]),
            ):
                way = (end - before) / max(float(np.linalg.norm(end - before)), 1e-9)
                _draw(pdf, np.stack([end, end + way * min(_TICK_MM, widest)]), left, top, closed=False)


def draw_plan(
    pdf: FPDF, pattern: FlatPattern, *, left: float, top: float, legend: tuple[float, float]
) -> None:
    """Draw all lines of a pattern, the names of its panels, and at `legend` (mm) what they mean."""
    for panel in pattern.panels:
        drawn = [("safe", panel.safe_mm()), ("cut", panel.cut_mm())]
        if panel.allowance_mm > 0:
            drawn.append(("finished", panel.outline_mm))
        for kind, points in drawn:
            _set(pdf, kind)
            _draw(pdf, points, left, top, closed=True)
    for line in pattern.lines:
        _set(pdf, line.kind)
        _draw(pdf, line.points_mm, left, top, closed=False)
    pdf.set_font("helvetica", size=8)
    for panel in pattern.panels:
        u, v = (panel.outline_mm.min(axis=0) + panel.outline_mm.max(axis=0)) / 2
        name = latin(panel.name)
        pdf.text(left + u - pdf.get_string_width(name) / 2, top + v + 5.0, name)
        pdf.set_draw_color(0, 0, 0)
        pdf.set_dash_pattern()
        pdf.set_line_width(_THIN_MM)
        pdf.line(left + u, top + v, left + u, top + v - 15.0)
        pdf.polyline(
            [(left + u - 1.5, top + v - 12.0), (left + u, top + v - 15.0), (left + u + 1.5, top + v - 12.0)]
        )
        pdf.text(left + u - pdf.get_string_width("up") / 2, top + v - 16.5, "up")
    _legend(pdf, [kind for kind in STYLES if _is_drawn(pattern, kind)], legend)


def _is_drawn(pattern: FlatPattern, kind: str) -> bool:
    if kind == "finished":
        return any(panel.allowance_mm > 0 for panel in pattern.panels)
    return kind in {"cut", "safe"} or any(line.kind == kind for line in pattern.lines)


def _legend(pdf: FPDF, kinds: Sequence[str], place: tuple[float, float]) -> None:
    pdf.set_font("helvetica", size=8)
    for number, kind in enumerate(kinds):
        x, y = place[0] + _LEGEND_STEP_MM * (number % 4), place[1] + _LEGEND_LINE_MM * (number // 4)
        _set(pdf, kind)
        pdf.line(x, y - 1.0, x + 9.0, y - 1.0)
        pdf.text(x + 10.5, y, MEANINGS[kind])


def _set(pdf: FPDF, kind: str, *, width: float | None = None, dashed: bool = True) -> None:
    colour, own_width, dashes = STYLES[kind]
    pdf.set_draw_color(*(int(colour[place : place + 2], 16) for place in (1, 3, 5)))
    pdf.set_line_width(own_width if width is None else width)
    if dashed and dashes:
        # fpdf2 knows one dash and one gap; the dots of dash-dot lines are left out.
        pdf.set_dash_pattern(dash=dashes[0], gap=dashes[1])
    else:
        pdf.set_dash_pattern()


def _draw(pdf: FPDF, points: Float64[np.ndarray, "n 2"], left: float, top: float, *, closed: bool) -> None:
    places = [(left + u, top + v) for u, v in points.tolist()]
    if closed:
        pdf.polygon(places, style="D")
    else:
        pdf.polyline(places)
