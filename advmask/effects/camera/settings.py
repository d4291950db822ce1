"""All effects of the camera."""

from advmask.core.settings import Settings
from advmask.effects.camera.jpeg import JpegSettings
from advmask.effects.camera.motion import MotionSettings
from advmask.effects.camera.optics import OpticsSettings
from advmask.effects.camera.sensor import SensorSettings
from advmask.effects.camera.sharpening import SharpeningSettings
from advmask.effects.camera.tone import CameraToneSettings


class CameraSettings(Settings):
    """What a camera does, in this order; the default is a perfect camera.

    Attributes:
        optics: Distance and focus.
        motion: Blur by motion.
        tone: Exposure, white balance, contrast and tone curve.
        sensor: Noise.
        sharpening: Sharpening by the camera's software.
        jpeg: Compression.
    """

    optics: OpticsSettings = OpticsSettings()
    motion: MotionSettings = MotionSettings()
    tone: CameraToneSettings = CameraToneSettings()
    sensor: SensorSettings = SensorSettings()
    sharpening: SharpeningSettings = SharpeningSettings()
    jpeg: JpegSettings = JpegSettings()
