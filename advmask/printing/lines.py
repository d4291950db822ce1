"""The lines of a pattern on a PDF page, each kind on its own layer."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from fpdf import FPDF
from jaxtyping import Float64

from advmask.masks.flat_pattern import SAFE_MM, FlatPattern, Panel
from advmask.masks.svg_writer import MEANINGS, STYLES
from advmask.printing.latin import latin
from advmask.printing.layered_pdf import LayeredPdf
from advmask.printing.plan_names import Label, labels_of

CUT_LINE_MM = 0.2
_THIN_MM = 0.2
_TICK_MM = 5.0
_LEGEND_COLUMNS, _LEGEND_MM = 3, 39.0


def kinds_of(pattern: FlatPattern) -> list[str]:
    """The kinds of lines that a pattern has, in the order of the legend."""
    there = {"cut", "bleed"} | {line.kind for line in pattern.lines}
    if any(panel.allowance_mm > 0 for panel in pattern.panels):
        there.add("finished")
    if any(_has_safe(panel) for panel in pattern.panels):
        there.add("safe")
    return [kind for kind in STYLES if kind in there]


def draw_cloth_lines(pdf: LayeredPdf, pattern: FlatPattern, *, left: float, top: float) -> None:
    """Draw what may stand on cloth: cuts, and in the allowance ticks where folds end.

    Args:
        pdf: On the page of the print.
        pattern: The flat pattern.
        left: Where the pattern's origin lies on the page, mm.
        top: The same, downwards.
    """
    with pdf.layer(MEANINGS["cut"]):
        _set(pdf, "cut", width=CUT_LINE_MM)
        for panel in pattern.panels:
            _draw(pdf, panel.cut_mm(), left, top, closed=True)
    if "fold" not in kinds_of(pattern):
        return
    with pdf.layer(MEANINGS["fold"]):
        _set(pdf, "fold", width=_THIN_MM, dashed=False)
        for tick in fold_ticks(pattern):
            _draw(pdf, tick, left, top, closed=False)


def fold_ticks(pattern: FlatPattern) -> list[Float64[np.ndarray, "2 2"]]:
    """Short lines in the allowance, where nobody sees them on the worn mask, that say where folds end."""
    widest = max(panel.allowance_mm for panel in pattern.panels)
    ticks = []
    for line in pattern.lines if widest > 0 else ():
        if line.kind == "fold":
            for end, before in (
                (line.points_mm[0], line.points_mm[1]),
                (line.points_mm[-1], line.points_mm[-2]),
            ):
                way = (end - before) / max(float(np.linalg.norm(end - before)), 1e-9)
                ticks.append(np.stack([end, end + way * min(_TICK_MM, widest)]))
    return ticks


def plan_outlines(pattern: FlatPattern, bleed_mm: float) -> dict[str, list[Float64[np.ndarray, "n 2"]]]:
    """The closed lines of a plan, by kind."""
    return {
        "bleed": [panel.bleed_mm(bleed_mm) for panel in pattern.panels],
        "safe": [panel.safe_mm() for panel in pattern.panels if _has_safe(panel)],
        "cut": [panel.cut_mm() for panel in pattern.panels],
        "finished": [panel.outline_mm for panel in pattern.panels],
    }


def draw_plan(pdf: LayeredPdf, pattern: FlatPattern, *, bleed_mm: float, left: float, top: float) -> None:
    """Draw all lines of a pattern, with the names of panels, folds and seams."""
    outlines = plan_outlines(pattern, bleed_mm)
    for kind in kinds_of(pattern):
        with pdf.layer(MEANINGS[kind]):
            _set(pdf, kind)
            for points in outlines.get(kind, ()):
                _draw(pdf, points, left, top, closed=True)
            for line in pattern.lines:
                if line.kind == kind:
                    _draw(pdf, line.points_mm, left, top, closed=False)
    with pdf.layer("labels"):
        pdf.set_draw_color(0, 0, 0)
        pdf.set_line_width(_THIN_MM)
        pdf.set_dash_pattern()
        for label in labels_of(pattern, plan_outlines(pattern, bleed_mm), width_of=partial(_width, pdf)):
            _draw_label(pdf, label, left, top)


def draw_legend(pdf: FPDF, pattern: FlatPattern, *, left: float, top: float, step: float) -> float:
    """Draw what lines mean, in columns; gives how far down it goes."""
    for number, kind in enumerate(kinds_of(pattern)):
        _set(pdf, kind)
        x, y = left + _LEGEND_MM * (number % _LEGEND_COLUMNS), top + step * (number // _LEGEND_COLUMNS)
        pdf.line(x, y - 1.0, x + 11.0, y - 1.0)
        pdf.text(x + 13.0, y, MEANINGS[kind])
    return top + step * (1 + number // _LEGEND_COLUMNS)


def _width(pdf: FPDF, words: str, size: float) -> float:
    pdf.set_font("helvetica", size=size)
    return pdf.get_string_width(latin(words))


def _draw_label(pdf: FPDF, label: Label, left: float, top: float) -> None:
    x, y = left + label.at[0], top + label.at[1]
    pdf.set_font("helvetica", size=label.size)
    with pdf.rotation(-label.angle_deg, x, y):
        pdf.text(x - label.width / 2, y + label.baseline, latin(label.words))
        if label.arrow_mm > 0:
            tip = y - label.foot_of_arrow - label.arrow_mm
            pdf.line(x, tip + label.arrow_mm, x, tip)
            pdf.polyline([(x - 1.5, tip + 3.0), (x, tip), (x + 1.5, tip + 3.0)])


def _has_safe(panel: Panel) -> bool:
    low, high = panel.outline_mm.min(axis=0), panel.outline_mm.max(axis=0)
    return bool((high - low).min() > 4 * SAFE_MM)


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
    places: Sequence[tuple[float, float]] = [(left + u, top + v) for u, v in points.tolist()]
    if closed:
        pdf.polygon(places, style="D")
    else:
        pdf.polyline(places)
