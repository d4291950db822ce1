"""A design as a picture file that says by itself which mask it is for and how large it is."""

import math
import re
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

import advmask
from advmask.core.errors import DesignError
from advmask.core.files import written_aside
from advmask.core.shown_names import shown
from advmask.masks.settings import MaskSettings
from advmask.textures.ink_fields import InkFields
from advmask.textures.picture_texels import open_as_srgb, read_picture_as_texels, texels_of
from advmask.textures.png_bytes import encode_png
from advmask.textures.texel_files import check_texels, load_texels, load_texels_metadata, save_texels

__all__ = [
    "Design",
    "load_texels",
    "load_texels_metadata",
    "read_design",
    "read_picture_as_texels",
    "save_texels",
    "write_design",
]

PATTERN_TEXT = "advmask:pattern"
"""Text chunk of a picture that names the pattern it was made for."""
BLEED_TEXT = "advmask:bleed_mm"
"""Text chunk that only print files have."""

_VERSION = "advmask:version"
_SIZE = "advmask:size"
_TEXELS_PER_MM = "advmask:texels_per_mm"
_OWN_KEYS = (_VERSION, PATTERN_TEXT, _SIZE, _TEXELS_PER_MM)


def name_of(place: Path) -> str:
    """What a run folder or picture is called: its name, after that of its sweep or run if it is part of one.

    A sweep numbers its runs, and a run that was made longer keeps its earlier designs as `steps-N`.
    """
    whole = place.resolve()
    part = whole.is_dir() and re.fullmatch(r"\d+|steps-\d+", whole.name)
    name = shown(whole.name)
    return f"{name_of(whole.parent)}/{name}" if part and whole.parent.name else name


@dataclass(frozen=True, eq=False, repr=False)
class Design:
    """A texture, and the mask it belongs on.

    Attributes:
        texels: (3, H, W) float32 in [0, 1], sRGB; row 0 is the top edge of the texture rectangle.
        pattern: Name of the mask pattern.
        size: Size of the mask, as the pattern names it.
        texels_per_mm: Texels to a millimetre of the flat pattern, above 0.
        text: What else is to be kept with the picture, as key and text.
        own_mask: The mask, where the pattern is a file of the user's or has other straps than its own.
        place: The run folder or picture that it was read from; None where it was made here.
        around: What goes on outside the panels of the pattern, with the same middle and resolution as
            `texels`: a picture that was laid on the mask, beyond its edge. None where nothing is known there.
        ink_fields: Of a palette, where its borders run between texels; None where that is not known.

    Raises:
        DesignError: The texels are not (3, H, W) in [0, 1], the scale is not a positive number, a name is
            empty, or `text` uses a key that advmask sets itself.
    """

    texels: Float[Tensor, "3 H W"]
    _: KW_ONLY
    pattern: str
    size: str = "M"
    texels_per_mm: float
    text: dict[str, str] = field(default_factory=dict)
    own_mask: MaskSettings | None = None
    place: Path | None = None
    around: Float[Tensor, "3 h w"] | None = None
    ink_fields: InkFields | None = None

    def __post_init__(self) -> None:
        check_texels(self.texels)
        if not (math.isfinite(self.texels_per_mm) and self.texels_per_mm > 0):
            raise DesignError(f"texels_per_mm is a number above 0, got {self.texels_per_mm}.")
        if not (self.pattern and self.size):
            raise DesignError("A design names its pattern and its size; both need at least one letter.")
        taken = [key for key in _OWN_KEYS if key in self.text]
        if taken:
            raise DesignError(f"The text key {taken[0]} is set by advmask itself; use another key.")

    def __repr__(self) -> str:
        _, height, width = self.texels.shape
        place = "" if self.place is None else f", from {self.place}"
        return (
            f"Design({self.pattern} {self.size}, {height} x {width} texels at {self.texels_per_mm:g} per "
            f"mm{place})"
        )

    @property
    def name(self) -> str:
        """What it is called: the name of its run folder or picture; else `design`."""
        return "design" if self.place is None else name_of(self.place)

    @property
    def run(self) -> Path | None:
        """The run folder that it comes from; its settings say under what it was learned."""
        return self.place if self.place is not None and self.place.is_dir() else None

    @property
    def mask(self) -> MaskSettings:
        """The mask it belongs on."""
        if self.own_mask is not None:
            return self.own_mask
        return MaskSettings.build({"pattern": self.pattern, "size": self.size})


def write_design(path: Path, design: Design) -> None:
    """Write a design as an 8 bit RGB PNG that `read_design` reads back.

    The file carries the pattern, the size, the texels per millimetre and the version of advmask as text
    chunks, its true size as pHYs and an sRGB profile. The same design gives the same bytes.

    Args:
        path: The PNG file.
        design: What to write; texels are rounded to 1/255.

    Raises:
        DesignError: A key of `design.text` cannot stand in a PNG file.
        RunError: The file cannot be written.
    """
    pixels = (design.texels.detach().cpu() * 255.0).round().permute(1, 2, 0).numpy().astype(np.uint8)
    text = design.text | {
        _VERSION: advmask.__version__,
        PATTERN_TEXT: design.pattern,
        _SIZE: design.size,
        _TEXELS_PER_MM: repr(float(design.texels_per_mm)),
    }
    content = encode_png(pixels, pixels_per_mm=design.texels_per_mm, text=text)
    with written_aside(path) as aside:
        aside.write_bytes(content)


def read_design(path: Path) -> Design:
    """Read a design that `write_design` wrote.

    Args:
        path: The PNG file.

    Returns:
        The design; `text` holds every text chunk but the four that advmask sets.

    Raises:
        DesignError: The file is missing, damaged, not a picture, or carries no pattern, size or scale. Use
            `read_picture_as_texels` for pictures from elsewhere.
    """
    picture = open_as_srgb(path)
    # Pillow gives text chunks as str among other entries of other types (dpi, gamma, icc_profile).
    text = {str(key): str(value) for key, value in picture.info.items() if isinstance(value, str)}
    missing = [key for key in _OWN_KEYS if not text.get(key)]
    if missing:
        raise DesignError(
            f"{path} does not say {', '.join(missing)}: it was not written by advmask, or an editor removed "
            "its text chunks. Give it as a picture to start from instead."
        )
    try:
        texels_per_mm = float(text[_TEXELS_PER_MM])
    except ValueError as error:
        raise DesignError(
            f"{path} gives {text[_TEXELS_PER_MM]!r} as {_TEXELS_PER_MM}; a number above 0 is expected."
        ) from error
    return Design(
        texels_of(picture),
        pattern=text[PATTERN_TEXT],
        size=text[_SIZE],
        texels_per_mm=texels_per_mm,
        text={key: value for key, value in text.items() if key not in _OWN_KEYS},
        place=path,
    )
