"""How far what is asked lies from what a printer prints."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.colour.lab import lab_from_linear
from advmask.colour.srgb import linear_from_srgb
from advmask.objectives.sampling import strided

Colours = Callable[[Tensor], Tensor]
"""Colours asked (n, 3), sRGB in [0, 1], to the linear reflectances (n, 3) of large patches of them."""


class GamutDistance(nn.Module):
    """Mean colour difference between the texels asked and the texels printed, in Delta E; 0 is printable.

    Media-relative: what is printed is divided by the printer's white, per channel in linear light, as an eye
    does that is used to the paper. Paper white then costs nothing, and a grey cloth does not drive the whole
    design away from white. Black that the printer cannot reach does cost.

    Each difference d is the Euclidean distance in CIE Lab (Delta E*ab, 1976), taken as
    sqrt(d^2 + j^2) - j with j = 2.3, the difference that is just noticed: below it the cost is quadratic and
    small, beyond it it grows like d itself. Only about `samples` texels are looked at in one step, other ones
    in the next: every texel in turn.

    Args:
        colours: Answer of the printer, differentiable.
        samples: How many texels to look at in a step.

    Source:
        CIE 15:2018 for Delta E*ab; Mahy, van Eycken and Oosterlinck, "Evaluation of uniform color spaces",
        1994, for 2.3.
    """

    just_noticed = 2.3

    def __init__(self, colours: Colours, *, samples: int = 10_000) -> None:
        super().__init__()
        self._colours = colours
        self._samples = samples

    def forward(self, texture: Float[Tensor, "3 height width"], *, step: int = 0) -> Float[Tensor, ""]:
        """The mean, Delta E.

        Args:
            texture: sRGB in [0, 1].
            step: Of training; says which texels are looked at.
        """
        asked = strided(texture, about=self._samples, step=step).flatten(1).T.contiguous()
        with torch.no_grad():
            white = self._colours(torch.ones_like(asked[:1])).clamp(min=1e-3)
        printed = self._colours(asked) / white
        apart = lab_from_linear(linear_from_srgb(asked)) - lab_from_linear(printed)
        each = (apart.square().sum(dim=1) + self.just_noticed**2).sqrt() - self.just_noticed
        return each.mean()
