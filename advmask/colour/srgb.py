"""sRGB and linear light."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear red, green and blue (ITU-R BT.709)
# Where the line of 1/12.92 meets the power; the standard rounds it (0.04045, 0.0031308), which leaves a step.
_TOE = 0.040448236277107204
_LINEAR_TOE = _TOE / 12.92


def linear_from_srgb(srgb: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Decode sRGB values in [0, 1] to linear light in [0, 1].

    The power is taken once for value and gradient together, since x^2.4 = x x^1.4 and its slope is 2.4 x^1.4:
    half the time of the plain formula, on every texel in every step.

    Source: IEC 61966-2-1.
    """
    result: Tensor = _LinearFromSrgb.apply(srgb)
    return result


def srgb_from_linear(linear: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Encode linear light to sRGB in [0, 1]; light above 1 is clipped, and its gradient passes.

    Source: IEC 61966-2-1.
    """
    result: Tensor = _SrgbFromLinear.apply(linear)
    return result


class _LinearFromSrgb(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, srgb: Tensor) -> Tensor:
        # Up to the toe the curve is a line; beyond it a power. As a sum of both parts no branch is needed.
        bright = srgb.clamp(min=_TOE)
        base = bright.add(0.055).mul_(1 / 1.055)
        power = base.pow(1.4)
        ctx.save_for_backward(power, srgb)
        return base.mul_(power).add_(srgb.sub(bright), alpha=1 / 12.92)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        power, srgb = ctx.saved_tensors
        slope: Tensor = (power * (2.4 / 1.055)).masked_fill_(srgb <= _TOE, 1 / 12.92)
        return slope.mul_(gradients[0])


class _SrgbFromLinear(torch.autograd.Function):
    """The slope is read off the value, y' = (y + 0.055) / (2.4 x), so that no second power is taken."""

    @staticmethod
    def forward(ctx: Any, linear: Tensor) -> Tensor:
        clipped = linear.clamp(max=1)
        bright = clipped.clamp(min=_LINEAR_TOE)
        srgb = bright.pow(1 / 2.4).mul_(1.055)
        dark = clipped <= _LINEAR_TOE
        ctx.save_for_backward(bright, srgb, dark)
        return torch.where(dark, clipped * 12.92, srgb - 0.055)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        bright, srgb, dark = ctx.saved_tensors
        slope: Tensor = torch.div(srgb, bright).mul_(1 / 2.4).masked_fill_(dark, 12.92)
        return slope.mul_(gradients[0])


def luminance(linear: Float[Tensor, "... 3"]) -> Float[Tensor, "..."]:
    """Relative luminance of linear sRGB colours whose last axis is RGB (ITU-R BT.709 weights)."""
    # Not a matrix product, which autocast would take in half precision.
    red, green, blue = linear.unbind(dim=-1)
    of_red, of_green, of_blue = LUMINANCE
    return of_red * red + of_green * green + of_blue * blue


def decoded(srgb: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light of sRGB values in an array, of their own type."""
    light: NDArray[np.floating] = linear_from_srgb(torch.from_numpy(np.ascontiguousarray(srgb))).numpy()
    return light


def encoded(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    """The sRGB values of linear light in an array, clipped to [0, 1], of their own type."""
    light = torch.from_numpy(np.ascontiguousarray(linear))
    srgb: NDArray[np.floating] = srgb_from_linear(light).clamp(0, 1).numpy()
    return srgb
