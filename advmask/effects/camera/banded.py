"""Products with matrices that are zero but for a band about the diagonal, as those that resample are."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

_BLOCK = 44  # rows to a product: fewer leave out more zeros, more make better use of the processor

Windows = list[tuple[int, int, int, int]]


def windows_of(
    first: Float[Tensor, "batch rows"], beyond: Float[Tensor, "batch rows"], *, columns: int
) -> Windows:
    """Which columns matter to blocks of rows, in any matrix of the batch.

    Args:
        first: Where each row stops being zero, which does not fall from row to row; need not be whole.
        beyond: Where it is zero again.
        columns: Number of columns.

    Returns:
        First and last row of each block, and first and last column, the last ones excluded.
    """
    rows = first.shape[1]
    if first.device.type != "cpu":  # nothing is left out where telling what would be waiting
        return [(0, rows, 0, columns)]
    starts = first.amin(dim=0).floor().clamp(0, columns - 1).long().tolist()
    ends = beyond.amax(dim=0).ceil().clamp(1, columns).long().tolist()
    blocks = [(start, min(start + _BLOCK, rows)) for start in range(0, rows, _BLOCK)]
    found = [(start, end, starts[start], ends[end - 1]) for start, end in blocks]
    worth = sum((end - start) * (high - low) for start, end, low, high in found) < 0.6 * rows * columns
    return found if worth else [(0, rows, 0, columns)]


@dataclass(frozen=True)
class Banded:
    """A matrix for each picture, and where it is not zero."""

    matrix: Float[Tensor, "batch n k"]
    windows: Windows

    def repeated(self, times: int) -> "Banded":
        """Each matrix so many times in a row."""
        return Banded(self.matrix.repeat_interleave(times, dim=0), self.windows)

    def rows(self, values: Float[Tensor, "batch k m"]) -> Float[Tensor, "batch n m"]:
        """`matrix @ values`, differentiable in the values."""
        result: Tensor = _Rows.apply(values, self.matrix.to(values.dtype), self.windows)
        return result

    def columns(self, values: Float[Tensor, "batch m k"]) -> Float[Tensor, "batch m n"]:
        """`values @ matrix.mT`, differentiable in the values."""
        result: Tensor = _Columns.apply(values, self.matrix.to(values.dtype), self.windows)
        return result


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, matrix: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(matrix)
        ctx.windows = windows
        result = values.new_empty(len(values), matrix.shape[1], values.shape[2])
        for start, end, low, high in windows:
            torch.bmm(matrix[:, start:end, low:high], values[:, low:high], out=result[:, start:end])
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (matrix,) = ctx.saved_tensors
        given = gradients[0]
        gradient = given.new_zeros(len(given), matrix.shape[2], given.shape[2])
        for start, end, low, high in ctx.windows:
            gradient[:, low:high].baddbmm_(matrix[:, start:end, low:high].mT, given[:, start:end])
        return gradient, None, None


class _Columns(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, matrix: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(matrix)
        ctx.windows = windows
        result = values.new_empty(*values.shape[:2], matrix.shape[1])
        for start, end, low, high in windows:
            part = matrix[:, start:end, low:high].mT
            torch.bmm(values[:, :, low:high], part, out=result[:, :, start:end])
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (matrix,) = ctx.saved_tensors
        given = gradients[0]
        gradient = given.new_zeros(*given.shape[:2], matrix.shape[2])
        for start, end, low, high in ctx.windows:
            gradient[:, :, low:high].baddbmm_(given[:, :, start:end], matrix[:, start:end, low:high])
        return gradient, None, None
