"""Exposure, white balance, contrast and tone curve: the colours that a camera makes of light."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.effects.camera.settings import CameraToneSettings
from advmask.effects.draws import Draws


@dataclass(frozen=True)
class CameraToneDraw:
    """Colours of each photo.

    Attributes:
        gain: Of the light in each channel, from exposure and white balance.
        contrast: Factor of the distance from mid-grey.
        curve: Bend of the tone curve.
    """

    gain: Float[Tensor, "batch 3"]
    contrast: Float[Tensor, "batch"]
    curve: Float[Tensor, "batch"]


def draw_tone(settings: CameraToneSettings, *, batch: int, draws: Draws) -> CameraToneDraw | None:
    """Draw exposure, white balance, contrast and tone curve, None if none changes; `develop` applies them."""
    stops = draws.symmetric((batch, 1), settings.exposure_ev)
    temperature = draws.symmetric((batch, 1), settings.temperature_ev)
    stops = stops + temperature * torch.tensor([1.0, 0.0, -1.0])
    stops = stops + draws.symmetric((batch, 3), settings.colour_ev)
    contrast, curve = (draws.symmetric((batch,), each) for each in (settings.contrast, settings.curve))
    if not any(bool(each.any()) for each in (stops, contrast, curve)):
        return None
    return CameraToneDraw(gain=torch.exp2(stops), contrast=1 + contrast, curve=curve)
