"""From aligned chips to what a network was trained on, and through the network."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.constants import constant
from advmask.recognizers.specification import NetworkSpecification

Triple = tuple[float, float, float]


def embedded(
    network: nn.Module, chips: Float[Tensor, "batch 3 height width"], specification: NetworkSpecification
) -> Tensor:
    """Feed a network as its specification says: the one call by which networks are checked and used.

    Args:
        network: Takes normalised chips (B, 3, H, W), gives embeddings (B, D).
        chips: sRGB, RGB, in [0, 1].
        specification: Range, channels, mean, deviation, and whether the mirror image counts too.
    """
    fed = preprocess(
        chips,
        channels=specification.channels,
        value_range=specification.range,
        mean=specification.mean,
        std=specification.std,
    )
    found: Tensor
    if specification.flip:
        plain, mirrored = network(torch.cat([fed, fed.flip(3)])).chunk(2)
        found = plain + mirrored
    else:
        found = network(fed)
    return found


def preprocess(
    chips: Float[Tensor, "batch 3 height width"],
    *,
    channels: Literal["rgb", "bgr"],
    value_range: tuple[float, float],
    mean: Triple,
    std: Triple,
) -> Float[Tensor, "batch 3 height width"]:
    """Turn chips into network input: range, channel order, mean and deviation.

    Args:
        chips: sRGB, RGB, in [0, 1].
        channels: Order of the channels the network expects.
        value_range: What 0 and 1 become before mean and deviation, for example (0, 255).
        mean: Per channel, in the network's own channel order and in that range.
        std: Per channel in the same way; the divisor.

    Returns:
        `(lo + (hi - lo) * chips - mean) / std`, with the channels in the order the network expects.
    """
    # One affine map per channel: one pass over the chips, forward and backward.
    scale, shift = _affine(chips, tuple(value_range), tuple(mean), tuple(std))
    ordered = chips.flip(1) if channels == "bgr" else chips
    return torch.addcmul(shift, ordered, scale)


@constant
def _affine(value_range: tuple[float, float], mean: Triple, std: Triple) -> Tensor:
    """(2, 1, 3, 1, 1): the factor of each channel, and what is added."""
    low, high = value_range
    mean_, std_ = (torch.tensor(each, dtype=torch.float64).view(1, 3, 1, 1) for each in (mean, std))
    return torch.stack([(high - low) / std_, (low - mean_) / std_])
