"""Ranges of all effects of the camera, drawn for each photo."""

from typing import Annotated

from pydantic import AfterValidator, Field

from advmask.core.settings import Settings
from advmask.effects.ranges import Range


def _resolvable(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] < 4:
        raise ValueError("the eyes must be at least 4 px apart on the sensor")
    return ends


class OpticsSettings(Settings):
    """Ranges of distance and focus, drawn for each photo.

    Attributes:
        eyes_px: Pixels between the eyes, lowest and highest, drawn log-uniformly, which is what a person
            walking up yields; the crop has 44, and None loses none.
        focus_px: Standard deviation of the blur of the lens, up to, px of the sensor.
    """

    eyes_px: Annotated[Range, AfterValidator(_resolvable)] | None = None
    focus_px: float = Field(default=0.0, ge=0, le=10)


class MotionSettings(Settings):
    """Ranges of motion, drawn for each photo; the direction is any.

    Attributes:
        length_px: Of the streak, up to, px of the sensor.
        share: How many of the photos are blurred by motion.
    """

    length_px: float = Field(default=0.0, ge=0, le=40)
    share: float = Field(default=0.0, ge=0, le=1)


class CameraToneSettings(Settings):
    """Ranges of a camera's colours, drawn for each photo; each is plus or minus its value.

    Attributes:
        exposure_ev: Exposure, plus or minus, stops: factors of two in light.
        temperature_ev: White balance, red against blue, plus or minus, stops.
        colour_ev: White balance besides that, each channel by itself, plus or minus, stops.
        contrast: Relative change of the distance of sRGB values from mid-grey, plus or minus, share.
        curve: Bend a of the tone curve x + a x (1 - x), plus or minus: brighter or darker midtones, the ends
            staying; 0.2 is about a gamma of 1.3.
    """

    exposure_ev: float = Field(default=0.0, ge=0, le=3)
    temperature_ev: float = Field(default=0.0, ge=0, le=2)
    colour_ev: float = Field(default=0.0, ge=0, le=1)
    contrast: float = Field(default=0.0, ge=0, le=0.8)
    curve: float = Field(default=0.0, ge=0, le=0.8)


class SensorSettings(Settings):
    """Range of the noise, drawn for each photo.

    Attributes:
        noise: Standard deviation at mid-grey, up to, share of the full range.
        read_share: Of the variance at mid-grey, that of reading; the rest is shot noise. The more, the
            noisier are the shadows, as with a poor sensor at night.
    """

    noise: float = Field(default=0.0, ge=0, le=0.5)
    read_share: float = Field(default=0.03, ge=0, le=1)


class SharpeningSettings(Settings):
    """Range of unsharp masking, drawn for each photo.

    Attributes:
        amount: How often the difference to the blurred picture is added, up to.
        radius_px: Standard deviation of that blur, px of the sensor.
        share: How many of the photos are sharpened.
    """

    amount: float = Field(default=0.0, ge=0, le=5)
    radius_px: float = Field(default=1.0, ge=0.3, le=5)
    share: float = Field(default=0.0, ge=0, le=1)


def _percent(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] < 1 or ends[1] > 100:
        raise ValueError("the quality of a JPEG file goes from 1 to 100")
    return ends


class JpegSettings(Settings):
    """Range of compression, drawn for each photo.

    Attributes:
        quality: As libjpeg counts it, lowest and highest, of 1 to 100.
        share: How many of the photos are compressed.
        subsampled: Half the resolution for colour (4:2:0), as nearly all cameras write.
    """

    quality: Annotated[Range, AfterValidator(_percent)] = (75.0, 95.0)
    share: float = Field(default=0.0, ge=0, le=1)
    subsampled: bool = True


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
