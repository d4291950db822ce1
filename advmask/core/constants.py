"""Tensors that never change, made once for each device and type instead of copied there in every step."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Protocol

import torch
from torch import Tensor

_made: list[Any] = []


class Constant(Protocol):
    """Gives a constant on the device and in the type of another tensor."""

    def __call__(self, like: Tensor, /, *args: Any, **named: Any) -> Tensor:
        """The constant for these arguments."""


def constant(make: Callable[..., Tensor]) -> Constant:
    """Let a function of plain arguments be called as `make(like, *args)`, and keep what it gives.

    Args:
        make: Gives a tensor on the CPU, in the precision it is best made in; floating point is brought to the
            type of `like`.
    """

    @lru_cache(maxsize=128)
    def kept(device: torch.device, dtype: torch.dtype, *args: Any, **named: Any) -> Tensor:
        with torch.inference_mode(mode=False):  # what inference makes cannot be used in training
            return make(*args, **named).to(device, dtype)

    @wraps(make)
    def like(tensor: Tensor, /, *args: Any, **named: Any) -> Tensor:
        return kept(tensor.device, tensor.dtype, *args, **named)

    _made.append(kept)
    return like


def forget_constants() -> None:
    """Make all constants anew when they are next needed."""
    for kept in _made:
        kept.cache_clear()


@constant
def numbers(values: Any) -> Tensor:
    """A tensor of numbers given in nested tuples."""
    return torch.tensor(values, dtype=torch.float64)
