"""Mip pyramid in one picture, and trilinear sampling from it without a loop over levels."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class MipAtlas:
    """Where the levels of a texture's mip pyramid stand in one picture.

    Level 0 stands at the left; the coarser levels stand in a column to its right. Each level is the exact
    2 x 2 mean of the one before (Williams 1983), for which the texture is first padded by repeating its
    edge.

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

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the atlas."""
        height, width = self.padded
        if self.levels == 1:
            return height, width
        return max(
            height, self.offset(self.levels - 1)[0] + (height >> (self.levels - 1))
        ), width + width // 2

    def offset(self, level: int) -> tuple[int, int]:
        """Row and column at which a level starts."""
        height, width = self.padded
        if level == 0:
            return 0, 0
        return sum(height >> above for above in range(1, level)), width

    def build(
        self, texture: Float[Tensor, "channels height width"]
    ) -> Float[Tensor, "channels rows columns"]:
        """Lay the pyramid of a texture out; differentiable."""
        if texture.shape[-2:] != (self.height, self.width):
            raise ValueError(
                f"the texture must be {self.height} x {self.width} texels, not {tuple(texture.shape[-2:])}"
            )
        height, width = self.padded
        level = F.pad(texture[None], (0, width - self.width, 0, height - self.height), mode="replicate")
        rows, _ = self.size
        base = F.pad(level, (0, 0, 0, rows - height))
        column = []
        for _ in range(1, self.levels):
            level = F.avg_pool2d(level, 2)
            column.append(F.pad(level, (0, width // 2 - level.shape[-1])))
        if not column:
            return base[0]
        stacked = torch.cat(column, dim=2)
        stacked = F.pad(stacked, (0, 0, 0, rows - stacked.shape[2]))
        return torch.cat([base, stacked], dim=3)[0]

    def grids(
        self, texel: Float[Tensor, "n 2"], lod: Float[Tensor, " n"]
    ) -> tuple[Float[Tensor, "2 n 2"], Float[Tensor, " n"]]:
        """Where to read the two levels around each level of detail.

        Args:
            texel: (x, y) in texels of level 0, centres at +0.5; read beyond the edge repeats the edge.
            lod: Level of detail; 0 is the texture itself; values outside the pyramid are clamped.

        Returns:
            Normalised atlas positions (x, y) for `grid_sample(align_corners=False)` on the finer and the
            coarser level, and the weight of the coarser one.
        """
        rows, columns = self.size
        lod = lod.clamp(0, self.levels - 1)
        fine = lod.floor()
        offsets = torch.tensor([self.offset(level)[::-1] for level in range(self.levels)]).to(texel)
        extent = torch.tensor([self.width, self.height]).to(texel)
        scale = texel.new_tensor([2 / columns, 2 / rows])
        positions = []
        for level in (fine, (fine + 1).clamp(max=self.levels - 1)):
            factor = torch.exp2(-level)[:, None]
            # Half a texel inside the level, so that no read reaches a neighbour in the atlas.
            inside = torch.minimum((texel * factor).clamp(min=0.5), (extent * factor).clamp(min=1.0) - 0.5)
            positions.append((inside + offsets[level.long()]) * scale - 1)
        return torch.stack(positions), lod - fine


def sample_trilinear(
    atlas: Float[Tensor, "channels rows columns"],
    grids: Float[Tensor, "2 n 2"],
    coarse_weight: Float[Tensor, " n"],
) -> Float[Tensor, "channels n"]:
    """Read an atlas at the positions of `MipAtlas.grids`: bilinear in each level, linear between levels."""
    both = F.grid_sample(
        atlas[None], grids.reshape(1, 1, -1, 2), mode="bilinear", padding_mode="border", align_corners=False
    )[0, :, 0]
    fine, coarse = both[:, : grids.shape[1]], both[:, grids.shape[1] :]
    return torch.lerp(fine, coarse, coarse_weight)
