"""Reading a mip pyramid at any place and level of detail."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from advmask.render.pyramid import MipPyramid


def trilinear(
    listed: Float[Tensor, "texels channels"],
    pyramid: MipPyramid,
    *,
    texel: Float[Tensor, "n 2"],
    level: Float[Tensor, " n"],
    first: Int[Tensor, " n"] | int = 0,
) -> Float[Tensor, "n channels"]:
    """Read a pyramid at places of level 0 and levels of detail; differentiable in all three.

    Args:
        listed: One pyramid's texels, or those of several.
        pyramid: Of each.
        texel: (x, y), centres at +0.5.
        level: Of detail.
        first: Where the pyramid of each reading begins in the list.
    """
    level = level.clamp(0, pyramid.levels - 1)
    finer = level.detach().long().clamp(max=max(pyramid.levels - 2, 0))
    share = (level - finer)[:, None]
    below = _bilinear(listed, pyramid, first, texel, finer)
    if pyramid.levels == 1:
        return below
    return torch.lerp(below, _bilinear(listed, pyramid, first, texel, finer + 1), share)


def _bilinear(
    listed: Tensor, pyramid: MipPyramid, begin: Tensor | int, texel: Tensor, level: Tensor
) -> Tensor:
    device = texel.device
    stored = torch.tensor([pyramid.stored(one)[::-1] for one in range(pyramid.levels)], device=device)[level]
    first = begin + torch.tensor([pyramid.offset(one) for one in range(pyramid.levels)], device=device)[level]
    size = torch.tensor([pyramid.width, pyramid.height], device=device)
    unit = 2.0 ** level[:, None].to(texel)
    inside = torch.minimum((texel / unit).clamp(min=0.5), (size / unit).clamp(min=1.0) - 0.5) - 0.5
    corner = inside.detach().floor().long()
    right, below = (inside - corner).unbind(dim=1)
    other = torch.minimum(corner + 1, stored - 1)

    def at(x: Tensor, y: Tensor) -> Tensor:
        return listed[first + y * stored[:, 0] + x]

    upper = torch.lerp(at(corner[:, 0], corner[:, 1]), at(other[:, 0], corner[:, 1]), right[:, None])
    lower = torch.lerp(at(corner[:, 0], other[:, 1]), at(other[:, 0], other[:, 1]), right[:, None])
    return torch.lerp(upper, lower, below[:, None])
