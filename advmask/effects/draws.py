"""Random draws that are a function of (seed, step, stream) and nothing else."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
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


class Draws(ABC):
    """Where effects get their numbers from: at random, or all at one level of their range."""

    @abstractmethod
    def uniform(self, shape: tuple[int, ...], low: float, high: float) -> Float[Tensor, "..."]:
        """Numbers in [low, high)."""

    @abstractmethod
    def symmetric(self, shape: tuple[int, ...], reach: float) -> Float[Tensor, "..."]:
        """Numbers in [-reach, reach)."""

    @abstractmethod
    def chance(self, shape: tuple[int, ...], share: float) -> Bool[Tensor, "..."]:
        """True with this probability."""

    @abstractmethod
    def integers(self, shape: tuple[int, ...], most: int) -> Int64[Tensor, "..."]:
        """Whole numbers from 0 to `most`, both included."""

    @abstractmethod
    def normal(self, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
        """Standard normal numbers."""

    @abstractmethod
    def record(self, draw: Callable[[int, Generator], Any], batch: int) -> Any:
        """What an effect of one's own draws for so many photos."""


class RandomDraws(Draws):
    """Independent draws.

    Args:
        source: Of the numbers; see `generator`.
    """

    def __init__(self, source: Generator) -> None:
        self._source = source

    def uniform(self, shape: tuple[int, ...], low: float, high: float) -> Float[Tensor, "..."]:
        """Uniform numbers in [low, high)."""
        return low + (high - low) * torch.rand(shape, generator=self._source)

    def symmetric(self, shape: tuple[int, ...], reach: float) -> Float[Tensor, "..."]:
        """Uniform numbers in [-reach, reach)."""
        return self.uniform(shape, -reach, reach)

    def chance(self, shape: tuple[int, ...], share: float) -> Bool[Tensor, "..."]:
        """True with this probability."""
        return torch.rand(shape, generator=self._source) < share

    def integers(self, shape: tuple[int, ...], most: int) -> Int64[Tensor, "..."]:
        """Uniform whole numbers from 0 to `most`, both included."""
        return torch.randint(most + 1, shape, generator=self._source)

    def normal(self, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self._source)

    def record(self, draw: Callable[[int, Generator], Any], batch: int) -> Any:
        """What an effect of one's own draws, at random."""
        return draw(batch, self._source)


class LevelDraws(Draws):
    """Every number at one level of its range, for pictures that show an effect from low to high.

    What is rolled for happens as soon as the level is above zero; noise stays noise, drawn from a fixed seed.

    Args:
        level: 0 for the low end of each range (no change, where a range is symmetric) to 1 for the high end.
    """

    def __init__(self, level: float) -> None:
        self._level = level
        self._source = generator(0, 0, "level")

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

    def normal(self, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
        """Standard normal numbers, always the same."""
        return torch.randn(shape, generator=self._source)

    def record(self, draw: Callable[[int, Generator], Any], batch: int) -> Any:
        """What an effect of one's own draws, which has no levels, from a fixed seed."""
        return draw(batch, self._source)


def draws(seed: int, step: int, stream: str) -> RandomDraws:
    """Independent draws for one purpose in one step."""
    return RandomDraws(generator(seed, step, stream))
