"""The printed picture of a mask: the design inside the outline and a little past it, white beyond."""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from advmask.errors import DesignError
from advmask.printing.coverage import signed_distance_px
from advmask.printing.outline import PatternOutline
from advmask.printing.upsample import dots, resample

CUT_LINE_MM = 0.2
CUT_LINE_RGB = (255, 0, 255)
"""Magenta: the colour print shops use for cutting lines, seldom met in a design."""

_STRIP_ROWS = 256


def rasterise_mask(
    texels: Float[Tensor, "3 H W"],
    outline: PatternOutline,
    *,
    dpi: int = 300,
    bleed_mm: float = 3.0,
    cut_line: bool = True,
) -> NDArray[np.uint8]:
    """Draw a mask at print resolution.

    Convention: the picture is the texture rectangle with `bleed_mm` added on each of its four sides. Inside
    the outline stands the design; from there to `bleed_mm` beyond it, the colour of the nearest texel inside
    goes on (texels beyond the outline were never seen in training and may hold anything); the rest is white.
    Edges are antialiased by their distance from the pixel centre.

    Args:
        texels: (3, H, W) in [0, 1], sRGB; H and W fit `outline.size_mm` within one texel.
        outline: The pattern, with the scale of the texels.
        dpi: Dots per inch, 72 to 1200.
        bleed_mm: Bleed in millimetres, 0 to 10.
        cut_line: Whether to draw the outline as a magenta line of 0.2 mm, at least one dot wide.

    Returns:
        (h, w, 3) sRGB, 0 to 255, with `w = round((width_mm + 2 bleed_mm) dpi / 25.4)` and h likewise.

    Raises:
        DesignError: The texels do not fit the pattern, or dpi or bleed are out of range.
    """
    _check(texels, outline, dpi=dpi, bleed_mm=bleed_mm)
    scale = outline.texels_per_mm
    width_mm, height_mm = (side + 2.0 * bleed_mm for side in outline.size_mm)
    width, height = dots(width_mm, dpi=dpi), dots(height_mm, dpi=dpi)
    # Two texels more than the bleed, for the interpolation at its edge and for the tolerance of one texel.
    margin = math.ceil(bleed_mm * scale) + 2
    values = _continued(texels, outline, margin=margin)
    left = margin - bleed_mm * scale
    texels_per_dot = np.array([width_mm / width, height_mm / height]) * scale
    corners = (outline.points_in_rectangle_mm() + bleed_mm) * scale / texels_per_dot
    bleed_px = bleed_mm * dpi / 25.4
    half_line_px = max(0.5, CUT_LINE_MM / 2.0 * dpi / 25.4)
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
        distance = signed_distance_px(
            corners - (0.0, top), height=rows, width=width, reach=max(bleed_px, half_line_px) + 2.0
        )[..., None]
        strip = 1.0 + (strip - 1.0) * np.clip(bleed_px + 0.5 - distance, 0.0, 1.0)
        if cut_line:
            ink = np.asarray(CUT_LINE_RGB, dtype=np.float32) / 255.0
            strip = strip + (ink - strip) * np.clip(half_line_px + 0.5 - np.abs(distance), 0.0, 1.0)
        picture[top : top + rows] = (strip * 255.0).round().astype(np.uint8)
    return picture


def _check(texels: Tensor, outline: PatternOutline, *, dpi: int, bleed_mm: float) -> None:
    if not 72 <= dpi <= 1200:
        raise DesignError(f"Print resolution is 72 to 1200 dpi, got {dpi}.")
    if not 0.0 <= bleed_mm <= 10.0:
        raise DesignError(f"Bleed is 0 to 10 mm, got {bleed_mm}.")
    if texels.ndim != 3 or texels.shape[0] != 3:
        raise DesignError(f"Texels have the shape (3, height, width), got {tuple(texels.shape)}.")
    expected = [side * outline.texels_per_mm for side in outline.size_mm]
    height, width = texels.shape[1:]
    if abs(width - expected[0]) > 1.0 or abs(height - expected[1]) > 1.0:
        raise DesignError(
            f"A design of {width} x {height} texels does not fit pattern {outline.name}, which has "
            f"{expected[0]:.0f} x {expected[1]:.0f}; use the design's own pattern and size."
        )


def _continued(texels: Tensor, outline: PatternOutline, *, margin: int) -> NDArray[np.float32]:
    values = texels.detach().cpu().to(torch.float32).clamp(0.0, 1.0).numpy()
    padded = np.pad(values, ((0, 0), (margin, margin), (margin, margin)), mode="edge")
    height, width = padded.shape[1:]
    corners = outline.points_in_rectangle_mm() * outline.texels_per_mm + margin
    distance = signed_distance_px(corners, height=height, width=width, reach=2.0)
    # A texel that the outline cuts through is on the mask in part: it keeps its colour.
    outside = distance > 0.5 - 1e-3
    # The frame repeats the outermost texels and was never on the mask.
    outside[:margin], outside[-margin:], outside[:, :margin], outside[:, -margin:] = True, True, True, True
    if outside.all():
        raise DesignError(f"Outline {outline.name} holds no texel; it is too small for its scale.")
    nearest = distance_transform_edt(outside, return_distances=False, return_indices=True)
    continued: NDArray[np.float32] = padded[:, nearest[0], nearest[1]]
    return continued
