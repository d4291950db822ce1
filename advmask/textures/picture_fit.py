"""How a picture of any size and shape is laid on a texture."""

import logging
import math
from pathlib import Path

import numpy as np
from PIL import Image

from advmask.textures.settings import Fit

_log = logging.getLogger(__name__)
_LARGEST_BLOW_UP = 4.0  # texels per pixel of the picture; beyond it the print is visibly soft
_SMALLEST_SHOWN = 0.5  # share of the picture that should be seen


def fit_picture(
    picture: Image.Image,
    *,
    height: int,
    width: int,
    fit: Fit = "cover",
    copy_width: int = 1,
    margin: int = 0,
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
        margin: Go on by so many px on each side, without moving anything; `cover` shows there what stands
            over, and mirrors the picture where it ends.
        resample: How values between pixels are made. Hamming is nearly as sharp as Lanczos, and draws no rim
            of another colour along edges.

    Returns:
        A picture of `width` x `height` px, and twice the margin, of the same mode.
    """
    whole = (width + 2 * margin, height + 2 * margin)
    if fit == "cover":
        left, top, right, bottom = _covering_box(picture, height, width)
        x, y = margin * (right - left) / width, margin * (bottom - top) / height
        box = (left - x, top - y, right + x, bottom + y)
        wider, moved = mirrored_beyond(picture, box)
        return wider.resize(whole, resample, box=moved)
    scale = copy_width / picture.width
    if fit == "contain":
        scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    copy = picture.resize(size, resample)
    fitted = Image.new(picture.mode, whole, _rim_colour(picture))
    across, down = (width - copy.width) // 2 + margin, (height - copy.height) // 2 + margin
    if fit == "contain":
        fitted.paste(copy, (across, down))
        return fitted
    for left in range(across % copy.width - copy.width, whole[0], copy.width):
        for top in range(down % copy.height - copy.height, whole[1], copy.height):
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


def warn_of_fit(
    picture: Image.Image, path: Path, *, height: int, width: int, fit: Fit = "cover", copy_width: int = 1
) -> None:
    """Log what `fitting_notice` says, if anything."""
    notice = fitting_notice(picture, height=height, width=width, fit=fit, copy_width=copy_width)
    if notice is not None:
        _log.warning("The picture %s does not fit well: %s.", path, notice)


def _covering_box(picture: Image.Image, height: int, width: int) -> tuple[float, float, float, float]:
    scale = min(picture.width / width, picture.height / height)
    left = (picture.width - width * scale) / 2.0
    top = (picture.height - height * scale) / 2.0
    right = min(picture.width, left + width * scale)
    bottom = min(picture.height, top + height * scale)
    return max(0.0, left), max(0.0, top), right, bottom


def mirrored_beyond(
    picture: Image.Image, box: tuple[float, float, float, float]
) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """A picture that holds a box, mirrored about its edges where it must be, and the box in it."""
    left, top, right, bottom = box
    before = max(0, math.ceil(-left)), max(0, math.ceil(-top))
    after = max(0, math.ceil(right - picture.width)), max(0, math.ceil(bottom - picture.height))
    if not any((*before, *after)):
        return picture, box
    sides = [(before[1], after[1]), (before[0], after[0])] + [(0, 0)] * (picture.mode != "L")
    wider = Image.fromarray(np.pad(np.asarray(picture), sides, mode="symmetric"))
    return wider, (left + before[0], top + before[1], right + before[0], bottom + before[1])


def _rim_colour(picture: Image.Image) -> tuple[int, ...] | int:
    pixels = np.asarray(picture)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colours, counts = np.unique(rim.reshape(len(rim), -1), axis=0, return_counts=True)
    commonest = tuple(int(value) for value in colours[counts.argmax()])
    return commonest if len(commonest) > 1 else commonest[0]
