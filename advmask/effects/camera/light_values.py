"""Values that blur as light does, cheaply: lenses, sensors and motion average light, not sRGB values.

The half of black and white is 0.735 in sRGB, and would be 0.5 if the values were averaged: a fine pattern
would darken with distance. A square stands for the power of sRGB here (the half is 0.70), because it costs an
eighth, and because it is only the way there and back: where nothing is averaged, nothing changes.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

# Of the square, in light of which sRGB is a power of about 2.2.
POWER = 2.2
# Added before squaring, as the straight toe of sRGB, so that black keeps a slope and the root a gradient.
TOE = 0.02


def light_from_srgb(pictures: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Values to average, (x + 0.02)^2; differentiable.

    Args:
        pictures: sRGB in [0, 1].
    """
    result: Tensor = _Squared.apply(pictures)
    return result


class _Squared(torch.autograd.Function):
    """Written out for its backward pass, which autograd's own does in three passes."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor) -> Tensor:
        shifted = pictures + TOE
        ctx.save_for_backward(shifted)
        return shifted.square()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (shifted,) = ctx.saved_tensors
        return torch.mul(gradients[0], shifted).mul_(2)
