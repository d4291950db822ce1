"""The lines of a pattern on a PDF page, each kind on its own layer."""

from collections.abc import Sequence

import numpy as np
from fpdf import FPDF
from jaxtyping import Float64

from advmask.masks.flat_pattern import SAFE_MM, FlatPattern, Panel, PatternLine
from advmask.masks.svg_writer import MEANINGS, STYLES
from advmask.printing.latin import latin
from advmask.printing.layered_pdf import LayeredPdf
from advmask.printing.page_marks import fitted

CUT_LINE_MM = 0.2
_THIN_MM = 0.2
_TICK_MM = 5.0
_LABEL_MM = 1.2
_ARROW_MM = 12.0


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


def draw_plan(pdf: LayeredPdf, pattern: FlatPattern, *, bleed_mm: float, left: float, top: float) -> None:
    """Draw all lines of a pattern, with the names of panels, folds and seams."""
    outlines = {
        "bleed": [panel.bleed_mm(bleed_mm) for panel in pattern.panels],
        "safe": [panel.safe_mm() for panel in pattern.panels if _has_safe(panel)],
        "cut": [panel.cut_mm() for panel in pattern.panels],
        "finished": [panel.outline_mm for panel in pattern.panels],
    }
    for kind in kinds_of(pattern):
        with pdf.layer(MEANINGS[kind]):
            _set(pdf, kind)
            for points in outlines.get(kind, ()):
                _draw(pdf, points, left, top, closed=True)
            for line in pattern.lines:
                if line.kind == kind:
                    _draw(pdf, line.points_mm, left, top, closed=False)
    with pdf.layer("labels"):
        for line in pattern.lines:
            _label(pdf, pattern, line, left, top)
        for panel in pattern.panels:
            _name(pdf, pattern, panel, left, top)


def draw_legend(pdf: FPDF, pattern: FlatPattern, *, left: float, top: float, step: float) -> float:
    """Draw what lines mean, one below the other; gives how far down it goes."""
    for kind in kinds_of(pattern):
        _set(pdf, kind)
        pdf.line(left, top - 1.0, left + 14.0, top - 1.0)
        pdf.text(left + 17.0, top, MEANINGS[kind])
        top += step
    return top


def pleat_depths(pattern: FlatPattern) -> dict[str, float]:
    """Depth of each pleat in mm, by its name: how far its valley fold lies from its mountain fold."""
    rows: dict[str, dict[str, float]] = {}
    for line in pattern.lines:
        name, comma, kind = line.name.rpartition(", ")
        if line.kind == "fold" and comma and kind in {"mountain", "valley"}:
            rows.setdefault(name, {})[kind] = float(line.points_mm[:, 1].mean())
    return {name: abs(row["valley"] - row["mountain"]) for name, row in rows.items() if len(row) == 2}


def _label(pdf: FPDF, pattern: FlatPattern, line: PatternLine, left: float, top: float) -> None:
    words = latin(line.name)
    name, comma, kind = line.name.rpartition(", ")
    if line.kind == "fold" and comma and kind in {"mountain", "valley"}:
        words = latin(f"{name}: {kind} fold") + (
            " (edge towards you)" if kind == "mountain" else " (edge away from you)"
        )
        if name in pleat_depths(pattern):
            words += f", {pleat_depths(pattern)[name]:.1f} mm deep"
    start, end = line.points_mm[0], line.points_mm[-1]
    if (end[0] - start[0], end[1] - start[1]) < (0.0, 0.0):
        start, end = end, start  # read from left to right, or downwards
    length = float(np.linalg.norm(end - start))
    words = words if length < 25.0 else fitted(pdf, words, length - 6.0, size=7.0, least=6.0)
    pdf.set_font("helvetica", size=7.0)
    if pdf.get_string_width(words) > length - 4.0:
        return
    at = (start + end) / 2
    way = (end - start) / length
    bow = _bow(line, below=line.kind == "wire")
    # The edge of the mask lies just above the nose wire.
    away = -bow - 2 * _LABEL_MM - 1.9 if line.kind == "wire" else bow
    centred, half = line.kind != "fold", length / 2
    _turned_text(pdf, words, left + at[0], top + at[1], way=way, away=away, centred=centred, half=half)


def _bow(line: PatternLine, *, below: bool) -> float:
    """How far the line bends away from its chord to one side of the reader, so that words clear it."""
    start, end = line.points_mm[0], line.points_mm[-1]
    if (end[0] - start[0], end[1] - start[1]) < (0.0, 0.0):
        start, end = end, start
    way = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    above = (line.points_mm - start) @ np.array([way[1], -way[0]])
    return float((-above if below else above).max(initial=0.0))


def _turned_text(
    pdf: FPDF, words: str, x: float, y: float, *, way: np.ndarray, away: float, centred: bool, half: float
) -> None:
    width = pdf.get_string_width(words)
    along = -width / 2 if centred else 3.0 - half
    with pdf.rotation(-float(np.degrees(np.arctan2(way[1], way[0]))), x, y):
        pdf.text(x + along, y - away - _LABEL_MM, words)


def _name(pdf: FPDF, pattern: FlatPattern, panel: Panel, left: float, top: float) -> None:
    (u0, v0), (u1, v1) = panel.outline_mm.min(axis=0), panel.outline_mm.max(axis=0)
    u = (u0 + u1) / 2
    # Between folds, in the widest strip that they leave.
    folds = [float(line.points_mm[:, 1].mean()) for line in pattern.lines if line.kind == "fold"]
    rows = np.array(sorted([float(v0), float(v1), *(row for row in folds if v0 < row < v1)]))
    widest = int(np.argmax(np.diff(rows)))
    v = (rows[widest] + rows[widest + 1]) / 2
    x, y = left + u, top + v
    _set(pdf, "safe", width=_THIN_MM, dashed=False)
    pdf.set_draw_color(0, 0, 0)
    pdf.line(x, y, x, y - _ARROW_MM)
    pdf.polyline([(x - 1.5, y - _ARROW_MM + 3.0), (x, y - _ARROW_MM), (x + 1.5, y - _ARROW_MM + 3.0)])
    name = fitted(pdf, latin(f"{panel.name}, this side up"), (u1 - u0) * 0.8, size=9.0)
    pdf.text(x - pdf.get_string_width(name) / 2, y + 5.0, name)


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
