"""What a design starts from: a plain colour, noise, or a picture."""

import re
from pathlib import Path

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from advmask.errors import DesignError
from advmask.settings import Settings
from advmask.textures.pictures import read_picture_as_texels

_COLOURS = {"grey": 0.5, "white": 1.0, "black": 0.0}


class TextureSettings(Settings):
    """What is optimised and what it starts from.

    Attributes:
        kind: The parametrisation.
        start: `grey`, `white`, `black`, a colour such as `#4ab3c8`, `noise`, or a picture file.
        texels_per_mm: Texture resolution.
        detail_mm: Finest detail that is learned; 0 makes every texel free on its own.
    """

    kind: str = Field(default="pixels", pattern="^pixels$")
    start: str = "grey"
    texels_per_mm: float = Field(default=3.0, ge=0.5, le=24)
    detail_mm: float = Field(default=1.0, ge=0, le=20)


def start_texels(
    start: str, *, height: int, width: int, generator: torch.Generator
) -> Float[Tensor, "3 height width"]:
    """Make the texels a design starts from, sRGB in [0, 1].

    Args:
        start: `grey`, `white`, `black`, `#rrggbb`, `noise`, or the path of a picture file, which is fitted
            to cover the texture.
        height: Texels.
        width: Texels.
        generator: For noise.

    Raises:
        DesignError: It is none of these, or the picture cannot be read.
    """
    if start in _COLOURS:
        return torch.full((3, height, width), _COLOURS[start])
    if re.fullmatch(r"#[0-9a-fA-F]{6}", start):
        colour = torch.tensor([int(start[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        return colour[:, None, None].expand(3, height, width).clone()
    if start == "noise":
        return torch.rand((3, height, width), generator=generator)
    try:
        path = Path(start).expanduser()
        there = path.exists()
    except (OSError, RuntimeError):  # too long for a name, or a home folder that nobody has
        there = False
    if not there:
        raise DesignError(
            f"Cannot start from {start!r}: it is neither grey, white, black, noise, a colour such as "
            "#4ab3c8, nor a picture file that exists."
        )
    return read_picture_as_texels(path, height=height, width=width)
