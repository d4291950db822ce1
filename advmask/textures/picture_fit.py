"""How a picture of any size and shape is laid on a texture."""

import numpy as np
from PIL import Image

from advmask.textures.settings import Fit

_LARGEST_BLOW_UP = 4.0  # texels per pixel of the picture; beyond it the print is visibly soft
_SMALLEST_SHOWN = 0.5  # share of the picture that should be seen


def fit_picture(
    picture: Image.Image,
    *,
    height: int,
    width: int,
    fit: Fit = "cover",
    copy_width: int = 1,
    resample: Image.Resampling = Image.Resampling.HAMMING,
) -> Image.Image:
    """Scale a picture to a rectangle, antialiased and with its proportions kept.

    Args:
        picture: Of mode RGB or L.
        height: Of the rectangle, px.
        width: Of the rectangle, px.
        fit: `cover` fills the rectangle and cuts off evenly on both sides what stands over. `contain` shows
            the whole picture in the middle; around it goes the commonest colour of the picture's rim. `tile`
            lays copies next to each other, one of them in the middle.
        copy_width: Width of a copy for `tile`, px.
        resample: How values between pixels are made. Hamming is nearly as sharp as Lanczos, and draws no rim
            of another colour along edges.

    Returns:
        A picture of `width` x `height` px of the same mode.
    """
    if fit == "cover":
        return picture.resize((width, height), resample, box=_covering_box(picture, height, width))
    scale = copy_width / picture.width
    if fit == "contain":
        scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    copy = picture.resize(size, resample)
    fitted = Image.new(picture.mode, (width, height), _rim_colour(picture))
    across, down = (width - copy.width) // 2, (height - copy.height) // 2
    if fit == "contain":
        fitted.paste(copy, (across, down))
        return fitted
    for left in range(across % copy.width - copy.width, width, copy.width):
        for top in range(down % copy.height - copy.height, height, copy.height):
            fitted.paste(copy, (left, top))
    return fitted


def fitting_notice(
    picture: Image.Image, *, height: int, width: int, fit: Fit = "cover", copy_width: int = 1
) -> str | None:
    """What a user should know about a picture that fits badly; None where it fits well.

    Args:
        picture: Before it is fitted.
        height: Of the rectangle, texels.
        width: Of the rectangle, texels.
        fit: As for `fit_picture`.
        copy_width: As for `fit_picture`.
    """
    across, down = width / picture.width, height / picture.height
    scale = {"cover": max(across, down), "contain": min(across, down), "tile": copy_width / picture.width}[
        fit
    ]
    shown = min(across, down) / max(across, down)
    if fit == "cover" and shown < _SMALLEST_SHOWN:
        return (
            f"only {shown:.0%} of it is seen, because its proportions are far from the mask's; fit=contain "
            "shows all of it"
        )
    if scale > _LARGEST_BLOW_UP:
        return (
            f"its {picture.width} x {picture.height} pixels are enlarged {scale:.0f} times and will look "
            "soft; give a larger picture, or lay small copies with fit=tile"
        )
    return None


def _covering_box(picture: Image.Image, height: int, width: int) -> tuple[float, float, float, float]:
    scale = min(picture.width / width, picture.height / height)
    left = (picture.width - width * scale) / 2.0
    top = (picture.height - height * scale) / 2.0
    right = min(picture.width, left + width * scale)
    bottom = min(picture.height, top + height * scale)
    return max(0.0, left), max(0.0, top), right, bottom


def _rim_colour(picture: Image.Image) -> tuple[int, ...] | int:
    pixels = np.asarray(picture)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colours, counts = np.unique(rim.reshape(len(rim), -1), axis=0, return_counts=True)
    commonest = tuple(int(value) for value in colours[counts.argmax()])
    return commonest if len(commonest) > 1 else commonest[0]
