"""Holes cut into the texture of a training step, so that a design has to work in each of its parts."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.effects.draws import Draws
from advmask.effects.settings import HolesSettings


@dataclass(frozen=True, eq=False)
class HolesDraw:
    """The holes of a step, the same for all of its photos.

    Attributes:
        edges: (n, 4) top, bottom, left and right of each, texels; one without area is none.
        colours: (n, 3) what fills them, sRGB in [0, 1].
    """

    edges: Float[Tensor, "n 4"]
    colours: Float[Tensor, "n 3"]


def draw_holes(settings: HolesSettings, *, texels: tuple[int, int], draws: Draws) -> HolesDraw | None:
    """Draw the holes of a step; None where there are to be none.

    Args:
        settings: How many and how large.
        texels: Height and width of the texture.
        draws: Of the step.
    """
    if settings.most == 0:
        return None
    size = torch.tensor(texels, dtype=torch.float32)
    sides = draws.uniform((settings.most, 2), *settings.sides) * size
    corner = draws.even((settings.most, 2)) * (size - sides)
    some = torch.arange(settings.most) <= draws.integers((), settings.most - 1)
    ends = corner + sides * some[:, None]
    return HolesDraw(torch.stack([corner, ends], dim=2).flatten(1), draws.even((settings.most, 3)))


def cut_holes(texels: Float[Tensor, "3 height width"], drawn: HolesDraw) -> Float[Tensor, "3 height width"]:
    """The texels with the holes in them; there is no gradient where they are.

    Args:
        texels: sRGB in [0, 1].
        drawn: On their device; of two holes that overlap the later is on top.

    Source:
        Huang et al., "T-SEA: transfer-based self-ensemble attack on object detection", 2023, which cuts holes
        into a patch; DeVries and Taylor, "Improved regularization of convolutional neural networks with
        cutout", 2017, for pictures.
    """
    rows, columns = (torch.arange(side, device=texels.device) + 0.5 for side in texels.shape[1:])
    for edges, colour in zip(drawn.edges.to(texels), drawn.colours.to(texels), strict=True):
        top, bottom, left, right = edges
        down, across = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
        texels = torch.where(down[:, None] & across, colour[:, None, None], texels)
    return texels
