"""A picture that lies on its side, or stands on its head: searched as it would stand upright."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float64
from PIL import Image
from torch import Tensor

from advmask.core.together import Search, together
from advmask.photos.detection import SURE, Face
from advmask.photos.tiles import TILE_PX, Box

Points = Float64[np.ndarray, "n 2"]

# How a picture is turned, and back from points of the turned one, of (width, height) pixels, to its own.
_TURNS: tuple[tuple[Image.Transpose, Callable[[Points, int, int], Points]], ...] = (
    (Image.Transpose.ROTATE_90, lambda p, width, height: np.stack([height - p[:, 1], p[:, 0]], axis=1)),
    (Image.Transpose.ROTATE_270, lambda p, width, height: np.stack([p[:, 1], width - p[:, 0]], axis=1)),
    (Image.Transpose.ROTATE_180, lambda p, width, height: np.array([width, height]) - p),
)


def find_however_turned(
    image: Image.Image, find: Callable[[Image.Image], list[Face]], *, sure: float = SURE
) -> list[Face]:
    """Find faces; where none is sure, in the three other turns by right angles too.

    The turn with the most probable face counts, if that one is sure, and else the picture as it is. Only
    pictures without a sure face upright cost more.

    Args:
        image: Picture of mode RGB.
        find: Finds upright faces.
        sure: Its probability from which a face is sure.

    Returns:
        The faces in pixels of the picture as it is, in the order of `find`; landmarks by name, such that the
        first is always the eye that is on the left when the face is seen upright.
    """
    return together([however_turned(image, sure=sure)], lambda turned: [find(one) for one in turned])[0]


def however_turned(image: Image.Image, *, sure: float = SURE) -> Search[Image.Image, list[Face], list[Face]]:
    """As `find_however_turned`, asking for the faces of upright pictures."""
    (best,) = yield [image]
    if _surest(best) >= sure:
        return best
    # A large picture is turned again and again, so that only one of its turns is in memory.
    for turns in [_TURNS] if max(image.size) <= TILE_PX else [[turn] for turn in _TURNS]:
        turned = [image.transpose(turn) for turn, _ in turns]
        seen = yield turned
        for picture, found, (_, back) in zip(turned, seen, turns, strict=True):
            if _surest(found) > max(sure, _surest(best)):
                best = [_turned_back(face, picture.size, back) for face in found]
        del turned, picture
    return best


def _surest(faces: list[Face]) -> float:
    return max((face.probability for face in faces), default=0.0)


def _turned_back(face: Face, size: tuple[int, int], back: Callable[[Points, int, int], Points]) -> Face:
    corners = back(np.reshape(face.box, (2, 2)), *size)
    box: Box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
    return Face(box, back(face.landmarks, *size), face.probability)


def how_turned(transform: Float64[Tensor, "2 3"]) -> str | None:
    """How a photo lies, in words; None for one whose face is tilted by less than 60 degrees.

    Args:
        transform: Points of the photo to points of the crop, in which the face is upright.
    """
    degrees = abs(math.degrees(math.atan2(transform[0, 1], transform[0, 0])))
    if degrees < 60:
        return None
    return "lies on its side" if degrees <= 120 else "stands on its head"
