"""Ink that spreads, and inks that miss each other: one separable filter with its own place per channel."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

NEGLIGIBLE_TEXEL = 0.2  # of a Gaussian's standard deviation: it would move 2 % of a texel to each side
_SAMPLED = 0.6
_BLOCK = 32


def spread(
    texels: Float[Tensor, "3 H W"],
    down: Float[Tensor, "channels H H"],
    across: Float[Tensor, "channels W W"],
    *,
    reach: int,
) -> Float[Tensor, "3 H W"]:
    """Filter each channel along its columns and rows; differentiable in the texels.

    Args:
        texels: What is asked for.
        down: Matrices of `band` for the columns; one for all channels, or one each.
        across: The same for the rows.
        reach: Of both, as `band` gives it.
    """
    result: Tensor = _Spread.apply(texels, down, across, reach)
    return result


def band(
    size: int, sigma: float, shifts: Float[Tensor, " channels"]
) -> tuple[Float[Tensor, "channels {size} {size}"], int]:
    """Matrices that spread and shift a line of texels whose ends go on for ever.

    From 0.6 texels on the taps are a sampled Gaussian. Below, where its samples would no longer have its
    spread, they are the three taps of the right mean and variance; a shift by part of a texel cannot keep its
    edges sharper than linear interpolation does.

    Args:
        size: Of the line, texels.
        sigma: Standard deviation of the spread, texels.
        shifts: Of each channel to larger positions, texels.

    Returns:
        The matrices; out = matrix @ line. How far from the diagonal they are not zero.
    """
    centre = torch.round(shifts).long()
    part = (shifts - centre).double()[:, None]
    if sigma >= _SAMPLED:
        radius = math.ceil(3 * sigma + 0.5)
        offsets = torch.arange(-radius, radius + 1)
        taps = torch.exp(-0.5 * ((offsets - part) / sigma) ** 2)
        taps /= taps.sum(dim=1, keepdim=True)
    else:
        radius = 1
        second = torch.clamp(part.abs() * (1 - part.abs()), min=sigma * sigma) + part * part
        taps = torch.cat([(second - part) / 2, 1 - second, (second + part) / 2], dim=1)
    offsets = torch.arange(-radius, radius + 1) + centre[:, None]
    # What lands on texel i comes from texel i - offset.
    source = (torch.arange(size)[:, None] - offsets[:, None, :]).clamp_(0, size - 1)
    matrices = torch.zeros(len(shifts), size, size)
    matrices.scatter_add_(2, source, taps.float()[:, None, :].expand(source.shape).contiguous())
    return matrices, radius + int(centre.abs().max())


class _Spread(torch.autograd.Function):
    """Products of blocks near the diagonal: a third of the time of a grouped convolution."""

    @staticmethod
    def forward(ctx: Any, texels: Tensor, down: Tensor, across: Tensor, reach: int) -> Tensor:
        ctx.save_for_backward(down, across)
        ctx.reach = reach
        return _products(texels.detach(), down.to(texels.dtype), across.to(texels.dtype), reach)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        down, across = (matrices.mT.to(gradients[0].dtype) for matrices in ctx.saved_tensors)
        return _products(gradients[0], down, across, ctx.reach), None, None, None


def _products(texels: Tensor, down: Tensor, across: Tensor, reach: int) -> Tensor:
    channels, height, width = texels.shape
    down, across = (matrices.expand(channels, -1, -1) for matrices in (down, across))
    # Autocast would multiply in half precision.
    with torch.autocast(texels.device.type, enabled=False):
        columns = torch.empty_like(texels)
        for rows, near in _blocks(height, reach):
            columns[:, rows] = torch.bmm(down[:, rows, near], texels[:, near])
        result = torch.empty_like(texels)
        for part, near in _blocks(width, reach):
            result[:, :, part] = torch.bmm(columns[:, :, near], across[:, part, near].mT)
    return result


def _blocks(size: int, reach: int) -> list[tuple[slice, slice]]:
    starts = range(0, size, _BLOCK)
    return [
        (slice(start, start + _BLOCK), slice(max(0, start - reach), min(size, start + _BLOCK + reach)))
        for start in starts
    ]
