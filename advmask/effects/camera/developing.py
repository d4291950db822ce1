"""From the light on the sensor to a picture: gains, noise, saturation, sRGB, contrast and tone curve."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.effects.camera.light_values import POWER, TOE
from advmask.effects.camera.sensor import SensorDraw
from advmask.effects.camera.tone import CameraToneDraw

_GREY = 0.5 + TOE
_NEUTRAL = (((3,), 1.0), ((), 1.0), ((), 0.0))  # shapes and values of a `CameraToneDraw`


def develop(
    light: Float[Tensor, "batch 3 rows columns"], tone: CameraToneDraw | None, sensor: SensorDraw | None
) -> Float[Tensor, "batch 3 rows columns"]:
    """Make sRGB pictures of light, with a camera's colours and noise; result in [0, 1].

    A gain g of the light is a gain of g^(1/2.2) of sRGB values, and is applied as what it is in the values
    that stand for light here. The variance of the noise is in part in proportion to the light, that of the
    photons counted, and in part the same everywhere, that of reading. More exposure counts more photons.

    Differentiable once, as if there were no noise and nothing were clipped; so saturated texels still learn.

    Args:
        light: On the sensor; see `light_from_srgb`.
        tone: Colours; None for those of the light.
        sensor: Noise; None for none.
    """
    if tone is None:
        tone = CameraToneDraw(*(light.new_full((len(light), *each), value) for each, value in _NEUTRAL))
    result: Tensor = _Developed.apply(light, tone, sensor)
    return result


class _Developed(torch.autograd.Function):
    """Written out, since this is a third of the camera's time, and autograd would keep every stage."""

    @staticmethod
    def forward(ctx: Any, light: Tensor, tone: CameraToneDraw, sensor: SensorDraw | None) -> Tensor:
        gain = tone.gain.pow(2 / POWER)[:, :, None, None].to(light.dtype)
        contrast, curve = (one[:, None, None, None].to(light.dtype) for one in (tone.contrast, tone.curve))
        # Black, which the toe lifts, stays black.
        exposed = torch.addcmul(TOE**2 * (1 - gain), light, gain)
        values = _with_noise(exposed, sensor).clamp_(min=0).sqrt_()
        # Contrast about mid-grey of sRGB values, which are these less the toe.
        values = torch.addcmul(0.5 - _GREY * contrast, values, contrast).clamp_(0, 1)
        ctx.save_for_backward(exposed, values, gain * contrast / 2, curve)
        return torch.addcmul(values, torch.addcmul(values, values, values, value=-1), curve)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        exposed, values, slope, curve = ctx.saved_tensors
        bent = torch.addcmul(slope * (1 + curve), values, -2 * slope * curve)
        return exposed.rsqrt().mul_(bent).mul_(gradients[0]), None, None


def _with_noise(light: Tensor, sensor: SensorDraw | None) -> Tensor:
    """Light with noise, as a tensor that may be overwritten.

    At mid-grey a change of sRGB values is 2 (0.5 + toe) times that in these values of light.
    """
    if sensor is None:
        return light.clone()
    variance = (2 * _GREY * sensor.strength).square()[:, None, None, None].to(light.dtype)
    shot = variance * ((1 - sensor.read_share) / (_GREY**2 - TOE**2))
    read = variance * sensor.read_share - shot * TOE**2
    spread = torch.addcmul(read, light, shot).clamp_(min=0).sqrt_()
    return torch.addcmul(light, spread, sensor.normal(light), out=spread)
