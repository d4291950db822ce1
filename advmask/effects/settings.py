"""All effects of one preset."""

from typing import Self

from pydantic import model_validator

from advmask.core.settings import Settings
from advmask.effects.camera.settings import CameraSettings
from advmask.effects.fabric import FabricSettings
from advmask.effects.light import LightSettings
from advmask.effects.wear import WearSettings


class EffectsSettings(Settings):
    """A preset of effects; the default is none at all.

    Attributes:
        wear: How the mask sits.
        fabric: What the cloth does to the print.
        light: What falls on mask and face, beside the light of the photo.
        camera: What the camera makes of it.
        without: Effects to be left out, by name: `light`, `camera`, `camera.jpeg`, ...; for ablations.
    """

    wear: WearSettings = WearSettings()
    fabric: FabricSettings = FabricSettings()
    light: LightSettings = LightSettings()
    camera: CameraSettings = CameraSettings()
    without: tuple[str, ...] = ()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """What can stand in `without`."""
        rooms = [name for name in cls.model_fields if name != "without"]
        return (*rooms, *(f"camera.{name}" for name in CameraSettings.model_fields))

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = [name for name in self.without if name not in self.names()]
        if unknown:
            raise ValueError(f"effects.without knows {', '.join(self.names())}, not {unknown[0]}")
        return self

    def active(self) -> "EffectsSettings":
        """The same effects without those that are switched off."""
        changed: dict[str, object] = {
            name: type(getattr(self, name))() for name in self.without if "." not in name
        }
        if "camera" not in changed:
            parts = [name.removeprefix("camera.") for name in self.without if "." in name]
            bare = {name: type(getattr(self.camera, name))() for name in parts}
            changed["camera"] = self.camera.model_copy(update=bare)
        return self.model_copy(update=changed | {"without": ()})
