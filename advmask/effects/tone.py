"""Print and light on the cloth, coarsely: what black and white texels become on each photo."""

import torch
from pydantic import Field
from torch import Generator

from advmask.effects.draws import symmetric, uniform
from advmask.render import Tone
from advmask.settings import Settings


class ToneSettings(Settings):
    """Ranges of the print's black and white, in linear light relative to white cloth.

    Attributes:
        black: Printed black reflects between 0 and this.
        white: Printed white reflects between 1 minus this and 1.
        brightness: Relative change of the light on the mask, plus or minus.
        tint: Relative change of each colour channel, plus or minus.
    """

    black: float = Field(default=0.0, ge=0, le=0.3)
    white: float = Field(default=0.0, ge=0, le=0.5)
    brightness: float = Field(default=0.0, ge=0, le=0.8)
    tint: float = Field(default=0.0, ge=0, le=0.5)


def draw_tone(settings: ToneSettings, *, batch: int, draws: Generator) -> Tone:
    """Draw black and white (B, 3) of the print for each photo of a batch.

    Colours are compressed, never clipped, so that saturated texels keep their gradient.
    """
    black = uniform((batch, 1), 0.0, settings.black, draws=draws)
    white = 1 - uniform((batch, 1), 0.0, settings.white, draws=draws)
    light = 1 + symmetric((batch, 1), settings.brightness, draws=draws)
    tint = 1 + symmetric((batch, 3), settings.tint, draws=draws)
    return Tone(black=(black * light * tint).float(), white=torch.as_tensor(white * light * tint).float())
