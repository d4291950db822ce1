"""Ranges of all effects: how the mask sits, cloth, light and camera."""

from functools import cache
from typing import Self

from pydantic import Field, model_validator

from advmask.colour.kelvin import COOLEST_K, D65_K, WARMEST_K
from advmask.core.presets import preset_values
from advmask.core.settings import Settings
from advmask.effects.camera.settings import CameraSettings
from advmask.effects.ranges import Range


class WearSettings(Settings):
    """Ranges of how a mask sits, drawn evenly once for each placement.

    Attributes:
        shift_mm: Sideways and up, plus or minus, mm.
        slip_mm: Down over the nose, up to, mm: the upper rim is under it from about 25.
        tilt_deg: Turn in the plane of the face, plus or minus, degrees.
        scale: A size too large or too small, plus or minus, share.
        stretch: Wider and lower or the reverse, with the same area, plus or minus, share.
        folds: Number of folds in the cloth, up to.
        fold_mm: How high or deep they are, up to, mm.
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
        white: Cloth darker than ideal white, up to, share of light.
        base: The cloth's own colour, plus or minus, share of each channel.
        sheen: Light mirrored at the surface without colour, up to, share: it greys black.
        translucency: Skin that shines through the openings of the cloth, up to, share.
        shade: Mask lit otherwise than the skin, plus or minus, share.
        tint: Colour of that light, plus or minus, share of each channel.
        weave: Contrast of the ribs or threads (half the difference over the mean), up to, share.
        weave_mm: From one rib or thread to the next, mm; below 0.7 they fade at 3 texels per mm.
        wrinkles: Shading by wrinkles finer than the folds of `wear`, standard deviation, up to, share.
        wrinkle_mm: From one wrinkle to the next, mm.
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
        direction: How much brighter the lit side of the face is than the mean, and how much darker the other,
            up to, share. The light comes from any side of the picture, above and the sides more than below.
        softness: Width of the change from lit to dark, low and high, eye distances.
        temperature_k: Colour temperature of the light, low and high, even in mireds, kelvin; the photo has
            6504, which changes nothing.
        shadow: Light lost in a cast shadow, up to, share.
        shadow_share: How many of the photos have one.
        shadow_softness: Width of its edge, low and high, eye distances.
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
        without: Effects left out of a preset, for ablations, such as light, camera or camera.jpeg.
        wear: How the mask sits.
        fabric: What the cloth does to the print.
        light: What falls on mask and face, besides the light of the photo.
        camera: What the camera makes of it.
    """

    without: tuple[str, ...] = ()
    wear: WearSettings = WearSettings()
    fabric: FabricSettings = FabricSettings()
    light: LightSettings = LightSettings()
    camera: CameraSettings = CameraSettings()

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


class HolesSettings(Settings):
    """Rectangles cut out of the texture in each step of training alone; none by default.

    A design that has to work without any of its parts fits the networks trained against less closely, and
    does more to others.

    Attributes:
        most: Holes in a step, one up to this many; 0 for none.
        sides: Height and width of each, low and high, shares of the texture's. Filled with one random colour.
    """

    most: int = Field(default=0, ge=0, le=16)
    sides: Range = (0.15, 0.45)

    @model_validator(mode="after")
    def _within(self) -> Self:
        if not (self.sides[0] >= 0 and self.sides[1] <= 0.9):
            raise ValueError(
                f"holes.sides are shares of the texture from 0 to 0.9, not {list(self.sides)}; 0.9 leaves a "
                "rim"
            )
        return self


@cache
def default_effects() -> EffectsSettings:
    """What designs are trained and judged under unless somebody says otherwise: the preset `indoor`."""
    return EffectsSettings.build(preset_values("effects", "indoor")["effects"])
