"""All of the camera, in the order in which a camera does it."""

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.effects.camera.developing import develop
from advmask.effects.camera.jpeg import apply_jpeg, draw_jpeg
from advmask.effects.camera.light_values import light_from_srgb
from advmask.effects.camera.motion import apply_motion, draw_motion
from advmask.effects.camera.optics import apply_optics, draw_optics, enlarge
from advmask.effects.camera.sensor import draw_sensor
from advmask.effects.camera.settings import CameraSettings
from advmask.effects.camera.sharpening import apply_sharpening, draw_sharpening
from advmask.effects.camera.tone import draw_tone
from advmask.effects.draws import Draws


def photograph(
    pictures: Float[Tensor, "batch 3 rows columns"], settings: CameraSettings, *, draws: Draws
) -> Float[Tensor, "batch 3 rows columns"]:
    """Pass pictures through a drawn camera.

    Light falls through the lens on the sensor, in whose pixels all that follows happens, and at the end the
    picture is enlarged to its former size, as an aligner does. The gradient is true but for clipping, noise
    and compression, through which it passes as if they did nothing, so that overexposed texels still learn.

    Args:
        pictures: sRGB in [0, 1], the eyes a quarter of the width apart.
        settings: Ranges.
        draws: Of this step.

    Returns:
        sRGB in [0, 1]; the same tensor if the camera is perfect.
    """
    # Products of matrices here are a picture's values, not a network's: never in half precision.
    with torch.autocast(pictures.device.type, enabled=False):
        return _photographed(pictures, settings, draws)


def _photographed(pictures: Tensor, settings: CameraSettings, draws: Draws) -> Tensor:
    batch, channels, rows, columns = pictures.shape
    optics = draw_optics(settings.optics, batch=batch, draws=draws)
    motion = draw_motion(settings.motion, batch=batch, draws=draws)
    tone = draw_tone(settings.tone, batch=batch, draws=draws)
    shape = (batch, channels, *optics.sensor((rows, columns)))
    sensor = draw_sensor(settings.sensor, shape=shape, draws=draws)
    shot = pictures
    if optics.changes((rows, columns)) or motion.moves() or tone.changes() or sensor.normal is not None:
        light = apply_motion(apply_optics(light_from_srgb(pictures), optics), motion)
        shot = develop(light, tone, sensor)
    shot = apply_sharpening(shot, draw_sharpening(settings.sharpening, batch=batch, draws=draws))
    shot = apply_jpeg(shot, draw_jpeg(settings.jpeg, batch=batch, draws=draws))
    return enlarge(shot, optics, size=(rows, columns))
