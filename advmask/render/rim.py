"""The rim of a mask on a photo: how softly it ends, and the shadow it casts on the skin."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

_MARGIN = 0.15  # of the blurred coverage, cut off at both ends so that the rim reaches zero inside the border
_SHADOW = 0.55  # light lost where skin and cloth touch
_SHADOW_MM = 1.8  # standard deviation of the shadow
_SHADOW_DOWN_MM = 0.8  # light mostly comes from above
_FAINTEST = 0.02  # shadow that nobody sees


def soft_alpha(
    coverage: Float[Tensor, "*b height width"], *, edge_px: float
) -> Float[Tensor, "*b height width"]:
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
    coverage: Float[Tensor, "*b height width"], *, px_per_mm: float | Sequence[float]
) -> Float[Tensor, "*b height width"]:
    """Share of the light that a mask takes from the skin next to its rim; zero well away from it.

    Args:
        coverage: Share of each pixel that the mask covers.
        px_per_mm: At the head, or at the head of each picture.
    """
    each = [px_per_mm] if isinstance(px_per_mm, float) else list(px_per_mm)
    blurred = gaussian_blur(coverage, [_SHADOW_MM * one for one in each])
    rows = torch.arange(coverage.shape[-2], device=coverage.device)
    down = torch.tensor([round(_SHADOW_DOWN_MM * one) for one in each], device=coverage.device)
    above = (rows - down[:, None]).clamp(min=0).view(*coverage.shape[:-1], 1).expand_as(coverage)
    # Half of the blurred coverage lies inside the border, where the shadow falls on no skin.
    shadow = _SHADOW * (2 * blurred.gather(-2, above)).clamp(max=1)
    return torch.where(shadow > _FAINTEST, shadow, 0.0)


def gaussian_blur(
    picture: Float[Tensor, "*b height width"], sigma: float | Sequence[float]
) -> Float[Tensor, "*b height width"]:
    """Blur with a Gaussian cut off at three standard deviations, repeating the border.

    Args:
        picture: One, or a batch.
        sigma: Standard deviation, px, of all or of each.
    """
    each = [sigma] if isinstance(sigma, int | float) else list(sigma)
    # A head far larger than the picture must not ask for a kernel far larger than it.
    reach = [min(max(1, round(3 * one)), 2 * max(picture.shape[-2:])) for one in each]
    radius = max(reach)
    place = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernels = torch.stack(
        [
            torch.exp(-0.5 * (place / max(one, 1e-3)) ** 2) * (place.abs() <= far)
            for one, far in zip(each, reach, strict=True)
        ]
    )
    weights = (kernels / kernels.sum(dim=1, keepdim=True)).T[..., None, None].to(picture)
    for axis, margin in ((-2, (0, 0, radius, radius)), (-1, (radius, radius, 0, 0))):
        planes = picture.view(-1, 1, *picture.shape[-2:])
        padded = F.pad(planes, margin, mode="replicate").view(*picture.shape[:-2], *_grown(picture, margin))
        # Tap by tap: a convolution would unfold large pictures into gigabytes.
        picture = torch.zeros_like(picture)
        for tap, weight in enumerate(weights):
            part = padded.narrow(axis, tap, picture.shape[axis])
            picture = picture.addcmul_(part, weight if picture.ndim == 3 else weight[0])
    return picture


def _grown(picture: Tensor, margin: tuple[int, int, int, int]) -> tuple[int, int]:
    left, right, top, bottom = margin
    return picture.shape[-2] + top + bottom, picture.shape[-1] + left + right
