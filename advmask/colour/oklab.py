"""Oklab, in which equal steps look about equal and hues stay what they are."""

import torch
from jaxtyping import Float
from torch import Tensor

_LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def oklab(linear: Float[Tensor, "*size 3"]) -> Float[Tensor, "*size 3"]:
    """Oklab of linear sRGB colours: lightness 0 to 1, green to red and blue to yellow, about -0.4 to 0.4.

    Source: B. Ottosson, A perceptual color space for image processing (2020).
    """
    cones = linear @ torch.tensor(_LMS, dtype=linear.dtype).T
    compressed = cones.abs().pow(1 / 3).copysign(cones)
    return compressed @ torch.tensor(_LAB, dtype=linear.dtype).T
