"""sRGB and linear light."""

import torch
from jaxtyping import Float
from torch import Tensor


def linear_from_srgb(srgb: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Decode sRGB values in [0, 1] to linear light in [0, 1].

    Source: IEC 61966-2-1.
    """
    low = srgb / 12.92
    high = ((srgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(srgb <= 0.04045, low, high)


def srgb_from_linear(linear: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Encode linear light in [0, 1] to sRGB in [0, 1]; the gradient at 0 is finite.

    Source: IEC 61966-2-1.
    """
    low = linear * 12.92
    high = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, low, high)


def luminance(linear: Float[Tensor, "... 3"]) -> Float[Tensor, "..."]:
    """Relative luminance of linear sRGB colours whose last axis is RGB (ITU-R BT.709 weights)."""
    return linear @ torch.tensor([0.2126, 0.7152, 0.0722], dtype=linear.dtype, device=linear.device)
