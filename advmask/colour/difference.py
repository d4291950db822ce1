"""CIE L*a*b* from linear sRGB and back, and the difference between two colours."""

import numpy as np
import torch
from jaxtyping import Float64

import advmask.colour.lab as cielab

_XYZ = np.array(cielab.RGB_TO_XYZ)
_WHITE = _XYZ.sum(axis=1)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


def lab_from_linear(linear: Float64[np.ndarray, "... 3"]) -> Float64[np.ndarray, "... 3"]:
    """L*a*b* under D65 of linear sRGB; values beyond [0, 1] are allowed. See `advmask.colour.lab`."""
    found = cielab.lab_from_linear(torch.from_numpy(np.ascontiguousarray(linear)))
    return np.asarray(found.numpy())


def linear_from_lab(lab: Float64[np.ndarray, "... 3"]) -> Float64[np.ndarray, "... 3"]:
    """Linear sRGB of L*a*b* under D65: the inverse of `lab_from_linear`, beyond [0, 1] too."""
    y = (lab[..., 0] + 16.0) / 116.0
    root = np.stack([y + lab[..., 1] / 500.0, y, y - lab[..., 2] / 200.0], axis=-1)
    ratio = np.where(root**3 > _EPSILON, root**3, (116.0 * root - 16.0) / _KAPPA)
    linear: Float64[np.ndarray, "... 3"] = (ratio * _WHITE) @ np.linalg.inv(_XYZ).T
    return linear


def delta_e(
    one: Float64[np.ndarray, "... 3"], other: Float64[np.ndarray, "... 3"]
) -> Float64[np.ndarray, "..."]:
    """CIEDE2000 difference of colours in L*a*b*: about 1 is just seen, above 10 a different colour.

    Source: CIE 142-2001, as scikit-image computes it.
    """
    from skimage.color import deltaE_ciede2000

    result: Float64[np.ndarray, "..."] = np.asarray(deltaE_ciede2000(one, other), dtype=np.float64)
    return result
