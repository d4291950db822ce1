"""Functions along one axis of a texture: rows of a matrix that turns free numbers into values at texels."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def spline_matrix(count: int, spacing: float, *, periodic: bool = False) -> Float[Tensor, "count knots"]:
    """Weights of the knots of a uniform cubic B-spline at `count` texel centres; rows sum to one.

    Args:
        count: Texels.
        spacing: Texels from knot to knot; 1 at least.
        periodic: The last texel is followed by the first. The knots then stand a little closer or wider, so
            that a whole number of them fits.

    Source:
        Unser, "Splines: a perfect fit for signal and image processing", 1999.
    """
    spacing = max(spacing, 1.0)
    if periodic:
        around = max(1, round(count / spacing))
        spacing = count / around
    position = (torch.arange(count, dtype=torch.float64) + 0.5) / spacing
    knots = torch.arange(-1, math.ceil(count / spacing - 1e-9) + 2, dtype=torch.float64)
    t = (position[:, None] - knots).abs()
    near = 2 / 3 - t**2 + t**3 / 2
    far = (2 - t).clamp(min=0) ** 3 / 6
    weights = torch.where(t < 1, near, far)
    if periodic:
        wrapped = torch.zeros(count, around, dtype=torch.float64)
        weights = wrapped.index_add(1, knots.long() % around, weights)
    return weights.float()


def wave_matrix(
    count: int, spacing: float, *, periodic: bool = False
) -> tuple[Float[Tensor, "count waves"], Float[Tensor, "waves"]]:
    """Waves at `count` texel centres, each with a mean square of one, the slowest first.

    They are the cosines whose slope is zero at both ends, or, where the axis is periodic, whole turns of
    cosine and sine. The first is the constant; in the fastest, half a wave is `spacing` long,
    or the whole axis where that is shorter.

    Args:
        count: Texels.
        spacing: Texels of the shortest half wave; 1 at least.
        periodic: The last texel is followed by the first.

    Returns:
        The waves, and the frequency of each in cycles per texel.

    Source:
        Ahmed, Natarajan and Rao, "Discrete cosine transform", 1974 (the second form).
    """
    half_waves = max(1, int(count / max(spacing, 1.0) + 1e-9))  # along the whole axis
    position = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    if periodic:
        turns = torch.arange(1, min(half_waves // 2, (count - 1) // 2) + 1, dtype=torch.float64)
        angle = 2 * math.pi * position[:, None] * turns
        waves = torch.stack([torch.cos(angle), torch.sin(angle)], dim=2).flatten(1)
        frequency = (turns / count).repeat_interleave(2)
    else:
        number = torch.arange(1, min(half_waves, count - 1) + 1, dtype=torch.float64)
        waves = torch.cos(math.pi * position[:, None] * number)
        frequency = number / (2 * count)
    constant = torch.ones(count, 1, dtype=torch.float64)
    return (
        torch.cat([constant, waves * math.sqrt(2)], dim=1).float(),
        torch.cat([torch.zeros(1, dtype=torch.float64), frequency]).float(),
    )
