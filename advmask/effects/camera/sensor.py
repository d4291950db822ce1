"""Noise of the sensor: of light itself, and of reading it out."""

from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor

from advmask.effects.camera.settings import SensorSettings
from advmask.effects.counter import normals
from advmask.effects.draws import Draws


@dataclass(frozen=True)
class SensorDraw:
    """Noise of each photo.

    Attributes:
        strength: Standard deviation at mid-grey.
        read_share: Share of the noise of reading in the variance at mid-grey.
        key: What its standard normal numbers are made from, on the device; see `normal`.
    """

    strength: Float[Tensor, "batch"]
    read_share: float
    key: Int64[Tensor, "batch"]

    def normal(
        self, light: Float[Tensor, "batch channels rows columns"]
    ) -> Float[Tensor, "batch channels rows columns"]:
        """A standard normal number for each value of the sensor."""
        return normals(self.key, light[0].numel()).view(light.shape).to(light.dtype)


def draw_sensor(settings: SensorSettings, *, batch: int, draws: Draws) -> SensorDraw | None:
    """Draw noise, None if there is none; `develop` applies it."""
    if not settings.noise:
        return None
    strength = draws.uniform((batch,), 0.0, settings.noise)
    return SensorDraw(strength, settings.read_share, draws.keys(batch)) if bool(strength.any()) else None
