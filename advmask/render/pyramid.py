"""A texture's mip pyramid as one long list of texels."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


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
        """Place of a level's first texel in the list; of the level after the last: the list's length."""
        return sum(rows * columns for rows, columns in map(self.stored, range(level)))

    @property
    def texels(self) -> int:
        """Length of the list."""
        return self.offset(self.levels)

    def build(self, texture: Float[Tensor, "channels height width"]) -> Float[Tensor, "texels channels"]:
        """List the pyramid of a texture; differentiable."""
        if texture.shape[-2:] != (self.height, self.width):
            raise ValueError(
                f"the texture must be {self.height} x {self.width} texels, not {tuple(texture.shape[-2:])}"
            )
        height, width = self.padded
        level = F.pad(texture[None], (0, width - self.width, 0, height - self.height), mode="replicate")
        listed = [level]
        for _ in range(1, self.levels):
            level = F.avg_pool2d(level, 2)
            listed.append(level)
        return torch.cat([one[0].flatten(1) for one in listed], dim=1).T.contiguous()

    def trilinear(
        self, texel: Float[Tensor, "n 2"], lod: Float[Tensor, " n"]
    ) -> tuple[Int[Tensor, "n 8"], Float[Tensor, "n 8"]]:
        """Which texels a trilinear reading takes, and with what weights: bilinear in each of two levels.

        Args:
            texel: (x, y) in texels of level 0, centres at +0.5; a reading beyond the edge repeats the edge.
            lod: Level of detail; 0 is the texture itself; values outside the pyramid are clamped.

        Returns:
            Places in the list and weights; the weights of a reading sum to one.
        """
        lod = lod.clamp(0, self.levels - 1)
        fine = lod.floor()
        coarse_weight = (lod - fine)[:, None]
        first, first_weight = self._bilinear(texel, fine.long())
        second, second_weight = self._bilinear(texel, (fine.long() + 1).clamp(max=self.levels - 1))
        weights = [first_weight * (1 - coarse_weight), second_weight * coarse_weight]
        return torch.cat([first, second], dim=1), torch.cat(weights, dim=1)

    def _bilinear(self, texel: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        scale = torch.exp2(-level.to(texel.dtype))[:, None]
        extent = torch.tensor([self.width, self.height], device=texel.device).to(texel.dtype)
        # Half a texel inside the level's true extent, so that no reading reaches the padding.
        inside = torch.minimum((texel * scale).clamp(min=0.5), (extent * scale).clamp(min=1.0) - 0.5) - 0.5
        corner = inside.floor()
        share = inside - corner
        offsets, columns, rows = (
            torch.tensor(values, device=texel.device)[level]
            for values in (
                [self.offset(one) for one in range(self.levels)],
                [self.stored(one)[1] for one in range(self.levels)],
                [self.stored(one)[0] for one in range(self.levels)],
            )
        )
        x0, y0 = corner.long().unbind(dim=1)
        x1, y1 = torch.minimum(x0 + 1, columns - 1), torch.minimum(y0 + 1, rows - 1)
        right, below = share.unbind(dim=1)
        places = [offsets + y * columns + x for y in (y0, y1) for x in (x0, x1)]
        weights = [v * h for v in (1 - below, below) for h in (1 - right, right)]
        return torch.stack(places, dim=1), torch.stack(weights, dim=1)
