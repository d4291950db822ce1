"""Settings of a texture, and which of them contradict each other."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from advmask.core.near_names import near_word
from advmask.core.settings import Settings
from advmask.textures.colour_names import colour_named, colour_words

Fit = Literal["cover", "contain", "tile", "template"]
TextureKind = Literal["pixels", "pyramid", "spectral", "palette"]
TexelsPerMm = Annotated[float, Field(ge=0.5, le=24)]
CopyMm = Annotated[float, Field(ge=2, le=1000)]
_MOST_INKS = 32
# Dark, light, and four colours that common printers reach on cloth.
_INKS = ("#16181d", "#f2efe6", "#c2452d", "#e3b04b", "#2f6c8f", "#5b8a58")
_ONE_INK = "one ink prints one plain colour, and nothing is left to learn; name at least two inks"


def _inks(value: Any) -> tuple[str, ...] | int:
    if isinstance(value, int) and not isinstance(value, bool):
        if value == 1:
            raise ValueError(_ONE_INK)
        if not 2 <= value <= _MOST_INKS:
            raise ValueError(f"a palette has 2 to {_MOST_INKS} inks")
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(ink, str) for ink in value):
        raise ValueError(
            "expected a list of colours such as [black, white, '#c2452d'], or how many are to be found"
        )
    unknown = [ink for ink in value if colour_named(ink) is None]
    if unknown:
        raise ValueError(
            f"{unknown[0]!r} is not a colour; write '#rrggbb' or an English colour name such as navy."
            f"{near_word(unknown[0], colour_words())}".rstrip(".")
        )
    seen: dict[tuple[int, ...], str] = {}
    for ink in value:
        colour = colour_named(ink)
        assert colour is not None
        code = tuple(round(channel * 255) for channel in colour)
        if code in seen:
            raise ValueError(f"{seen[code]!r} and {ink!r} are the same colour; name every ink once")
        seen[code] = ink
    if len(value) == 1:
        raise ValueError(_ONE_INK)
    if not 2 <= len(value) <= _MOST_INKS:
        raise ValueError(f"a palette has 2 to {_MOST_INKS} inks")
    return tuple(value)


class PaletteSettings(Settings):
    """The inks of a palette.

    Attributes:
        inks: Colours by name or number; or how many, 2 to 32, that are taken from the start: at most so many
            of a picture's own colours.
        learn: Whether the colours of the inks are learned too. None: only where they are counted and the
            start is no picture; those of a picture stay as they are said.
        warm: Temperature schedule of the softmax over the inks: at the first step.
        cold: Its end, just before texels are decided for one ink.
        decided: Share of the run, at its end, for which every texel is of exactly one ink.
    """

    inks: Annotated[tuple[str, ...] | int, BeforeValidator(_inks)] = _INKS
    learn: bool | None = None
    warm: float = Field(default=1.0, gt=0, le=100)
    cold: float = Field(default=0.2, gt=0, le=100)
    decided: float = Field(default=0.25, gt=0, le=1)

    @model_validator(mode="after")
    def _cooling(self) -> Self:
        if self.cold > self.warm:
            raise ValueError(
                f"palette.cold={self.cold} is above palette.warm={self.warm}, but inks become less "
                "mixed during a run; exchange them"
            )
        return self


class LockedSettings(Settings):
    """A part of the design that is given and never changed.

    Attributes:
        mask: A picture file fitted to cover the pattern: white is locked, black or transparent is free.
        content: What is shown there: `start`, a colour, or a picture file fitted in the same way.
    """

    mask: str
    content: str = "start"


class TextureSettings(Settings):
    """What is optimised and what it starts from.

    Attributes:
        kind: The parametrisation. pixels: every knot of a fine grid is free; pyramid: the sum of a fine and
            of coarser grids; spectral: waves, long ones strong; palette: n inks, no other colour.
        start: grey, noise, a colour such as navy or '#4ab3c8', a face (large_face, lower_face, or mean_face
            of the people trained on), a picture file, or gallery:NAME (advmask designs).
        fit: How a picture is laid on the pattern: cover; contain, all of it with its rim's colour around;
            tile, copies; or template, where it was drawn on that of `advmask pattern template=true`.
        copy_mm: Width of a copy for fit=tile, mm.
        texels_per_mm: Resolution; 3 carries all that a 112 px face can teach.
        detail_mm: Finest detail that is learned, mm; 0 goes down to the texel.
        levels: Of pyramid: grids, each four times coarser than the one before.
        exponent: Of spectral: a wave of frequency f counts 1/f^exponent; 1 makes every octave alike.
        opening: Of pyramid and spectral: share of the run by which the finest detail is let in, coarse first;
            0 lets in all at once.
        palette: Of palette: its inks.
        symmetry: mirror makes both sides of the nose line alike.
        repeat_mm: [width, height] of a tile that repeats, mm; one column of tiles is centred on the nose.
        change: How far a texel may go from the start, sRGB of 0 to 1; None for any distance.
        locked: Given parts, [{mask: FILE, content: start|COLOUR|FILE}]; white in the mask is locked, and of
            two that overlap the later is on top.
    """

    kind: TextureKind = "pixels"
    start: str = "grey"
    fit: Fit = "cover"
    copy_mm: CopyMm = 60.0
    texels_per_mm: TexelsPerMm = 3.0
    detail_mm: float = Field(default=1.0, ge=0, le=20)
    levels: int | None = Field(default=None, ge=2, le=6)
    exponent: float | None = Field(default=None, ge=0, le=3)
    opening: float | None = Field(default=None, ge=0, le=1)
    palette: PaletteSettings = PaletteSettings()
    symmetry: Literal["none", "mirror"] = "none"
    repeat_mm: tuple[float, float] | None = None
    change: float | None = None
    locked: list[LockedSettings] = Field(default_factory=list, max_length=16)

    @model_validator(mode="after")
    def _belongs_to_its_kind(self) -> Self:
        for name, kinds in _BELONGS.items():
            if getattr(self, name) != _BARE[name] and self.kind not in kinds:
                raise ValueError(
                    f"texture.{name} has no meaning for kind={self.kind}; leave it out, or choose texture="
                    f"{' or texture='.join(kinds)}"
                )
        return self

    @model_validator(mode="after")
    def _bounded_change(self) -> Self:
        if self.change is None:
            return self
        if self.kind == "palette":
            raise ValueError(
                "texture.change bounds how far colours go from the motif, but a palette knows no colour "
                "between its inks; use change=null, or another kind"
            )
        if not 0 < self.change <= 1:
            raise ValueError(
                f"texture.change={self.change} is a distance in sRGB above 0 and up to 1; 0.1 is a visible "
                "but small change, and null bounds nothing"
            )
        return self

    @model_validator(mode="after")
    def _tile(self) -> Self:
        if self.repeat_mm is None:
            return self
        least = max(4 * self.detail_mm, 4 / self.texels_per_mm)
        if not all(least <= side <= 10_000 for side in self.repeat_mm):
            raise ValueError(
                f"texture.repeat_mm={list(self.repeat_mm)} is width and height of a tile in mm, each at "
                f"least four details of the design ({least:g} mm)"
            )
        if self.fit in {"tile", "template"}:
            raise ValueError(
                f"texture.fit={self.fit} lays the start on the whole mask and texture.repeat_mm repeats one "
                "tile; use one of the two"
            )
        return self


_BELONGS = {
    "levels": ("pyramid",),
    "exponent": ("spectral",),
    "opening": ("pyramid", "spectral"),
    "palette": ("palette",),
}
_BARE = {name: TextureSettings.model_fields[name].default for name in _BELONGS}
