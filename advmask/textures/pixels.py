"""The pixel parametrisation: texels in (0, 1) whose change from the start is free down to a finest detail."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

_MARGIN = 0.02  # start values are kept this far from 0 and 1, where the sigmoid has little slope left


class PixelTexture(nn.Module):
    """Texels = sigmoid(logit of the start + change); the change is what is learned.

    The change is a cubic B-spline over free numbers that stand `detail_texels` apart. Recognizers see a face
    at less than a pixel per millimetre, so nothing they can be shown is lost at a detail of 1 mm, while
    texels that no photo happens to sample follow their neighbours instead of printing as blocks.

    Args:
        start: Texels to start from, sRGB in [0, 1]; finer detail in it is kept.
        detail_texels: Distance of the free numbers; 1 or less makes every texel free on its own.

    Source:
        Unser, "Splines: a perfect fit for signal and image processing", 1999.
    """

    start: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(self, start: Float[Tensor, "3 height width"], *, detail_texels: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("start", torch.logit(start.detach().clamp(_MARGIN, 1 - _MARGIN)))
        height, width = start.shape[-2:]
        self._free = detail_texels <= 1
        rows, columns = spline_matrix(height, detail_texels), spline_matrix(width, detail_texels)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns.T.contiguous(), persistent=False)
        shape = start.shape if self._free else (3, rows.shape[1], columns.shape[1])
        self.change = nn.Parameter(torch.zeros(shape))

    def forward(self) -> Float[Tensor, "3 height width"]:
        """The texels, sRGB in (0, 1)."""
        change = self.change if self._free else self.rows @ self.change @ self.columns
        return torch.sigmoid(self.start + change)


def spline_matrix(count: int, spacing: float) -> Float[Tensor, "count knots"]:
    """Weights of the knots of a uniform cubic B-spline at `count` texel centres; rows sum to one.

    Args:
        count: Texels.
        spacing: Texels from knot to knot.
    """
    position = (torch.arange(count, dtype=torch.float64) + 0.5) / max(spacing, 1.0)
    knots = torch.arange(-1, math.ceil(count / max(spacing, 1.0)) + 2, dtype=torch.float64)
    t = (position[:, None] - knots).abs()
    near = 2 / 3 - t**2 + t**3 / 2
    far = (2 - t).clamp(min=0) ** 3 / 6
    return torch.where(t < 1, near, far).float()
