"""A texture's mip pyramid as one long list of texels."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

TRIM_LINEAR = 0.62  # white elastic, linear light


@dataclass(frozen=True)
class MipPyramid:
    """Where the levels of a texture's mip pyramid stand in one list of texels, row by row, level by level.

    Each level is the exact 2 x 2 mean of the one before (Williams 1983), for which the texture is first
    padded by repeating its edge.

    Attributes:
        height: Of the texture, texels.
        width: Of the texture, texels.
        levels: Number of levels, the texture itself included.
    """

    height: int
    width: int
    levels: int = 6

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1 or self.levels < 1:
            raise ValueError(f"a texture of at least one texel and one level is needed, not {self}")

    @property
    def padded(self) -> tuple[int, int]:
        """Height and width of level 0 with its padding."""
        unit = 2 ** (self.levels - 1)
        return -(-self.height // unit) * unit, -(-self.width // unit) * unit

    def stored(self, level: int) -> tuple[int, int]:
        """Rows and columns that a level takes in the list."""
        height, width = self.padded
        return height >> level, width >> level

    def offset(self, level: int) -> int:
        """Place of a level's first texel in the list; of the level after the last: its end."""
        return sum(rows * columns for rows, columns in map(self.stored, range(level)))

    @property
    def trim(self) -> int:
        """Place in the list of the texel that stands for trimmings: white elastic, whatever the texture."""
        return self.offset(self.levels)

    @property
    def texels(self) -> int:
        """Length of the list."""
        return self.trim + 1

    def build(self, linear: Float[Tensor, "channels height width"]) -> Float[Tensor, "texels channels"]:
        """List the pyramid of a texture in linear light; differentiable.

        Raises:
            ValueError: The texture has another size.
        """
        if linear.shape[-2:] != (self.height, self.width):
            raise ValueError(
                f"the texture must be {self.height} x {self.width} texels, not {tuple(linear.shape[-2:])}"
            )
        result: Tensor = _Build.apply(linear, self)
        return result


class _Build(torch.autograd.Function):
    """Written out, because autograd's own would copy each level several times."""

    @staticmethod
    def forward(ctx: Any, linear: Tensor, pyramid: MipPyramid) -> Tensor:
        ctx.pyramid = pyramid
        channels = len(linear)
        height, width = pyramid.padded
        listed = linear.new_empty(pyramid.texels, channels)
        listed[pyramid.trim] = TRIM_LINEAR
        level = listed[: height * width].view(height, width, channels)
        level[: pyramid.height, : pyramid.width] = linear.permute(1, 2, 0)
        level[: pyramid.height, pyramid.width :] = level[: pyramid.height, pyramid.width - 1, None]
        level[pyramid.height :] = level[pyramid.height - 1]
        halve = _pairs(linear)
        for number in range(1, pyramid.levels):
            rows, columns = pyramid.stored(number)
            two = level.view(rows, 2, 2 * columns * channels)
            first = pyramid.offset(number)
            level = listed[first : first + rows * columns]
            torch.mm((two[:, 0] + two[:, 1]).view(-1, 2 * channels), halve, out=level)
        return listed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        pyramid = ctx.pyramid
        gradient = gradients[0]
        channels = gradient.shape[1]
        double = _pairs(gradient).T
        coarser = None
        for number in reversed(range(pyramid.levels)):
            rows, columns = pyramid.stored(number)
            first = pyramid.offset(number)
            level = gradient[first : first + rows * columns]
            if coarser is not None:
                share = (coarser.reshape(-1, channels) @ double).view(rows // 2, 1, columns * channels)
                level = level.view(rows // 2, 2, columns * channels) + share
            coarser = level.view(rows, columns, channels)
        assert coarser is not None
        # What reached the padding belongs to the texels that it repeats.
        inner = coarser[: pyramid.height, : pyramid.width].permute(2, 0, 1).contiguous()
        right = coarser[: pyramid.height, pyramid.width :].sum(dim=1).T
        below = coarser[pyramid.height :, : pyramid.width].sum(dim=0).T
        corner = coarser[pyramid.height :, pyramid.width :].sum(dim=(0, 1))
        inner[:, :, -1] += right
        inner[:, -1] += below
        inner[:, -1, -1] += corner
        return inner, None


def _pairs(like: Tensor) -> Tensor:
    """The matrix (2 C, C) that takes a quarter of the sum of two neighbours; a product is the fastest way."""
    channels = like.shape[0] if like.ndim == 3 else like.shape[1]
    return 0.25 * torch.eye(channels, dtype=like.dtype, device=like.device).repeat(2, 1)
