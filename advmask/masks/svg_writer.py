"""A flat pattern as an SVG drawing at true size, to be printed on paper, edited, and read back."""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from jaxtyping import Float64

from advmask.masks.flat_pattern import SAFE_MM, FlatPattern, Panel

# Colour, width in mm and dashes in mm of each kind of line; printing uses the same.
STYLES: dict[str, tuple[str, float, tuple[float, ...]]] = {
    "cut": ("#ff00ff", 0.25, ()),
    "finished": ("#0050ff", 0.35, ()),
    "safe": ("#00a000", 0.2, (1.5, 1.5)),
    "bleed": ("#808080", 0.2, (0.6, 1.2)),
    "seam": ("#e00000", 0.35, (4.0, 1.5)),
    "fold": ("#e08000", 0.35, (6.0, 1.5, 1.0, 1.5)),
    "wire": ("#404040", 0.7, (0.7, 1.4)),
}
MEANINGS = {
    "cut": "cut here",
    "finished": "finished edge",
    "safe": "safe area",
    "bleed": "ink ends",
    "seam": "sew",
    "fold": "fold",
    "wire": "nose wire",
}
_MARGIN_MM = 5.0
_FOOT_MM = 26.0
_RULER_MM = 100.0
_LEGEND_STEP_MM = 46.0
_WIDTH_AT_LEAST_MM = 4 * _LEGEND_STEP_MM + 8.0


def pattern_svg(pattern: FlatPattern, *, bleed_mm: float = 3.0) -> str:
    """Draw a pattern as SVG.

    Convention: one user unit is one millimetre; (0, 0) is the top of the nose line, x to the right, y down.
    Each kind of line is a group (a layer in Inkscape) whose class is `bleed`, `safe`, `cut`, `finished`,
    `seam`, `fold` or `wire`. `advmask.masks.svg_pattern` reads the groups `finished`, `seam`, `fold` and
    `wire` back; the others follow from them. The same pattern gives the same text.

    Args:
        pattern: What to draw.
        bleed_mm: How far ink goes beyond the cut.
    """
    bleeds = [panel.bleed_mm(bleed_mm) for panel in pattern.panels]
    everything = np.concatenate([*bleeds, *(line.points_mm for line in pattern.lines)])
    (left, top), (right, bottom) = everything.min(axis=0), everything.max(axis=0)
    # Whole millimetres, so that width, height and viewBox agree exactly.
    left, top = np.floor(left - _MARGIN_MM), np.floor(top - _MARGIN_MM)
    width = max(np.ceil(right + _MARGIN_MM) - left, _WIDTH_AT_LEAST_MM)
    foot = np.ceil(bottom + _MARGIN_MM)
    height = foot + _FOOT_MM - top
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<svg xmlns="http://www.w3.org/2000/svg" '
        'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        f'width="{width:g}mm" height="{height:g}mm" viewBox="{left:g} {top:g} {width:g} {height:g}" '
        f"data-pattern={quoteattr(pattern.name)} data-size={quoteattr(pattern.size)}>",
        f"<title>{escape(pattern.name)}, size {escape(pattern.size)}</title>",
        *_group("bleed", [_path(points) for points in bleeds]),
        *_group("safe", [_path(panel.safe_mm()) for panel in pattern.panels if _has_safe(panel)]),
        *_group("cut", [_path(panel.cut_mm()) for panel in pattern.panels]),
        *_group("finished", [_finished(number, panel) for number, panel in enumerate(pattern.panels, 1)]),
    ]
    for kind in ("seam", "fold", "wire"):
        drawn = [line for line in pattern.lines if line.kind == kind]
        lines += _group(kind, [_path(line.points_mm, name=line.name, closed=False) for line in drawn])
    lines += _group_of_labels([*_panel_labels(pattern), *_foot(pattern, left + 4.0, foot)])
    return "\n".join([*lines, "</svg>", ""])


def _group(kind: str, paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    colour, width, dashes = STYLES[kind]
    dash = f' stroke-dasharray="{" ".join(f"{dash:g}" for dash in dashes)}"' if dashes else ""
    head = (
        f'<g id="layer-{kind}" class="{kind}" inkscape:groupmode="layer" inkscape:label="{kind}" '
        f'fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"{dash}>'
    )
    return [head, *(f"  {path}" for path in paths), "</g>"]


def _path(
    points: Float64[np.ndarray, "n 2"], *, name: str | None = None, closed: bool = True, attributes: str = ""
) -> str:
    places = " L ".join(f"{_number(u)},{_number(v)}" for u, v in points.tolist())
    named = f" data-name={quoteattr(name)}" if name is not None else ""
    return f'<path{attributes}{named} d="M {places}{" Z" if closed else ""}"/>'


def _finished(number: int, panel: Panel) -> str:
    own = f' id="finished-{number}" data-allowance-mm="{panel.allowance_mm:g}"'
    return _path(panel.outline_mm, name=panel.name, attributes=own)


def _number(value: float) -> str:
    return f"{round(value, 4) + 0.0:.4f}".rstrip("0").rstrip(".")


def _has_safe(panel: Panel) -> bool:
    low, high = panel.outline_mm.min(axis=0), panel.outline_mm.max(axis=0)
    return bool((high - low).min() > 4 * SAFE_MM)


def _group_of_labels(elements: Sequence[str]) -> list[str]:
    head = (
        '<g id="layer-labels" class="labels" inkscape:groupmode="layer" inkscape:label="labels" '
        'font-family="sans-serif" font-size="3.5" fill="#000000" stroke="none">'
    )
    return [head, *(f"  {element}" for element in elements), "</g>"]


def _text(x: float, y: float, words: str, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text x="{_number(x)}" y="{_number(y)}"{anchor}>{escape(words)}</text>'


def _stroke(points: str, *, colour: str = "#000000", width: float = 0.3, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{points}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def _panel_labels(pattern: FlatPattern) -> list[str]:
    elements = []
    for panel in pattern.panels:
        (left, top), (right, bottom) = panel.outline_mm.min(axis=0), panel.outline_mm.max(axis=0)
        x, y = (left + right) / 2, (top + bottom) / 2
        elements += [
            _stroke(f"M {_number(x)},{_number(y + 12)} V {_number(y - 12)} m -2,4 l 2,-4 l 2,4"),
            _text(x, y - 14, "up", middle=True),
            _text(x, y + 17, f"{pattern.name} {pattern.size}: {panel.name}", middle=True),
        ]
    return elements


def _foot(pattern: FlatPattern, left: float, top: float) -> list[str]:
    ticks = "".join(
        f" M {_number(left + mm)},{_number(top)} v {4 if mm % 50 == 0 else 2.5}"
        for mm in range(0, round(_RULER_MM) + 1, 10)
    )
    elements = [
        _stroke(f"M {_number(left)},{_number(top)} h {_RULER_MM:g}{ticks}"),
        _text(left, top + 8, "100 mm: print at 100 %, measure this ruler"),
    ]
    used = {line.kind for line in pattern.lines} | {"cut", "finished", "safe", "bleed"}
    for place, kind in enumerate(kind for kind in STYLES if kind in used):
        colour, width, dashes = STYLES[kind]
        x, y = left + _LEGEND_STEP_MM * (place % 4), top + 14 + 6 * (place // 4)
        dash = " ".join(f"{one:g}" for one in dashes)
        elements.append(
            _stroke(f"M {_number(x)},{_number(y - 1.2)} h 9", colour=colour, width=width, dash=dash)
        )
        elements.append(_text(x + 11, y, MEANINGS[kind]))
    return elements
