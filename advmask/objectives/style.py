"""How unlike the texture of an artwork a design is: its colours, edges and grain at several scales."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
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

    Of the design only patches on the mask count, or it would be like the artwork where nobody sees it. In one
    step some directions and at most `samples` patches of each scale are looked at, others in the next: of the
    artwork as many as of the design, evenly chosen.

    Args:
        artwork: Laid out as large as the design, sRGB in [0, 1].
        on_mask: Texels of the design that count; None counts all.
        directions: Looked at in a step, each of length 1.
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
        on_mask: Bool[Tensor, "height width"] | None = None,
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
        counts = torch.ones(artwork.shape[1:]) if on_mask is None else on_mask.float()
        self._scales = 0
        while self._scales < _SCALES and min(counts.shape) >= _SIDE:
            centres = counts[_SIDE // 2 : -(_SIDE // 2), _SIDE // 2 : -(_SIDE // 2)].flatten()
            if not (centres > 0.5).any():
                break
            self.register_buffer(f"places_{self._scales}", (centres > 0.5).nonzero()[:, 0], persistent=False)
            counts = F.avg_pool2d(counts[None], 2)[0]
            self._scales += 1

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
        for scale in range(self._scales):
            shadows, aims = (F.conv2d(each, filters)[0].flatten(1) for each in (now, then))
            places = self.get_buffer(f"places_{scale}")
            chosen = _evenly(len(places), min(self._samples, len(places)), step, places.device)
            of_art = _evenly(aims.shape[1], len(chosen), step, places.device)
            ours, theirs = shadows[:, places[chosen]].sort(dim=1), aims[:, of_art].sort(dim=1)
            away.append((ours.values - theirs.values).abs().mean())
            if scale + 1 < self._scales:
                now, then = F.avg_pool2d(now, 2), F.avg_pool2d(then, 2)
        return torch.stack(away).mean() if away else texture.sum() * 0


def _evenly(count: int, chosen: int, step: int, device: torch.device) -> Int[Tensor, " chosen"]:
    """So many of `count` places, far from each other and different ones in different steps."""
    return (torch.arange(chosen, device=device) * count // chosen + scattered(step, count)) % count
