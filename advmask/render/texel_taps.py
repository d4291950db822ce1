"""Taps: the sampling weights of each covered pixel, as a sparse matrix that is made once per placement.

Rendering a texture is then one sparse product, and its gradient the transposed one, which costs a fifth of
sampling the texture again in every step.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, Int, Int64
from scipy.sparse import csr_matrix
from torch import Tensor


@dataclass(frozen=True)
class Taps:
    """A sparse matrix of M pixels by T texels in compressed rows.

    Attributes:
        start: (M + 1) int32, where each pixel's entries begin.
        texel: (nnz) int32, places in the list of a `MipPyramid`.
        weight: (nnz), summing to one over a pixel; float16 when kept, float32 or float64 when used.
    """

    start: Int[Tensor, " m1"]
    texel: Int[Tensor, " nnz"]
    weight: Float[Tensor, " nnz"]


def taps_from_entries(
    row: Int64[np.ndarray, " n"],
    texel: Int64[np.ndarray, " n"],
    weight: Float64[np.ndarray, " n"],
    *,
    rows: int,
) -> Taps:
    """Compress a list of entries, of which none has a pixel's texel twice, into rows.

    Args:
        row: Pixel of each entry; fastest as a few ascending runs.
        texel: Place in the list of texels.
        weight: Its weight.
        rows: Number of pixels.
    """
    order = np.argsort(row, kind="stable")
    start = np.zeros(rows + 1, dtype=np.int32)
    np.cumsum(np.bincount(row, minlength=rows), out=start[1:])
    return Taps(
        start=torch.from_numpy(start),
        texel=torch.from_numpy(texel[order].astype(np.int32)),
        weight=torch.from_numpy(weight[order].astype(np.float32)).half(),
    )


def read_taps(
    listed: Float[Tensor, "texels channels"],
    start: Int[Tensor, " m1"],
    texel: Int[Tensor, " nnz"],
    weight: Float[Tensor, " nnz"],
) -> Float[Tensor, "m channels"]:
    """Weighted sums of texels for each pixel; differentiable in the texels.

    Args:
        listed: Texels, from `MipPyramid.build`.
        start: As in `Taps`.
        texel: As in `Taps`.
        weight: As in `Taps`, in the precision of `listed`.
    """
    result: Tensor = _ReadTaps.apply(listed, start, texel, weight)
    return result


class _ReadTaps(torch.autograd.Function):
    """Forward by torch's weighted bags, backward on the CPU by scipy's sparse product: the fastest here."""

    @staticmethod
    def forward(ctx: Any, listed: Tensor, start: Tensor, texel: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(start, texel, weight)
        ctx.texels = len(listed)
        return F.embedding_bag(
            texel, listed, start, mode="sum", per_sample_weights=weight, include_last_offset=True
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = gradients
        start, texel, weight = ctx.saved_tensors
        if gradient.device.type == "cpu":
            matrix = _matrix(start, texel, weight, ctx.texels)
            return torch.from_numpy(matrix.T @ gradient.contiguous().numpy()), None, None, None
        return scattered_product(gradient, start, texel, weight, texels=ctx.texels), None, None, None


def scattered_product(
    gradient: Tensor, start: Tensor, texel: Tensor, weight: Tensor, *, texels: int
) -> Tensor:
    """Gradient of `read_taps` in the texels without scipy, on any device."""
    result = gradient.new_zeros(texels, gradient.shape[1])
    return result.index_add_(0, texel.long(), gradient[_rows(start, entries=len(texel))] * weight[:, None])


def _matrix(start: Tensor, texel: Tensor, weight: Tensor, texels: int) -> Any:
    parts = (weight.numpy(), texel.numpy(), start.numpy())
    return csr_matrix(parts, shape=(len(start) - 1, texels), copy=False)


def _rows(start: Tensor, *, entries: int) -> Tensor:
    count = (start[1:] - start[:-1]).long()
    return torch.repeat_interleave(torch.arange(len(count), device=start.device), count, output_size=entries)
