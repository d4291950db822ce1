"""How far an aligner is misled."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Displacement(nn.Module):
    """Mean displacement of landmarks by a design, in eye distances, bounded; larger is better dodging.

    A landmark that stands a distance d from its place on the bare picture counts r tanh(d / r) with the reach
    r: the displacement itself while it is small, and never more than r. Without the bound a few landmarks
    thrown out of the picture would pay better than all of them moved far enough to spoil the alignment.
    Distances are softened by a thousandth, so that the slope is bounded where nothing has moved yet.

    Args:
        reach: Bound, in eye distances.

    Raises:
        ValueError: The reach is not above 0.
    """

    def __init__(self, reach: float = 0.5) -> None:
        super().__init__()
        if reach <= 0:
            raise ValueError(f"Displacement needs a reach above 0 eye distances, not {reach}")
        self.reach = reach

    def forward(
        self, found: Float[Tensor, "n points 2"], bare: Float[Tensor, "n points 2"]
    ) -> Float[Tensor, ""]:
        """The mean over photos and landmarks, in [0, reach]; 0 where there is no photo.

        Args:
            found: Landmarks an aligner found on the masked pictures, px.
            bare: Landmarks of the bare pictures, px; the first two are the eyes.
        """
        if not len(found):
            return found.sum()
        eyes = torch.linalg.vector_norm(bare[:, 1] - bare[:, 0], dim=1).clamp(min=1e-6)
        moved = (found - bare) / eyes[:, None, None]
        soft = 1e-3
        distance = (moved.square().sum(dim=2) + soft**2).sqrt() - soft
        return self.reach * torch.tanh(distance / self.reach).mean()
