"""The way back: which texture would show what photos show under the mask."""

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb
from advmask.render.batching import PackedBatch
from advmask.render.texel_taps import read_taps


def unwrapped(
    pictures: Float[Tensor, "batch 3 rows columns"], packed: PackedBatch
) -> tuple[Float[Tensor, "3 height width"], Float[Tensor, "3 height width"]]:
    """Spread what lies under the mask over the texels that would show it, its light taken off.

    A covered pixel is `under + gain * (taps x texels)`; the sums returned are the transposed product with
    what is seen, and with the gains alone. Sums over many photos, divided by each other, are the texture that
    fits all of them best if texels are taken one by one (the diagonal of the normal equations).

    Args:
        pictures: sRGB in [0, 1].
        packed: How the mask lies on each of them; of one texture.

    Returns:
        Sums of linear light and of their weights; a texel that no photo shows has none of either.
    """
    (pyramid,) = packed.pyramids
    texture = torch.zeros(3, pyramid.height, pyramid.width, requires_grad=True)
    seen = pictures.permute(0, 2, 3, 1).reshape(-1, 3)[packed.pixel]
    gain = packed.gain[:, None] * packed.tint[packed.photo]
    light = (linear_from_srgb(seen) - packed.under).clamp(min=0)
    cloth = read_taps(pyramid.build(texture), packed.start, packed.texel, packed.weight)
    (sums,) = torch.autograd.grad(cloth, texture, gain * light, retain_graph=True)
    (weights,) = torch.autograd.grad(cloth, texture, gain * gain)
    return sums, weights
