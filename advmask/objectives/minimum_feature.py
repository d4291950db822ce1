"""Features that are too narrow to print."""

import math

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.objectives.sampling import window


class MinimumFeature(nn.Module):
    """Mean height of the features narrower than a width; 0 when every line and gap is at least as wide.

    Per channel, what an opening takes away (lines and specks brighter than what is around them) and what a
    closing fills in (darker ones), with a square of side `finest_mm`. An opening is the brightest of all
    squares that fit below the surface: a stripe at least as wide as the square is left as it is and costs
    nothing, a narrower one costs its whole height over what surrounds it, on every texel it covers. Edges
    cost nothing, however sharp. The square is strict with slanted stripes: one at 45 degrees must be up to
    1.4 times as wide. What the border of the texture cuts off goes on beyond it.

    Only a window of about `samples` texels is looked at in one step, and the windows of successive steps tile
    the texture; at the rims of a window the same leniency holds as at the border.

    Args:
        texels_per_mm: Texture resolution.
        finest_mm: Narrowest line; where it is no wider than a texel there is nothing to measure.
        samples: How many texels to look at in a step.

    Source:
        Opening, closing and their top hats: Serra, "Image Analysis and Mathematical Morphology", 1982.
    """

    def __init__(self, *, texels_per_mm: float, finest_mm: float, samples: int = 10_000) -> None:
        super().__init__()
        # Widths come in whole texels, so that rounding up refuses exactly those below finest_mm.
        self.side_texel = max(1, math.ceil(finest_mm * texels_per_mm - 1e-6))
        self._samples = samples

    def forward(self, texture: Float[Tensor, "3 height width"], *, step: int = 0) -> Float[Tensor, ""]:
        """The mean, in sRGB units.

        Args:
            texture: sRGB in [0, 1].
            step: Of training; says which window is looked at.
        """
        if self.side_texel == 1:
            return texture.sum() * 0
        seen = window(texture, about=self._samples, step=step)[None]
        side = min(self.side_texel, *seen.shape[2:])
        padded = F.pad(seen, (side - 1,) * 4, mode="replicate")
        opened = _largest(_smallest(padded, side), side)
        closed = _smallest(_largest(padded, side), side)
        return (closed - opened).mean()


def _largest(picture: Tensor, side: int) -> Tensor:
    """Maximum over squares that lie within the picture; one axis after the other."""
    return F.max_pool2d(F.max_pool2d(picture, (1, side), stride=1), (side, 1), stride=1)


def _smallest(picture: Tensor, side: int) -> Tensor:
    return -_largest(-picture, side)
