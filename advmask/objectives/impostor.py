"""Away from the wearer, and yet towards nobody else."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from advmask.objectives.worst import smooth_max


class Impostor(nn.Module):
    """Mean over photos of how surely the wearer is taken for the other person most like the picture.

    Of the margins against everybody else a smooth maximum is taken, and of that -log(1 - confidence): nearly
    nothing while the nearest person lies well below the threshold, and a push that grows to one beyond it.
    Only the nearest few people of each photo have a gradient worth speaking of, so that all of them are not
    held away where they are far anyway.

    Args:
        temperature: Of the smooth maximum, in units of margins. Of n people it lies at most
            temperature log n above the largest margin.
    """

    def __init__(self, temperature: float = 0.25) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self, margin: Float[Tensor, "batch people"], own: Bool[Tensor, "batch people"]
    ) -> Float[Tensor, ""]:
        """Compute the term.

        Args:
            margin: Log-odds that each photo matches each person.
            own: Whether the person is the wearer; in every row at least one is not.
        """
        others = margin.masked_fill(own, -torch.inf)
        ones = margin.new_ones(margin.shape[-1])
        nearest = smooth_max(others, temperature=self.temperature, weights=ones)
        return F.softplus(nearest).mean()
