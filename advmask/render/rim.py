"""The rim of a mask on a photo: how softly it ends, and the shadow it casts on the skin."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

_MARGIN = 0.15  # of the blurred coverage, cut off at both ends so that the rim reaches zero inside the border
_SHADOW = 0.55  # light lost where skin and cloth touch
_SHADOW_MM = 1.8  # standard deviation of the shadow
_SHADOW_DOWN_MM = 0.8  # light mostly comes from above
_FAINTEST = 0.02  # shadow that nobody sees


def soft_alpha(coverage: Float[Tensor, "height width"], *, edge_px: float) -> Float[Tensor, "height width"]:
    """Coverage with a rim softened inwards: the blurred coverage, stretched to reach zero at the border.

    Args:
        coverage: Share of each pixel that the mask covers.
        edge_px: Standard deviation of the softness; 0 leaves the coverage.
    """
    if edge_px <= 0:
        return coverage
    blurred = gaussian_blur(coverage, edge_px)
    return ((blurred - _MARGIN) / (1 - 2 * _MARGIN)).clamp(0, 1) * (coverage > 0)


def contact_shadow(
    coverage: Float[Tensor, "height width"], *, px_per_mm: float
) -> Float[Tensor, "height width"]:
    """Share of the light that a mask takes from the skin next to its rim; zero well away from it."""
    blurred = gaussian_blur(coverage, _SHADOW_MM * px_per_mm)
    down = min(round(_SHADOW_DOWN_MM * px_per_mm), len(coverage))
    if down > 0:
        blurred = torch.cat([blurred[:1].expand(down, -1), blurred[:-down]])
    # Half of the blurred coverage lies inside the border, where the shadow falls on no skin.
    shadow = _SHADOW * (2 * blurred).clamp(max=1)
    return torch.where(shadow > _FAINTEST, shadow, 0.0)


def gaussian_blur(picture: Float[Tensor, "height width"], sigma: float) -> Float[Tensor, "height width"]:
    """Blur with a Gaussian cut off at three standard deviations, repeating the border."""
    # A head far larger than the picture must not ask for a kernel far larger than it.
    radius = min(max(1, round(3 * sigma)), 2 * max(picture.shape))
    place = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (place / max(sigma, 1e-3)) ** 2)
    kernel = kernel / kernel.sum()
    for axis, margin in ((0, (0, 0, radius, radius)), (1, (radius, radius, 0, 0))):
        padded = F.pad(picture[None, None], margin, mode="replicate")[0, 0]
        # Tap by tap: a convolution would unfold large pictures into gigabytes.
        picture = torch.zeros_like(picture)
        for tap, weight in enumerate(kernel.tolist()):
            picture.add_(padded.narrow(axis, tap, picture.shape[axis]), alpha=weight)
    return picture
