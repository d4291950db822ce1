"""Colours by name or number, and which of several inks is nearest to a colour."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from advmask.colour.lab import lab_from_linear
from advmask.colour.srgb import linear_from_srgb
from advmask.textures.colour_names import colour_named


def named_colour(text: str) -> Float[Tensor, "3"] | None:
    """The sRGB colour that a text names, in [0, 1]; None where it names none. See `colour_named`."""
    colour = colour_named(text)
    return None if colour is None else torch.tensor(colour)


def in_steps(colours: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The nearest colours that 8 bits hold."""
    return (colours * 255).round() / 255


def nearest_ink(
    texels: Float[Tensor, "3 height width"], inks: Float[Tensor, "inks 3"]
) -> Int64[Tensor, "height width"]:
    """Number of the ink that looks most like each texel: the smallest Delta E of 1976 (distance in Lab)."""
    wanted = lab_of(texels.movedim(0, -1))
    away = torch.stack([(wanted - ink).square().sum(dim=-1) for ink in lab_of(inks)])
    return away.argmin(dim=0)


def lab_of(colours: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """CIE Lab of sRGB colours, those out of [0, 1] clamped."""
    return lab_from_linear(linear_from_srgb(colours.clamp(0, 1)))
