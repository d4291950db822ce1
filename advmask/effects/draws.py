"""Random draws that are a function of seed, step, purpose and place in the step, and of nothing else."""

import hashlib
import math

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from advmask.effects.counter import normals, random_bits


def _key(*words: object) -> int:
    digest = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:7], "big")


def generator(seed: int, step: int, stream: str) -> Generator:
    """A generator on the CPU for one purpose in one step; different streams are independent.

    Args:
        seed: Of the run.
        step: Number of the step.
        stream: Name of the purpose.
    """
    return torch.Generator().manual_seed(_key(seed, step, stream))


class Draws:
    """Where effects get their numbers from: independent draws.

    In every shape that is asked for, photos come first: what is drawn for a photo depends on its place in the
    step alone, so that photos may be drawn for in any parts. Numbers are on the CPU.

    Args:
        key: What all of them depend on.
        first: Place of the first photo in the step.
    """

    def __init__(self, key: int, *, first: int = 0) -> None:
        self._key = key
        self._first = first
        self._taken = 0

    def _bits(self, shape: tuple[int, ...]) -> Int64[Tensor, "..."]:
        self._taken += 1
        rows = shape[0] if shape else 1
        columns = math.prod(shape[1:])
        numbers = random_bits(self._key, self._taken, rows=rows, columns=columns, first=self._first)
        return numbers.view(shape)

    def even(self, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
        """Uniform numbers in [0, 1) for places, phases and directions, which have no level."""
        return (self._bits(shape) >> 40).add_(2**23).float().mul_(2**-24)

    def uniform(self, shape: tuple[int, ...], low: float, high: float) -> Float[Tensor, "..."]:
        """Uniform numbers in [low, high)."""
        return low + (high - low) * self.even(shape)

    def symmetric(self, shape: tuple[int, ...], reach: float) -> Float[Tensor, "..."]:
        """Uniform numbers in [-reach, reach)."""
        return self.uniform(shape, -reach, reach)

    def chance(self, shape: tuple[int, ...], share: float) -> Bool[Tensor, "..."]:
        """True with this probability."""
        return self.even(shape) < share

    def integers(self, shape: tuple[int, ...], most: int) -> Int64[Tensor, "..."]:
        """Uniform whole numbers from 0 to `most`, both included."""
        return (self.even(shape) * (most + 1)).long()

    def normal(self, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
        """Standard normal numbers, which have no level either."""
        rows = shape[0] if shape else 1
        return normals(self.keys(rows), math.prod(shape[1:])).reshape(shape)

    def keys(self, photos: int) -> Int64[Tensor, " photos"]:
        """A key for each photo, from which any device draws the same large field; see `counter.normals`."""
        return self._bits((photos,))

    def generators(self, photos: int) -> list[Generator]:
        """A generator on the CPU for each photo."""
        return [torch.Generator().manual_seed(key >> 8) for key in self.keys(photos).abs().tolist()]


class LevelDraws(Draws):
    """Every number at one level of its range, for pictures that show an effect from low to high.

    What is rolled for happens as soon as the level is above zero; noise stays noise, and things stay where
    they are, drawn from a fixed key.

    Args:
        level: 0 for the low end of each range (no change, where a range is symmetric) to 1 for the high end.
    """

    def __init__(self, level: float) -> None:
        super().__init__(0)
        self._level = level

    def uniform(self, shape: tuple[int, ...], low: float, high: float) -> Float[Tensor, "..."]:
        """The number at this level between low and high."""
        return torch.full(shape, low + (high - low) * self._level)

    def symmetric(self, shape: tuple[int, ...], reach: float) -> Float[Tensor, "..."]:
        """The number at this level between 0 and `reach`."""
        return torch.full(shape, reach * self._level)

    def chance(self, shape: tuple[int, ...], share: float) -> Bool[Tensor, "..."]:
        """True where there is any chance at all, above level zero."""
        return torch.full(shape, share > 0 and self._level > 0)

    def integers(self, shape: tuple[int, ...], most: int) -> Int64[Tensor, "..."]:
        """The whole number at this level between 0 and `most`."""
        return torch.full(shape, round(most * self._level))


def draws(seed: int, step: int, stream: str, *, first: int = 0) -> Draws:
    """Independent draws for one purpose in one step.

    Args:
        seed: Of the run.
        step: Number of the step.
        stream: Name of the purpose.
        first: Place of the first photo in the step, where they are for a part of its photos.
    """
    return Draws(_key(seed, step, stream), first=first)
