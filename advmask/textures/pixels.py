"""Texels that are free in their tone: in (0, 1), or within a bounded change of a motif."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.textures.fields import Extent, SplineField

_MARGIN = 0.02  # start values are kept this far from the ends, where the sigmoid has little slope left


class PixelTexture(nn.Module):
    """Texels = sigmoid(logit of the start + change); the change is what is learned.

    With `reach`, the sigmoid runs not from 0 to 1 but from `start - reach` to `start + reach`, cut at 0 and
    1: no texel ever leaves that band, and near its ends the slope becomes small but never zero.

    By default the change is a cubic B-spline over free numbers that stand `detail_texels` apart. Recognizers
    see a face at less than a pixel per millimetre, so nothing they can be shown is lost at a detail of 1 mm,
    while texels that no photo happens to sample follow their neighbours instead of printing as blocks.

    Args:
        start: Texels to start from, sRGB in [0, 1]; finer detail in it is kept.
        detail_texels: Distance of the free numbers; 1 or less makes every texel free on its own.
        field: Makes the change, in place of that spline: called with the share of the run that is over.
        reach: How far a texel may go from the start, sRGB; None for any distance.
    """

    start: Tensor
    low: Tensor
    span: Tensor

    def __init__(
        self,
        start: Float[Tensor, "3 height width"],
        *,
        detail_texels: float = 1.0,
        field: nn.Module | None = None,
        reach: float | None = None,
    ) -> None:
        super().__init__()
        start = start.detach()
        if field is None:
            field = SplineField(Extent(*start.shape[-2:]), spacing=detail_texels)
        self.field = field
        self._bounded = reach is not None
        if reach is None:
            position = start
        else:
            low = (start - reach).clamp(min=0)
            span = (start + reach).clamp(max=1) - low
            position = (start - low) / span
            self.register_buffer("low", low)
            self.register_buffer("span", span)
        self.register_buffer("start", torch.logit(position.clamp(_MARGIN, 1 - _MARGIN)))

    def forward(self, share: float = 0.0) -> Float[Tensor, "3 height width"]:
        """The texels, sRGB in (0, 1), when `share` of the run is over."""
        tone = torch.sigmoid(self.start + self.field(share))
        return torch.addcmul(self.low, self.span, tone) if self._bounded else tone
