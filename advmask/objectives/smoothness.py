"""Smoothness of a texture, per millimetre of cloth."""

from jaxtyping import Float
from torch import Tensor, nn


class Smoothness(nn.Module):
    """Mean absolute change of colour per millimetre, along both axes (anisotropic total variation).

    Because the change is taken per millimetre and not per texel, the same design costs the same at every
    texture resolution.

    Args:
        texels_per_mm: Texture resolution.

    Source:
        Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", 1992.
    """

    def __init__(self, *, texels_per_mm: float) -> None:
        super().__init__()
        self.texels_per_mm = texels_per_mm

    def forward(self, texture: Float[Tensor, "3 height width"]) -> Float[Tensor, ""]:
        """Sum of the mean changes along rows and columns, in sRGB units per mm."""
        across = (texture[:, :, 1:] - texture[:, :, :-1]).abs().mean()
        along = (texture[:, 1:] - texture[:, :-1]).abs().mean()
        return (across + along) * self.texels_per_mm
