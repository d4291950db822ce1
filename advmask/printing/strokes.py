"""The lines of a pattern as a transparent picture, drawn finer than it is and averaged."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.svg_writer import STYLES
from advmask.printing.lines import kinds_of

_FINE_DPI = 1200  # lines are drawn at least about this fine
_BAND_ROWS = 512


class Stroke(NamedTuple):
    """A line in the frame of a pattern: colour, width in mm, and (N, 2) points in mm."""

    colour: str
    width_mm: float
    points_mm: Float64[np.ndarray, "n 2"]


def strokes_of(pattern: FlatPattern, bleed_mm: float) -> list[Stroke]:
    """All lines of a pattern, each kind in its colour.

    Args:
        pattern: The flat pattern.
        bleed_mm: How far ink goes beyond the cut.
    """
    outlines = {
        "bleed": lambda panel: panel.bleed_mm(bleed_mm),
        "safe": lambda panel: panel.safe_mm(),
        "cut": lambda panel: panel.cut_mm(),
        "finished": lambda panel: panel.outline_mm,
    }
    strokes = []
    for kind in kinds_of(pattern):
        style = STYLES[kind][:2]
        for panel in pattern.panels if kind in outlines else ():
            points = outlines[kind](panel)
            strokes.append(Stroke(*style, np.vstack([points, points[:1]])))
        strokes += [Stroke(*style, line.points_mm) for line in pattern.lines if line.kind == kind]
    return strokes


def drawn_strokes(
    strokes: Sequence[Stroke],
    frame_mm: tuple[float, float, float, float],
    *,
    size: tuple[int, int],
    dpi: int,
) -> NDArray[np.uint8]:
    """Lines on a clear ground, (h, w, 4), one over the other.

    Args:
        strokes: In the frame of the pattern.
        frame_mm: Left, top, right and bottom of the picture.
        size: Its height and width in dots.
        dpi: About how fine that is.
    """
    height, width = size
    left, top, right, bottom = frame_mm
    per_mm = np.array([width / (right - left), height / (bottom - top)])
    finer = max(1, _FINE_DPI // dpi)
    lines = [
        (
            one.colour,
            max(1.0, one.width_mm * float(per_mm.mean())),
            (one.points_mm - np.array([left, top])) * per_mm,
        )
        for one in strokes
    ]
    pixels = np.empty((height, width, 4), dtype=np.uint8)
    for first in range(0, height, _BAND_ROWS):
        rows = min(_BAND_ROWS, height - first)
        band = Image.new("RGBA", (width, rows))
        for colour, line_px, points in lines:
            # Only where the stroke is: most are short, and a fine picture of the whole band is large.
            least, most = points.min(axis=0) - line_px - 1, points.max(axis=0) + line_px + 1
            x0, y0 = np.floor(np.maximum(least, [0, first])).astype(int).tolist()
            x1, y1 = np.ceil(np.minimum(most, [width, first + rows])).astype(int).tolist()
            if x0 >= x1 or y0 >= y1:
                continue
            fine = Image.new("L", ((x1 - x0) * finer, (y1 - y0) * finer))
            # Pillow counts pixels by their corners' numbers: centres are half a pixel on.
            places = [(x, y) for x, y in ((points - [x0, y0]) * finer - 0.5).tolist()]
            ImageDraw.Draw(fine).line(places, fill=255, width=max(1, round(line_px * finer)), joint="curve")
            cover = fine.resize((x1 - x0, y1 - y0), Image.Resampling.BOX)
            solid = Image.new("RGBA", cover.size, colour)
            solid.putalpha(cover)
            band.alpha_composite(solid, (x0, y0 - first))
        pixels[first : first + rows] = np.asarray(band)
    return pixels
