"""Haze: light scattered between the face and the camera."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Haze:
    """A share of each pixel's light is replaced by that of the air.

    Args:
        most: Largest share, 0 to 1; a share up to it is drawn for each photo.
        air: Colour of the air, sRGB, 0 to 1, grey.
    """

    most: float = 0.3
    air: float = 0.7

    def draw(self, batch: int, generator: Generator) -> Tensor:
        """Draw the share for each photo, (batch, 1, 1, 1): what is random happens here and nowhere else."""
        return self.most * torch.rand((batch, 1, 1, 1), generator=generator)

    def apply(self, pictures: Tensor, record: Tensor) -> Tensor:
        """Mix pictures (batch, 3, rows, columns), sRGB in [0, 1], with the air, differentiably."""
        return pictures + record * (self.air - pictures)
