"""What a design starts from: a plain colour, noise, or a picture."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import DesignError
from advmask.core.near_names import near_file, near_word
from advmask.textures.colour_names import colour_words
from advmask.textures.colours import named_colour
from advmask.textures.gallery import gallery_picture
from advmask.textures.picture_texels import read_picture_as_texels
from advmask.textures.settings import Fit, TextureSettings

WORDS = ("noise", "large_face", "lower_face", "mean_face")
"""What a design starts from, but for colours and files."""


def start_texels(
    start: str,
    *,
    height: int,
    width: int,
    generator: torch.Generator,
    fit: Fit = "cover",
    copy_width: int = 1,
) -> Float[Tensor, "3 height width"]:
    """Make the texels a design starts from, sRGB in [0, 1]; a picture that fits badly is logged.

    Args:
        start: A colour (see `named_colour`), `noise`, the path of a picture file, or `gallery:NAME`.
        height: Texels.
        width: Texels.
        generator: For noise.
        fit: How a picture is fitted; see `fit_picture`.
        copy_width: Width of a copy for `fit="tile"`, texels.

    Raises:
        DesignError: It is none of these, or the picture cannot be read.
    """
    if start == "noise":
        return torch.rand((3, height, width), generator=generator)
    colour = named_colour(start)
    if colour is not None:
        return colour[:, None, None].expand(3, height, width).clone()
    path = existing_file(start)
    if path is None:
        raise DesignError(
            f"Cannot start from {start!r}: it is neither grey, white, black, noise, a colour such as "
            "#4ab3c8, large_face, lower_face, mean_face, gallery:NAME, nor a picture file that exists."
            f"{near_file(Path(start)) or near_word(start, [*WORDS, *colour_words()])}"
        )
    return read_picture_as_texels(path, height=height, width=width, fit=fit, copy_width=copy_width, warn=True)


def stays_near_picture(texture: TextureSettings, *, fidelity: float) -> bool:
    """Whether a design is held near a picture, so that what it shows beyond its mask belongs to it.

    Args:
        texture: What it started from, and how far it may go.
        fidelity: Weight of the colour difference to its start.
    """
    return (texture.change is not None or fidelity > 0) and names_picture(texture.start)


def names_picture(start: str) -> bool:
    """Whether a start is meant as a picture file, for it is neither a known word nor a colour."""
    return start not in WORDS and named_colour(start) is None


def existing_file(text: str) -> Path | None:
    """The file or folder that a text names, its `~` expanded; None where there is none.

    Raises:
        DesignError: It is `gallery:NAME`, and no design that ships has this name.
    """
    picture = gallery_picture(text)
    if picture is not None:
        return picture
    try:
        path = Path(text).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # too long for a name, nobody's home folder, a zero byte
        return None
