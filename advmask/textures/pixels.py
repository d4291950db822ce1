"""The pixel parametrisation: every texel is free in (0, 1)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

_MARGIN = 0.02  # start values are kept this far from 0 and 1, where the sigmoid has little slope left


class PixelTexture(nn.Module):
    """A texture whose texels are sigmoids of free numbers, so that they never leave (0, 1).

    Args:
        start: Texels to start from, sRGB in [0, 1].
    """

    def __init__(self, start: Float[Tensor, "3 height width"]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.logit(start.detach().clamp(_MARGIN, 1 - _MARGIN)))

    def forward(self) -> Float[Tensor, "3 height width"]:
        """The texels, sRGB in (0, 1)."""
        return torch.sigmoid(self.logits)
