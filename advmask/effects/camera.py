"""What a camera adds: exposure, colour, blur and noise, on mask and face together."""

import torch
from jaxtyping import Float
from kornia.filters import gaussian_blur2d
from pydantic import Field
from torch import Generator, Tensor

from advmask.effects.draws import symmetric, uniform
from advmask.settings import Settings


class CameraSettings(Settings):
    """Ranges of what a camera does, drawn uniformly for each photo.

    Attributes:
        brightness: Relative change of all sRGB values, plus or minus.
        contrast: Relative change of the distance from mid-grey, plus or minus.
        colour: Relative change of each channel, plus or minus.
        blur_px: Standard deviation of the blur, 0 to this, pixels of the working crop.
        noise: Standard deviation of the sensor noise, 0 to this, in [0, 1] sRGB.
    """

    brightness: float = Field(default=0.0, ge=0, le=0.8)
    contrast: float = Field(default=0.0, ge=0, le=0.8)
    colour: float = Field(default=0.0, ge=0, le=0.5)
    blur_px: float = Field(default=0.0, ge=0, le=10)
    noise: float = Field(default=0.0, ge=0, le=0.5)


def photograph(
    pictures: Float[Tensor, "batch 3 rows columns"], settings: CameraSettings, *, draws: Generator
) -> Float[Tensor, "batch 3 rows columns"]:
    """Pass pictures through a drawn camera; differentiable, result in [0, 1].

    Where the result is clipped the gradient passes as if it were not, so that overexposed texels still
    learn.

    Args:
        pictures: sRGB in [0, 1].
        settings: Ranges.
        draws: Generator of this step.
    """
    batch = len(pictures)
    gain = (1 + symmetric((batch, 1), settings.brightness, draws=draws)) * (
        1 + symmetric((batch, 3), settings.colour, draws=draws)
    )
    contrast = 1 + symmetric((batch, 1), settings.contrast, draws=draws)
    sigma = uniform((batch,), 0.0, settings.blur_px, draws=draws)
    strength = uniform((batch, 1, 1, 1), 0.0, settings.noise, draws=draws)
    slope = (gain * contrast)[:, :, None, None].to(pictures)
    offset = (0.5 * (1 - contrast))[:, :, None, None].to(pictures)
    result = pictures * slope + offset
    if settings.blur_px > 0:
        radius = max(1, round(2.5 * settings.blur_px))
        widths = sigma.clamp(min=0.05).to(pictures)[:, None].expand(batch, 2)
        result = gaussian_blur2d(result, 2 * radius + 1, widths, border_type="replicate")
    if settings.noise > 0:
        noise = torch.randn(pictures.shape, generator=draws) * strength
        result = result + noise.to(pictures)
    return _clip_straight_through(result)


def _clip_straight_through(values: Tensor) -> Tensor:
    return values + (values.clamp(0, 1) - values).detach()
