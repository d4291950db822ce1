"""The colour of lamps and daylight by their temperature."""

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.colour.kelvin import D65_K
from advmask.colour.lab import RGB_FROM_XYZ
from advmask.colour.srgb import luminance
from advmask.core.constants import constant

_LAMP_K, _DAY_K = 4000.0, 5000.0  # up to the first a lamp's colour, from the second on daylight's
_LEAST = 0.02  # a candle's blue is outside sRGB; light is never negative


def chromaticity(temperature_k: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape 2"]:
    """CIE 1931 (x, y) of light: black bodies below 4000 K, daylight above 5000 K, a blend between.

    Source:
        Krystek, An algorithm to calculate correlated colour temperature, 1985 (black bodies, CIE 1960 u and
        v, each good to 0.0001 from 1000 to 15000 K); CIE 15:2004, 3.1 (daylight, 4000 to 25000 K).
    """
    t = temperature_k.double()
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t**2) / (
        1 + 8.42420235e-4 * t + 7.08145163e-7 * t**2
    )
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t**2) / (
        1 - 2.89741816e-5 * t + 1.61456053e-7 * t**2
    )
    lamp = torch.stack([3 * u, 2 * v], dim=-1) / (2 * u - 8 * v + 4)[..., None]
    low = 0.244063 + 0.09911e3 / t + 2.9678e6 / t**2 - 4.6070e9 / t**3
    high = 0.237040 + 0.24748e3 / t + 1.9018e6 / t**2 - 2.0064e9 / t**3
    x = torch.where(t <= 7000, low, high)
    day = torch.stack([x, -3 * x**2 + 2.87 * x - 0.275], dim=-1)
    share = ((t - _LAMP_K) / (_DAY_K - _LAMP_K)).clamp(0, 1)[..., None]
    return torch.lerp(lamp, day, share).to(temperature_k.dtype)


def light_gain(temperature_k: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape 3"]:
    """What light of a temperature does to a picture taken in D65: gains of linear sRGB, luminance 1.

    Source: IEC 61966-2-1 (sRGB and XYZ); the gains of 6504 K are 1.
    """
    kelvin = temperature_k.double()
    gains = _rgb(kelvin) / _white(kelvin)
    return (gains / luminance(gains)[..., None]).clamp(min=_LEAST).to(temperature_k.dtype)


@constant
def _white() -> Tensor:
    return _rgb(torch.tensor(D65_K, dtype=torch.float64))


def _rgb(temperature_k: Tensor) -> Tensor:
    x, y = chromaticity(temperature_k).unbind(dim=-1)
    xyz = torch.stack([x / y, torch.ones_like(x), (1 - x - y) / y], dim=-1)
    return xyz @ xyz.new_tensor(RGB_FROM_XYZ).T
