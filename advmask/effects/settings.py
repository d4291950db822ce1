"""Ranges of all effects: how the mask sits, cloth, light and camera."""

from typing import Self

from pydantic import Field, model_validator

from advmask.colour.kelvin import COOLEST_K, D65_K, WARMEST_K
from advmask.core.settings import Settings
from advmask.effects.camera.settings import CameraSettings
from advmask.effects.ranges import Range


class WearSettings(Settings):
    """Ranges of how a mask sits, drawn evenly once for each placement.

    Attributes:
        shift_mm: Sideways and up, plus or minus.
        slip_mm: Down along the face, 0 to this: the upper rim is under the nose from about 25.
        tilt_deg: Turn in the plane of the face, plus or minus.
        scale: Relative size, plus or minus.
        stretch: Relative width at the cost of the height, with the same area, plus or minus.
        folds: Number of folds in the cloth, 0 to this.
        fold_mm: Their height, up or down.
    """

    shift_mm: float = Field(default=0.0, ge=0, le=30)
    slip_mm: float = Field(default=0.0, ge=0, le=30)
    tilt_deg: float = Field(default=0.0, ge=0, le=45)
    scale: float = Field(default=0.0, ge=0, le=0.3)
    stretch: float = Field(default=0.0, ge=0, le=0.2)
    folds: int = Field(default=0, ge=0, le=50)
    fold_mm: float = Field(default=0.0, ge=0, le=10)


class FabricSettings(Settings):
    """Ranges of what the cloth does to the print; colours in linear light.

    The first six are drawn evenly for each photo, the others once for each print.

    Attributes:
        white: The cloth is darker than ideal white by 0 to this.
        base: Relative change of each channel of the cloth's own colour, plus or minus.
        sheen: Share of the light that is mirrored at the surface, uncoloured, 0 to this: it greys black.
        translucency: Share of the skin behind that is seen through the openings of the cloth, 0 to this.
        shade: Relative change of the light on the mask against that on the skin, plus or minus.
        tint: Relative change of each channel of that light, plus or minus.
        weave: Contrast (half the difference over the mean) of ribs or threads, 0 to this.
        weave_mm: From one rib or thread to the next.
        wrinkles: Relative shading by wrinkles finer than the folds of `wear`, standard deviation, 0 to this.
        wrinkle_mm: From one wrinkle to the next.
    """

    white: float = Field(default=0.0, ge=0, le=0.5)
    base: float = Field(default=0.0, ge=0, le=0.3)
    sheen: float = Field(default=0.0, ge=0, le=0.3)
    translucency: float = Field(default=0.0, ge=0, le=0.5)
    shade: float = Field(default=0.0, ge=0, le=0.8)
    tint: float = Field(default=0.0, ge=0, le=0.5)
    weave: float = Field(default=0.0, ge=0, le=0.5)
    weave_mm: float = Field(default=1.0, gt=0, le=10)
    wrinkles: float = Field(default=0.0, ge=0, le=0.3)
    wrinkle_mm: float = Field(default=12.0, ge=3, le=60)


class LightSettings(Settings):
    """Ranges of the light; drawn evenly for each photo.

    Attributes:
        direction: How much brighter the lit side of the face is than the mean, and how much darker the other
            side, 0 to this. The light comes from any side of the picture, above and beside more than below.
        softness: Width of the change from lit to dark, low and high, eye distances.
        temperature_k: Colour temperature of the light, low and high, even in mireds; the photo has 6504.
        shadow: Share of the light that is missing in a cast shadow, 0 to this.
        shadow_share: Share of the photos that have one.
        shadow_softness: Width of the shadow's edge, low and high, eye distances.
    """

    direction: float = Field(default=0.0, ge=0, le=0.9)
    softness: Range = (0.5, 1.5)
    temperature_k: Range = (D65_K, D65_K)
    shadow: float = Field(default=0.0, ge=0, le=0.9)
    shadow_share: float = Field(default=0.0, ge=0, le=1)
    shadow_softness: Range = (0.1, 0.4)

    @model_validator(mode="after")
    def _believable(self) -> Self:
        limits = {
            "softness": (0.1, 10.0),
            "temperature_k": (WARMEST_K, COOLEST_K),
            "shadow_softness": (0.1, 5.0),
        }
        for name, (least, most) in limits.items():
            low, high = getattr(self, name)
            if not (least <= low and high <= most):
                raise ValueError(f"{name} lies between {least:g} and {most:g}, not at [{low:g}, {high:g}]")
        return self


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
