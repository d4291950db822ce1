"""CIE L*a*b* from linear sRGB and back, and the difference between two colours."""

import numpy as np
from jaxtyping import Float64

# sRGB to XYZ, and the white that sRGB (1, 1, 1) has in it: D65.
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _XYZ.sum(axis=1)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


def linear_from_srgb(srgb: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Decode sRGB values in [0, 1]. Source: IEC 61966-2-1."""
    power = ((np.maximum(srgb, 0.0) + 0.055) / 1.055) ** 2.4
    linear: Float64[np.ndarray, "*shape"] = np.where(srgb <= 0.04045, srgb / 12.92, power)
    return linear


def srgb_from_linear(linear: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Encode linear light, clipped to [0, 1], as sRGB. Source: IEC 61966-2-1."""
    light = np.clip(linear, 0.0, 1.0)
    power = 1.055 * light ** (1 / 2.4) - 0.055
    srgb: Float64[np.ndarray, "*shape"] = np.where(light <= 0.0031308, light * 12.92, power)
    return srgb


def lab_from_linear(linear: Float64[np.ndarray, "... 3"]) -> Float64[np.ndarray, "... 3"]:
    """L*a*b* under D65 of linear sRGB; values beyond [0, 1] are allowed. Source: CIE 15:2018."""
    ratio = linear @ (_XYZ / _WHITE[:, None]).T
    root = np.where(ratio > _EPSILON, np.cbrt(ratio), (_KAPPA * ratio + 16.0) / 116.0)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


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
