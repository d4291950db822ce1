"""Small layers round a network that takes or gives pictures in another way than recognizers do."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Cast:
    """A network whose weights in other floating types are made float32, in place, and may be made back again.

    Args:
        network: Anything; integers stay what they are.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        values = {id(each): each for each in (*network.parameters(), *network.buffers())}.values()
        self._kinds = [(each, each.dtype) for each in values if each.is_floating_point()]
        self._kinds = [(each, kind) for each, kind in self._kinds if kind != torch.float32]
        self.again()

    def again(self) -> None:
        """Make them float32."""
        for each, _ in self._kinds:
            each.data = each.data.float()

    def as_written(self) -> nn.Module | None:
        """The network with the types it came in, fed in the first of them; None where all was float32."""
        for each, kind in self._kinds:
            each.data = each.data.to(kind)
        return InType(self.network, self._kinds[0][1]) if self._kinds else None


class ChannelsLast(nn.Module):
    """For a network that takes pictures as (B, H, W, 3)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Any:
        """Pictures (B, 3, H, W)."""
        return self.network(pictures.permute(0, 2, 3, 1).contiguous())


class WholeNumbers(nn.Module):
    """For a network that takes whole numbers: rounds, and lets the gradient through as if it had not."""

    def __init__(self, network: nn.Module, low: float, high: float) -> None:
        super().__init__()
        self.network, self.low, self.high = network, low, high

    def forward(self, pictures: Tensor) -> Any:
        """Pictures in the range of the whole numbers."""
        whole = pictures.detach().round().clamp(self.low, self.high)
        return self.network(pictures + (whole - pictures.detach()))


class InType(nn.Module):
    """For a network that computes in another floating type, which its input is given in."""

    def __init__(self, network: nn.Module, kind: torch.dtype) -> None:
        super().__init__()
        self.network, self.kind = network, kind

    def forward(self, pictures: Tensor) -> Any:
        """Pictures in any floating type."""
        return self.network(pictures.to(self.kind))


class InGroups(nn.Module):
    """For a network that takes a fixed number of pictures: one group after the other.

    Args:
        network: Takes `size` pictures.
        size: A last group with fewer is filled up with its last picture.
    """

    def __init__(self, network: nn.Module, size: int = 1) -> None:
        super().__init__()
        self.network, self.size = network, size

    def forward(self, pictures: Tensor) -> Tensor:
        """Any number of pictures; embeddings (B, D)."""
        missing = -len(pictures) % self.size
        if missing:
            pictures = torch.cat([pictures, pictures[-1:].expand(missing, -1, -1, -1)])
        found = [as_rows(self.network(group), group) for group in pictures.split(self.size)]
        return torch.cat(found)[: len(pictures) - missing]


class Rows(nn.Module):
    """For networks that give several things, or more than two axes: embeddings (B, D) of the pictures' type.

    Args:
        network: Any.
        length: Of an embedding; of several things given, the first that fits is taken.
    """

    def __init__(self, network: nn.Module, length: int) -> None:
        super().__init__()
        self.network, self.length = network, length

    def forward(self, pictures: Tensor) -> Any:
        """Pictures (B, 3, H, W)."""
        given = self.network(pictures)
        several = list(given.values()) if isinstance(given, Mapping) else given
        if isinstance(several, list | tuple):
            count = len(pictures) * self.length
            given = next(
                (each for each in several if isinstance(each, Tensor) and each.numel() == count), given
            )
        return as_rows(given, pictures, self.length) if isinstance(given, Tensor) else given


def as_rows(given: Tensor, pictures: Tensor, length: int | None = None) -> Tensor:
    """Embeddings as (B, D) where they are told apart otherwise: (D,) of one, or (B, D, 1, 1).

    Args:
        given: What a network gave.
        pictures: What it was given, whose floating type the embeddings get.
        length: Of an embedding, where it is known.
    """
    count = len(pictures)
    if isinstance(given, Tensor) and given.is_floating_point():
        given = given.to(pictures.dtype)
    single = count == 1 and given.dim() == 1
    flat = given.dim() > 2 and len(given) == count
    if (single or flat) and length in (None, given.numel() // max(count, 1)):
        return given.reshape(count, -1)
    return given
