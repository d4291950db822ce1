"""The printed picture of a mask: the design on its panels and a little past their cuts, white beyond."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advmask.core.errors import DesignError
from advmask.masks.flat_pattern import FlatPattern
from advmask.printing.bleed import continued
from advmask.printing.coverage import signed_distance_px
from advmask.printing.settings import PrintingSettings
from advmask.printing.upsample import MM_PER_INCH, dots, plan_print
from advmask.textures.design_files import Design

_STRIP_ROWS = 256
_SPARE = 8  # texels


def margin_mm(pattern: FlatPattern, printing: PrintingSettings) -> float:
    """How far the printed picture goes beyond the pattern's box on each side: largest allowance and bleed."""
    return max(panel.allowance_mm for panel in pattern.panels) + printing.bleed_mm


@dataclass(frozen=True, eq=False)
class Artwork:
    """The design at print resolution, without any line.

    Attributes:
        colour: (h, w, 3) sRGB, 0 to 255; where nothing is printed, the design goes on.
        coverage: (h, w) 0 to 255, the share of each dot that is printed: panels, allowances and bleed.
    """

    colour: NDArray[np.uint8]
    coverage: NDArray[np.uint8]

    def on_white(self) -> NDArray[np.uint8]:
        """(h, w, 3) with white where nothing is printed."""
        white = self.colour.copy()
        for top in range(0, len(white), _STRIP_ROWS):
            rows = slice(top, top + _STRIP_ROWS)
            share = self.coverage[rows, :, None].astype(np.float32) / 255.0
            white[rows] = (255.0 + (white[rows] - np.float32(255.0)) * share).round().astype(np.uint8)
        return white

    def with_alpha(self) -> NDArray[np.uint8]:
        """(h, w, 4) with the coverage as alpha, not multiplied in."""
        colour = np.where(self.coverage[..., None] > 0, self.colour, np.uint8(255))
        return np.concatenate([colour, self.coverage[..., None]], axis=2)

    def mirrored(self) -> "Artwork":
        """Left and right exchanged; twice is the artwork itself."""
        return Artwork(
            np.ascontiguousarray(self.colour[:, ::-1]), np.ascontiguousarray(self.coverage[:, ::-1])
        )


def picture_size(pattern: FlatPattern, printing: PrintingSettings) -> tuple[float, float, int, int]:
    """Width and height of the printed picture, in millimetres and in dots."""
    around = margin_mm(pattern, printing)
    left, top, right, bottom = pattern.box_mm
    width, height = right - left + 2 * around, bottom - top + 2 * around
    return width, height, dots(width, dpi=printing.dpi), dots(height, dpi=printing.dpi)


def rasterise(design: Design, pattern: FlatPattern, printing: PrintingSettings) -> Artwork:
    """Draw a mask at print resolution.

    Convention: the picture is the pattern's box with `margin_mm` added on each of its four sides. On each
    panel stands the design; from its finished edge to `allowance + bleed` beyond it, it goes on as
    `continued` describes. Edges are antialiased by their distance from the pixel centre.

    Args:
        design: Its texels cover the pattern's box within one texel.
        pattern: The flat pattern.
        printing: Resolution and bleed.

    Returns:
        The artwork, `w = round((width_mm + 2 margin_mm) dpi / 25.4)` and h the same way.

    Raises:
        DesignError: The design does not fit the pattern.
    """
    check_fits(design, pattern)
    scale = design.texels_per_mm
    around = margin_mm(pattern, printing)
    width_mm, height_mm, width, height = picture_size(pattern, printing)
    # Some texels more than the margin, for the interpolation at its edge and for the tolerance of one texel.
    margin = math.ceil(around * scale) + _SPARE
    left = margin - around * scale
    box = (left, left, left + width_mm * scale, left + height_mm * scale)
    around_ = None if design.around is None else _values(design.around)
    texels = continued(_values(design.texels), pattern, per_mm=scale, margin=margin, around=around_)
    plan = plan_print(texels, box=box, size=(width, height))
    colour = np.empty((height, width, 3), dtype=np.uint8)
    # In strips, so that 1200 dpi does not need gigabytes of floating-point numbers.
    for top in range(0, height, _STRIP_ROWS):
        rows = min(_STRIP_ROWS, height - top)
        strip = plan.rows(top, rows).transpose(1, 2, 0)
        colour[top : top + rows] = (strip * 255.0).round().astype(np.uint8)
    return Artwork(colour, coverage_of(pattern, printing))


def coverage_of(pattern: FlatPattern, printing: PrintingSettings) -> NDArray[np.uint8]:
    """(h, w) 0 to 255, the share of each dot of the printed picture that is printed."""
    width_mm, height_mm, width, height = picture_size(pattern, printing)
    dots_per_mm = printing.dpi / MM_PER_INCH
    start = np.array(pattern.box_mm[:2]) - margin_mm(pattern, printing)
    per_mm = np.array([width / width_mm, height / height_mm])
    corners = [(panel.outline_mm - start) * per_mm for panel in pattern.panels]
    coverage = np.empty((height, width), dtype=np.uint8)
    for top in range(0, height, _STRIP_ROWS):
        rows = min(_STRIP_ROWS, height - top)
        inked = np.zeros((rows, width), dtype=np.float32)
        for panel, ring in zip(pattern.panels, corners, strict=True):
            reach = (panel.allowance_mm + printing.bleed_mm) * dots_per_mm
            distance = signed_distance_px(ring - (0.0, top), height=rows, width=width, reach=reach + 2.0)
            np.maximum(inked, np.clip(reach + 0.5 - distance, 0.0, 1.0), out=inked)
        coverage[top : top + rows] = (inked * 255.0).round().astype(np.uint8)
    return coverage


def check_fits(design: Design, pattern: FlatPattern) -> None:
    """Make sure that a design was made for a pattern.

    Raises:
        DesignError: It belongs to another pattern, scale or size.
    """
    if design.pattern != pattern.name:
        raise DesignError(
            f"The design is made for pattern {design.pattern} and not for {pattern.name}; print it on its "
            "own pattern."
        )
    left, top, right, bottom = pattern.box_mm
    expected = [side * design.texels_per_mm for side in (right - left, bottom - top)]
    height, width = design.texels.shape[1:]
    if abs(width - expected[0]) > 1.0 or abs(height - expected[1]) > 1.0:
        raise DesignError(
            f"A design of {width} x {height} texels does not fit pattern {pattern.name} in size "
            f"{pattern.size}, which has {expected[0]:.0f} x {expected[1]:.0f}; use its own pattern and size."
        )


def _values(texels: Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = texels.detach().cpu().to(torch.float32).clamp(0.0, 1.0).numpy()
    return values
