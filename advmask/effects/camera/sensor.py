"""Noise of the sensor: of light itself, and of reading it out."""

from dataclasses import dataclass

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from advmask.core.settings import Settings
from advmask.effects.draws import Draws


class SensorSettings(Settings):
    """Range of the noise, drawn for each photo.

    Attributes:
        noise: Standard deviation at mid-grey, 0 to this, in sRGB values of [0, 1].
        read_share: Share of the noise of reading in the variance at mid-grey; the rest is shot noise. The
            more, the noisier are the shadows, as with a poor sensor at night.
    """

    noise: float = Field(default=0.0, ge=0, le=0.5)
    read_share: float = Field(default=0.03, ge=0, le=1)


@dataclass(frozen=True)
class SensorDraw:
    """Noise of each photo.

    Attributes:
        strength: Standard deviation at mid-grey.
        read_share: Share of the noise of reading in the variance at mid-grey.
        normal: Standard normal numbers, one for each value of the sensor; None where there is no noise.
    """

    strength: Float[Tensor, "batch"]
    read_share: float
    normal: Float[Tensor, "batch channels rows columns"] | None


def draw_sensor(settings: SensorSettings, *, shape: tuple[int, int, int, int], draws: Draws) -> SensorDraw:
    """Draw noise for pictures of a shape, that of the sensor; `develop` applies it."""
    strength = draws.uniform((shape[0],), 0.0, settings.noise)
    normal = draws.normal(shape) if bool((strength > 0).any()) else None
    return SensorDraw(strength=strength, read_share=settings.read_share, normal=normal)
