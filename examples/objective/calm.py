"""A further loss: a design whose colours stay near their mean."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from advmask.objectives.own_terms import Step


@dataclass(frozen=True)
class Calm:
    """The mean squared distance of the texels from the design's mean colour.

    Args:
        weight: What it counts beside the match; 0 leaves it out.
    """

    name: ClassVar[str] = "calm"  # it is logged as term/calm
    weight: float = 0.5

    def __call__(self, step: Step) -> Tensor:
        """Give one number, weighted, with its gradient to `step.texels` (3, height, width)."""
        texels = step.texels
        return self.weight * (texels - texels.mean((1, 2), keepdim=True)).square().mean()
