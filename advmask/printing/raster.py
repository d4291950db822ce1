"""The printed picture of a mask: the design on its panels and a little past their cuts, white beyond."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from advmask.errors import DesignError
from advmask.masks.pattern import FlatPattern
from advmask.printing.coverage import signed_distance_px
from advmask.printing.settings import PrintingSettings
from advmask.printing.upsample import MM_PER_INCH, dots, resample
from advmask.textures.design_files import Design

CUT_LINE_MM = 0.2
CUT_LINE_RGB = (255, 0, 255)
"""Magenta: the colour print shops use for cutting lines, seldom met in a design."""

_STRIP_ROWS = 256


def margin_mm(pattern: FlatPattern, printing: PrintingSettings) -> float:
    """How far the printed picture goes beyond the pattern's box on each side: largest allowance and bleed."""
    return max(panel.allowance_mm for panel in pattern.panels) + printing.bleed_mm


def rasterise_mask(
    design: Design, pattern: FlatPattern, printing: PrintingSettings, *, cut_line: bool = True
) -> NDArray[np.uint8]:
    """Draw a mask at print resolution.

    Convention: the picture is the pattern's box with `margin_mm` added on each of its four sides. On each
    panel stands the design; from its finished edge to `allowance + bleed` beyond it, the colour of the
    nearest texel on a panel goes on (texels beyond were never seen in training and may hold anything); the
    rest is white. Edges are antialiased by their distance from the pixel centre.

    Args:
        design: Its texels cover the pattern's box within one texel.
        pattern: The flat pattern.
        printing: Resolution and bleed.
        cut_line: Whether to draw where to cut as a magenta line of 0.2 mm, at least one dot wide.

    Returns:
        (h, w, 3) sRGB, 0 to 255, with `w = round((width_mm + 2 margin_mm) dpi / 25.4)` and h likewise.

    Raises:
        DesignError: The design does not fit the pattern.
    """
    _check(design, pattern)
    scale, dots_per_mm = design.texels_per_mm, printing.dpi / MM_PER_INCH
    around = margin_mm(pattern, printing)
    left_mm, top_mm, right_mm, bottom_mm = pattern.box_mm
    width_mm, height_mm = right_mm - left_mm + 2 * around, bottom_mm - top_mm + 2 * around
    width, height = dots(width_mm, dpi=printing.dpi), dots(height_mm, dpi=printing.dpi)
    # Two texels more than the margin, for the interpolation at its edge and for the tolerance of one texel.
    margin = math.ceil(around * scale) + 2
    values = _continued(design, pattern, margin=margin)
    left = margin - around * scale
    texels_per_dot = np.array([width_mm / width, height_mm / height]) * scale
    start = np.array([left_mm, top_mm]) - around
    corners = [(panel.outline_mm - start) * scale / texels_per_dot for panel in pattern.panels]
    half_line_px = max(0.5, CUT_LINE_MM / 2.0 * dots_per_mm)
    picture = np.empty((height, width, 3), dtype=np.uint8)
    # In strips, so that 1200 dpi does not need gigabytes of floating-point numbers.
    for top in range(0, height, _STRIP_ROWS):
        rows = min(_STRIP_ROWS, height - top)
        box = (
            left,
            left + top * texels_per_dot[1],
            left + width_mm * scale,
            left + (top + rows) * texels_per_dot[1],
        )
        strip = resample(values, box=box, size=(width, rows)).transpose(1, 2, 0)
        inked, line = np.zeros((2, rows, width), dtype=np.float32)
        for panel, ring in zip(pattern.panels, corners, strict=True):
            cut_px, bleed_px = panel.allowance_mm * dots_per_mm, printing.bleed_mm * dots_per_mm
            beyond = cut_px + max(bleed_px, half_line_px) + 2.0
            distance = signed_distance_px(ring - (0.0, top), height=rows, width=width, reach=beyond)
            np.maximum(inked, np.clip(cut_px + bleed_px + 0.5 - distance, 0.0, 1.0), out=inked)
            np.maximum(line, np.clip(half_line_px + 0.5 - np.abs(distance - cut_px), 0.0, 1.0), out=line)
        strip = 1.0 + (strip - 1.0) * inked[..., None]
        if cut_line:
            ink = np.asarray(CUT_LINE_RGB, dtype=np.float32) / 255.0
            strip = strip + (ink - strip) * line[..., None]
        picture[top : top + rows] = (strip * 255.0).round().astype(np.uint8)
    return picture


def _check(design: Design, pattern: FlatPattern) -> None:
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


def _continued(design: Design, pattern: FlatPattern, *, margin: int) -> NDArray[np.float32]:
    values = design.texels.detach().cpu().to(torch.float32).clamp(0.0, 1.0).numpy()
    padded = np.pad(values, ((0, 0), (margin, margin), (margin, margin)), mode="edge")
    height, width = padded.shape[1:]
    outside = np.ones((height, width), dtype=np.bool_)
    for panel in pattern.panels:
        corners = (panel.outline_mm - pattern.box_mm[:2]) * design.texels_per_mm + margin
        distance = signed_distance_px(corners, height=height, width=width, reach=2.0)
        # A texel that the outline cuts through is on the mask in part: it keeps its colour.
        outside &= distance > 0.5 - 1e-3
    # The frame repeats the outermost texels and was never on the mask.
    outside[:margin], outside[-margin:], outside[:, :margin], outside[:, -margin:] = True, True, True, True
    if outside.all():
        raise DesignError(f"Pattern {pattern.name} holds no texel; it is too small for its scale.")
    nearest = distance_transform_edt(outside, return_distances=False, return_indices=True)
    continued: NDArray[np.float32] = padded[:, nearest[0], nearest[1]]
    return continued
