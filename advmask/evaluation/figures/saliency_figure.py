"""The design, and where on it each recognizer is misled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter
from torch import Tensor

from advmask.evaluation.figures.figure_style import panels
from advmask.evaluation.figures.saliency import Saliency
from advmask.masks.surface import MaskSurface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUR_MM = 3.0  # single texels say little: recognizers see less of them than this
_PER_CM2 = 100.0


def saliency_figure(
    found: Sequence[Saliency],
    texels: Float[Tensor, "3 height width"],
    surface: MaskSurface,
    *,
    texels_per_mm: float,
) -> Figure:
    """The design, and a map for each recognizer: orange where it lowers the match confidence, else purple.

    Args:
        found: At least one.
        texels: Of the design.
        surface: Of its mask.
        texels_per_mm: Of the design.
    """
    left, top, right, bottom = surface.pattern.box_mm
    extent = (left, right, bottom, top)
    figure, axes = panels(1 + len(found), height_mm=50)
    axes[0].imshow(texels.permute(1, 2, 0).numpy(), extent=extent, interpolation="nearest")
    axes[0].set_title("design")
    blur = _BLUR_MM * texels_per_mm
    maps = [gaussian_filter(one.lowers.numpy(), blur) * texels_per_mm**2 * _PER_CM2 for one in found]
    largest = max(float(np.abs(each).max()) for each in maps) or 1.0
    for axis, one, each in zip(axes[1:], found, maps, strict=True):
        drawn = axis.imshow(each, extent=extent, cmap="PuOr_r", vmin=-largest, vmax=largest)
        axis.set_title(f"{one.recognizer}\nmatch confidence {one.plain:.2f} to {one.design:.2f}")
    bar = figure.colorbar(drawn, ax=axes[1:], shrink=0.8)
    bar.set_label("lowers match confidence, per cm²")
    for axis in axes:
        axis.grid(visible=False)
        axis.set_xlabel("mm")
        for panel in surface.pattern.panels:
            outline = np.vstack([panel.outline_mm, panel.outline_mm[:1]])
            axis.plot(outline[:, 0], outline[:, 1], color="#555555", linewidth=0.6)
    return figure
