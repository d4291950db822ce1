"""The eye region of a chip: what a matcher sees that ignores everything a mask can cover."""

import torch
from jaxtyping import Float
from torch import Tensor

# Below the eyes by this share of the eye distance begins what a mask may cover: the nose line of a mask lies
# 13 mm below eyes that are 66 mm apart, and its rim, shadow and loops need a little room.
_BELOW_EYES = 0.14
_SOFT = 0.03  # half the height of the soft border, in eye distances: no edge for the network to see
_GREY = 0.5


def eye_region(template: Float[Tensor, "5 2"], *, size: tuple[int, int]) -> Float[Tensor, "1 1 height width"]:
    """Share of each pixel of an aligned chip that is kept: 1 from the brow upwards to just below the eyes.

    Args:
        template: Where the landmarks stand in the chip, px.
        size: Height and width of the chip.
    """
    left, right = template[0], template[1]
    across = right - left
    distance = torch.linalg.vector_norm(across)
    height, width = size
    y, x = torch.meshgrid(
        torch.arange(height).to(template) + 0.5, torch.arange(width).to(template) + 0.5, indexing="ij"
    )
    # Signed distance below the line through the eyes, in eye distances.
    below = (across[0] * (y - left[1]) - across[1] * (x - left[0])) / distance**2
    kept: Tensor = ((_BELOW_EYES + _SOFT - below) / (2 * _SOFT)).clamp(0, 1)[None, None]
    return kept


def only_eyes(
    chips: Float[Tensor, "batch 3 height width"], kept: Float[Tensor, "1 1 height width"]
) -> Float[Tensor, "batch 3 height width"]:
    """Chips with everything but the eye region turned grey; differentiable."""
    grey = torch.full((1, 1, 1, 1), _GREY, dtype=chips.dtype, device=chips.device)
    return torch.lerp(grey, chips, kept.to(chips))
