"""All effects of one preset."""

from advmask.effects.camera import CameraSettings
from advmask.effects.tone import ToneSettings
from advmask.effects.wear import WearSettings
from advmask.settings import Settings


class EffectsSettings(Settings):
    """A preset of effects; the default is none at all.

    Attributes:
        wear: How the mask sits.
        tone: Print and light on the cloth.
        camera: What the camera adds.
    """

    wear: WearSettings = WearSettings()
    tone: ToneSettings = ToneSettings()
    camera: CameraSettings = CameraSettings()
