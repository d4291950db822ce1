"""From aligned chips to what a network was trained on, and through the network."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.constants import constant, numbers
from advmask.recognizers.specification import NetworkSpecification
from advmask.recognizers.templates import template_points

Triple = tuple[float, float, float]


_MIRRORED = (1, 0, 2, 4, 3)  # eyes and corners of the mouth change places


def told_landmarks(network: nn.Module) -> bool:
    """Whether a network is told where the landmarks lie, as its attribute `told_landmarks` says."""
    return bool(getattr(network, "told_landmarks", False))


def embedded(
    network: nn.Module,
    chips: Float[Tensor, "batch 3 height width"],
    specification: NetworkSpecification,
    places: Float[Tensor, "batch 5 2"] | None = None,
) -> Tensor:
    """Feed a network as its specification says: the one call by which networks are checked and used.

    Args:
        network: Takes normalised chips (B, 3, H, W), gives embeddings (B, D).
        chips: sRGB, RGB, in [0, 1].
        specification: Range, channels, mean, deviation, and whether the mirror image counts too.
        places: Landmarks in the chips, as shares of their sides, for networks that are told them; None takes
            those of the template.
    """
    fed = preprocess(
        chips,
        channels=specification.channels,
        value_range=specification.range,
        mean=specification.mean,
        std=specification.std,
    )
    if specification.flip:
        fed = torch.cat([fed, fed.flip(3)])
    if told_landmarks(network):
        if places is None:
            size = specification.size
            places = in_shares(template_points(specification.template, size=size), size)
            places = places.to(fed).expand(len(chips), 5, 2)
        if specification.flip:
            other = torch.stack([1 - places[..., 0], places[..., 1]], dim=-1)[:, _MIRRORED]
            places = torch.cat([places, other])
        found: Tensor = network(fed, places)
    else:
        found = network(fed)
    if specification.flip:
        plain, mirrored = found.chunk(2)
        found = plain + mirrored
    return found


def in_shares(points: Float[Tensor, "*batch 2"], size: tuple[int, int]) -> Float[Tensor, "*batch 2"]:
    """Points of a chip, px, as shares of its width and height."""
    return points / numbers(points, (size[1], size[0]))


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
