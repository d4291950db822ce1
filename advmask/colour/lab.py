"""CIE Lab of linear light and back, for differences as an eye sees them."""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from advmask.core.constants import numbers

# From CIE XYZ to linear sRGB, as the standard rounds it; the way back is its inverse.
RGB_FROM_XYZ = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
_XYZ_FROM_RGB = tuple(map(tuple, np.linalg.inv(RGB_FROM_XYZ).tolist()))
_LAB = ((0.0, 116.0, 0.0), (500.0, -500.0, 0.0), (0.0, 200.0, -200.0))
_TOE = (6 / 29) ** 3
_SLOPE = (29 / 6) ** 2 / 3  # of the line below the toe


def lab_from_linear(linear: Float[Tensor, "*shape 3"]) -> Float[Tensor, "*shape 3"]:
    """CIE Lab (D65, 2 degrees) of linear sRGB light; L runs from 0 to 100.

    The white point is that of sRGB itself, so that (1, 1, 1) is L = 100, a = b = 0 exactly. Values beyond
    [0, 1] are allowed. Differentiable with a bounded slope everywhere, black included.

    Source: CIE 15:2018; matrix of IEC 61966-2-1.
    """
    xyz = numbers(linear, _XYZ_FROM_RGB)
    with torch.autocast(linear.device.type, enabled=False):
        relative = linear @ (xyz / xyz.sum(dim=1, keepdim=True)).T
    root = relative.clamp(min=_TOE).pow(1 / 3)
    # Below the toe a line; as a sum of both parts no branch is needed.
    curve = root + (relative.clamp(max=_TOE) - _TOE) * _SLOPE
    with torch.autocast(linear.device.type, enabled=False):
        return curve @ numbers(linear, _LAB).T - numbers(linear, (16.0, 0.0, 0.0))


def linear_from_lab(lab: Float[Tensor, "*shape 3"]) -> Float[Tensor, "*shape 3"]:
    """Linear sRGB of CIE Lab: the inverse of `lab_from_linear`, beyond [0, 1] too."""
    curve = (lab + numbers(lab, (16.0, 0.0, 0.0))) @ torch.linalg.inv(numbers(lab, _LAB)).T
    root = _TOE ** (1 / 3)
    relative = curve.clamp(min=root).pow(3) + (curve.clamp(max=root) - root) / _SLOPE
    white = numbers(lab, _XYZ_FROM_RGB).sum(dim=1)
    linear: Tensor = (relative * white) @ numbers(lab, RGB_FROM_XYZ).T
    return linear


def lab_of(linear: Float64[np.ndarray, "... 3"]) -> Float64[np.ndarray, "... 3"]:
    """`lab_from_linear` of an array."""
    lab: Float64[np.ndarray, "... 3"] = lab_from_linear(
        torch.from_numpy(np.ascontiguousarray(linear))
    ).numpy()
    return lab


def light_of(lab: Float64[np.ndarray, "... 3"]) -> Float64[np.ndarray, "... 3"]:
    """`linear_from_lab` of an array."""
    linear: Float64[np.ndarray, "... 3"] = linear_from_lab(
        torch.from_numpy(np.ascontiguousarray(lab))
    ).numpy()
    return linear
