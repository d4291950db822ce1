"""What the user says lies in front of the mask: hair, hands, glasses.

`photo.jpg` may be accompanied by `photo.occluder.png`, of the size of the upright photo. Where it is white,
or opaque if it has transparent parts, the photo stays in front of the mask.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.core.picture_reading import read_picture

OCCLUDER_SUFFIX = ".occluder.png"


def occluder_path(photo: Path) -> Path:
    """Where the occluder of a photo is looked for."""
    return photo.with_suffix(OCCLUDER_SUFFIX)


def is_occluder(path: Path) -> bool:
    """Whether a file is an occluder, and hence no photo, by its name."""
    return path.name.lower().endswith(OCCLUDER_SUFFIX)


def read_occluder(path: Path, *, size: tuple[int, int]) -> Image.Image:
    """Read an occluder.

    Its alpha channel counts where it has transparent pixels; else its brightness.

    Args:
        path: The file.
        size: Width and height of the upright photo in pixels.

    Returns:
        Picture of mode L; 255 is in front of the mask, 0 behind it.

    Raises:
        PhotoError: The file is not a picture, or of another size.
    """
    on_black = read_picture(path, background=(0, 0, 0))
    if on_black.size != size:
        raise PhotoError(
            f"{path.name} is {on_black.width} x {on_black.height} px, and the upright photo "
            f"{size[0]} x {size[1]} px; make them equal."
        )
    # What a background shows through is what is transparent; so one careful reader serves for all formats.
    on_white = read_picture(path, background=(255, 255, 255))
    through = np.asarray(on_white, dtype=np.int16).max(axis=2) - np.asarray(on_black).max(axis=2)
    if not through.any():
        return on_black.convert("L")
    return Image.fromarray((255 - through.clip(0, 255)).astype(np.uint8))
