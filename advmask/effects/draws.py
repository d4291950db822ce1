"""Random draws that are a function of (seed, step, stream) and nothing else."""

import hashlib

import torch
from jaxtyping import Float
from torch import Generator, Tensor


def generator(seed: int, step: int, stream: str) -> Generator:
    """A generator on the CPU for one purpose in one step.

    Numbers are drawn on the CPU and moved, so that every device sees the same draws, and a step can be
    replayed alone. Different streams are independent.

    Args:
        seed: Of the run.
        step: Number of the step.
        stream: Name of the purpose.
    """
    digest = hashlib.sha256(f"{seed}/{step}/{stream}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def uniform(shape: tuple[int, ...], low: float, high: float, *, draws: Generator) -> Float[Tensor, "..."]:
    """Uniform numbers in [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=draws)


def symmetric(shape: tuple[int, ...], reach: float, *, draws: Generator) -> Float[Tensor, "..."]:
    """Uniform numbers in [-reach, reach)."""
    return uniform(shape, -reach, reach, draws=draws)
