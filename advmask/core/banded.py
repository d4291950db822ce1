"""Products with matrices that are zero but for a band about the diagonal, as those that resample are."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

_BLOCK = 32  # rows to a product: fewer leave out more zeros, more make better use of the processor

Windows = list[list[tuple[int, int, int, int]]]


def windows_of(
    first: Float[Tensor, "batch rows"], beyond: Float[Tensor, "batch rows"], *, columns: int
) -> Windows | None:
    """Which columns matter to blocks of rows in each matrix of a batch.

    Args:
        first: Where each row stops being zero; need not be whole.
        beyond: Where it is zero again.
        columns: Number of columns.

    Returns:
        For each matrix, first and last row of each block, and first and last column, the last ones excluded.
        None on a GPU, which would wait to be told, and has its own ways with whole matrices.
    """
    if first.device.type != "cpu":
        return None
    rows = first.shape[1]
    blocks = [(start, min(start + _BLOCK, rows)) for start in range(0, rows, _BLOCK)]
    lows = torch.stack([first[:, start:end].amin(dim=1) for start, end in blocks], dim=1)
    highs = torch.stack([beyond[:, start:end].amax(dim=1) for start, end in blocks], dim=1)
    lows = lows.float().floor().clamp(0, columns - 1).long()
    highs = highs.float().ceil().clamp(1, columns).long()
    return [
        [(*block, low, high) for block, low, high in zip(blocks, *each, strict=True)]
        for each in zip(lows.tolist(), highs.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class Banded:
    """Some matrices, and where they are not zero; None if that is not known."""

    matrix: Float[Tensor, "batch n k"]
    windows: Windows | None

    @classmethod
    def of(cls, matrix: Float[Tensor, "n k"], *, times: int = 1) -> "Banded":
        """A matrix, so many times, with the zeros at both ends of its rows."""
        filled, columns = matrix != 0, matrix.shape[1]
        first = filled.int().argmax(dim=1)
        beyond = columns - filled.flip(1).int().argmax(dim=1)
        windows = windows_of(first[None], beyond[None], columns=columns)
        return cls(matrix.expand(times, -1, -1), None if windows is None else windows * times)

    def rows(self, values: Float[Tensor, "batch k m"]) -> Float[Tensor, "batch n m"]:
        """`matrix @ values`, differentiable in the values."""
        matrix = self.matrix.to(values.dtype)
        if self.windows is None:
            return matrix @ values
        result: Tensor = _Rows.apply(values, matrix, self.windows)
        return result

    def columns(self, values: Float[Tensor, "batch m k"]) -> Float[Tensor, "batch m n"]:
        """`values @ matrix.mT`, differentiable in the values."""
        matrix = self.matrix.to(values.dtype)
        if self.windows is None:
            return values @ matrix.mT
        result: Tensor = _Columns.apply(values, matrix, self.windows)
        return result


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, matrix: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(matrix)
        ctx.windows = windows
        result = values.new_empty(len(values), matrix.shape[1], values.shape[2])
        for one, value, own, blocks in zip(result, values, matrix, windows, strict=True):
            for start, end, low, high in blocks:
                torch.mm(own[start:end, low:high], value[low:high], out=one[start:end])
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (matrix,) = ctx.saved_tensors
        given = gradients[0].contiguous()
        gradient = given.new_zeros(len(given), matrix.shape[2], given.shape[2])
        for one, value, own, blocks in zip(gradient, given, matrix, ctx.windows, strict=True):
            for start, end, low, high in blocks:
                one[low:high].addmm_(own[start:end, low:high].T, value[start:end])
        return gradient, None, None


class _Columns(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, matrix: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(matrix)
        ctx.windows = windows
        result = values.new_empty(*values.shape[:2], matrix.shape[1])
        for one, value, own, blocks in zip(result, values, matrix, windows, strict=True):
            for start, end, low, high in blocks:
                torch.mm(value[:, low:high], own[start:end, low:high].T, out=one[:, start:end])
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (matrix,) = ctx.saved_tensors
        given = gradients[0].contiguous()
        gradient = given.new_zeros(*given.shape[:2], matrix.shape[2])
        for one, value, own, blocks in zip(gradient, given, matrix, ctx.windows, strict=True):
            for start, end, low, high in blocks:
                one[:, low:high].addmm_(value[:, start:end], own[start:end, low:high])
        return gradient, None, None
