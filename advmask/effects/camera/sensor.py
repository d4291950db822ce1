"""Noise of the sensor: of light itself, and of reading it out."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from advmask.effects.camera.settings import SensorSettings
from advmask.effects.draws import Draws


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
