"""How unlike the texture of an artwork a design is: its colours, edges and grain at several scales."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.objectives.sampling import scattered

_SIDE = 7  # of a patch, texels of its scale
_SCALES = 4
_BANK = 256  # directions in all


class Style(nn.Module):
    """Sliced Wasserstein distance of the patches of a design and of an artwork; 0 where they have the same.

    Every patch of 7 x 7 texels is a point; along a direction the distance of two clouds of points is that of
    their sorted shadows, and the mean over many directions tells the clouds apart. Scales are made by halving
    both pictures. Where a patch lies is not asked: a design becomes like the artwork without copying it. No
    network is needed.

    In one step some directions and about `samples` patches of each scale are looked at, others in the next.
    Directions have length 1, so that a design that is lighter than the artwork by d everywhere is away by
    about d times the mean of |sum of a direction|.

    Args:
        artwork: Laid out as large as the design, sRGB in [0, 1].
        directions: Looked at in a step.
        samples: How many patches of a scale are looked at in a step.
        seed: Of the directions.

    Source:
        Rabin et al., "Wasserstein barycenter and its application to texture mixing", 2011; Elnekave and
        Weiss, "Generating natural images with direct patch distributions matching", 2022, for patches and
        directions as filters.
    """

    artwork: Tensor
    bank: Tensor

    def __init__(
        self,
        artwork: Float[Tensor, "3 height width"],
        *,
        directions: int = 32,
        samples: int = 4096,
        seed: int = 0,
    ) -> None:
        super().__init__()
        bank = torch.randn(_BANK, 3, _SIDE, _SIDE, generator=torch.Generator().manual_seed(seed))
        bank = bank / bank.flatten(1).norm(dim=1)[:, None, None, None]
        self.register_buffer("artwork", artwork.detach().clone(), persistent=False)
        self.register_buffer("bank", bank.to(artwork.dtype), persistent=False)
        self._directions, self._samples = min(directions, _BANK), samples

    def forward(self, texture: Float[Tensor, "3 height width"], *, step: int = 0) -> Float[Tensor, ""]:
        """The mean distance over scales and directions, in sRGB units.

        Args:
            texture: sRGB in [0, 1], as large as the artwork.
            step: Of training; says which directions and patches are looked at.
        """
        parts = _BANK // self._directions
        first = scattered(step, parts) * self._directions
        filters = self.bank[first : first + self._directions]
        step += step // parts  # or each direction would meet the same patches for ever
        away = []
        now, then = texture[None], self.artwork[None]
        for _ in range(_SCALES):
            if min(now.shape[2:]) < _SIDE:
                break
            shadows = [self._sorted(each, filters, step) for each in (now, then)]
            away.append((shadows[0] - shadows[1]).abs().mean())
            now, then = (F.avg_pool2d(each, 2) if min(each.shape[2:]) > 1 else each for each in (now, then))
        return torch.stack(away).mean() if away else texture.sum() * 0

    def _sorted(
        self, picture: Float[Tensor, "1 3 rows columns"], filters: Tensor, step: int
    ) -> Float[Tensor, "directions patches"]:
        """Shadows of some patches, every n-th, sorted along each direction."""
        shadows = F.conv2d(picture, filters)[0].flatten(1)
        every = max(1, shadows.shape[1] // self._samples)
        return shadows[:, scattered(step, every) :: every].sort(dim=1).values
