"""A value whose gradient was taken before, for parts of a step whose activations are gone by then."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def with_gradient(
    value: Float[Tensor, ""], source: Float[Tensor, "*shape"], gradient: Float[Tensor, "*shape"]
) -> Float[Tensor, ""]:
    """The same value, which in a backward pass also gives `source` this gradient; first derivatives only."""
    result: Tensor = _Known.apply(value, source, gradient)
    return result


class _Known(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, source: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradients[0], gradient * gradients[0], None
