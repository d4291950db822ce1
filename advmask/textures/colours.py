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


def spread_inks(texels: Float[Tensor, "3 height width"], count: int) -> Float[Tensor, "count 3"]:
    """Inks that a picture can be drawn with: `count` colours that 8 bits hold, all different.

    First the most frequent colours of the picture, each far from those before (in Lab); where the picture has
    too few colours, a grid over the colour cube, those farthest from the others first.

    Args:
        texels: The picture, sRGB in [0, 1].
        count: How many.
    """
    fine = 12  # steps of the cube in which colours count as one
    seen, counts = (texels * 255).round().flatten(1).long().unique(dim=1, return_counts=True)
    cells = (seen * (fine - 1) / 255).round().long()
    code = (cells[0] * fine + cells[1]) * fine + cells[2]
    order = (code * (counts.sum() + 1) + counts).argsort()
    code, seen = code[order], seen[:, order]
    last = torch.cat([code[1:] != code[:-1], torch.ones(1, dtype=torch.bool)])
    # Of each cell its commonest colour: the mean of two would be no colour of the picture.
    candidates = seen[:, last].T.float() / 255
    weight = torch.zeros(fine**3).index_add(0, code, counts[order].float())[code[last]] / counts.sum()
    few = torch.cartesian_prod(*[torch.linspace(0, 1, 4)] * 3)
    candidates = torch.cat([candidates, in_steps(few)])
    # A colour of the cube counts as if one texel in ten thousand had it.
    weight = torch.cat([weight, torch.full((len(few),), 1e-4)])
    lab = lab_of(candidates)
    chosen = [int(weight.argmax())]
    away = (lab - lab[chosen[0]]).square().sum(dim=1)
    while len(chosen) < count:
        chosen.append(int((away * weight.sqrt()).argmax()))
        away = torch.minimum(away, (lab - lab[chosen[-1]]).square().sum(dim=1))
    return candidates[chosen]


def lab_of(colours: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """CIE Lab of sRGB colours, those out of [0, 1] clamped."""
    return lab_from_linear(linear_from_srgb(colours.clamp(0, 1)))
