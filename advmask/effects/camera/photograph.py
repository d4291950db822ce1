"""All of the camera, in the order in which a camera does it."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from advmask.core.precision import full_precision
from advmask.effects.camera.developing import develop
from advmask.effects.camera.jpeg import JpegDraw, apply_jpeg, draw_jpeg
from advmask.effects.camera.light_values import light_from_srgb
from advmask.effects.camera.motion import MotionDraw, apply_motion, draw_motion
from advmask.effects.camera.optics import OpticsDraw, apply_optics, draw_optics, enlarge
from advmask.effects.camera.sensor import SensorDraw, draw_sensor
from advmask.effects.camera.settings import CameraSettings
from advmask.effects.camera.sharpening import SharpeningDraw, apply_sharpening, draw_sharpening
from advmask.effects.camera.tone import CameraToneDraw, draw_tone
from advmask.effects.draws import Draws


@dataclass(frozen=True, eq=False)
class CameraDraw:
    """What was drawn for each effect of a camera; None for what happens to no photo."""

    optics: OpticsDraw
    motion: MotionDraw | None
    tone: CameraToneDraw | None
    sensor: SensorDraw | None
    sharpening: SharpeningDraw | None
    jpeg: JpegDraw | None


def draw_camera(settings: CameraSettings, *, batch: int, draws: Draws) -> CameraDraw:
    """Draw a camera for each photo."""
    return CameraDraw(
        optics=draw_optics(settings.optics, batch=batch, draws=draws),
        motion=draw_motion(settings.motion, batch=batch, draws=draws),
        tone=draw_tone(settings.tone, batch=batch, draws=draws),
        sensor=draw_sensor(settings.sensor, batch=batch, draws=draws),
        sharpening=draw_sharpening(settings.sharpening, batch=batch, draws=draws),
        jpeg=draw_jpeg(settings.jpeg, batch=batch, draws=draws),
    )


def photograph(
    pictures: Float[Tensor, "batch 3 rows columns"], drawn: CameraDraw
) -> Float[Tensor, "batch 3 rows columns"]:
    """Pass pictures through a drawn camera.

    Light falls through the lens on the sensor, in whose pixels all that follows happens, and at the end the
    picture is enlarged to its former size, as an aligner does. The gradient is true but for clipping, noise
    and compression, through which it passes as if they did nothing, so that overexposed texels still learn.

    Args:
        pictures: sRGB in [0, 1], the eyes a quarter of the width apart.
        drawn: On their device.

    Returns:
        sRGB in [0, 1]; the same tensor if the camera is perfect.
    """
    # Products of matrices here are a picture's values, not a network's: never in half precision.
    with full_precision(pictures):
        return _photographed(pictures, drawn)


def _photographed(pictures: Tensor, drawn: CameraDraw) -> Tensor:
    size = (pictures.shape[-2], pictures.shape[-1])
    shot = pictures
    if drawn.optics.changes(size) or drawn.motion or drawn.tone or drawn.sensor:
        light = apply_optics(light_from_srgb(pictures), drawn.optics)
        if drawn.motion is not None:
            light = apply_motion(light, drawn.motion)
        shot = develop(light, drawn.tone, drawn.sensor)
    if drawn.sharpening is not None:
        shot = apply_sharpening(shot, drawn.sharpening)
    if drawn.jpeg is not None:
        shot = apply_jpeg(shot, drawn.jpeg)
    return enlarge(shot, drawn.optics, size=size)
