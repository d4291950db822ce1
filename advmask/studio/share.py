"""A before/after picture: the bare face beside the worn design, of a size that is posted."""

from PIL import Image

from advmask.applying.face_finding import FoundFace

_SIDES = {"square": (1080, 1080), "portrait": (1080, 1350)}
_GAP = 8
_AROUND = 2.1  # height of what is shown, in heights of the face
SHAPES = tuple(_SIDES)


def before_after(bare: Image.Image, worn: Image.Image, face: FoundFace, *, shape: str) -> Image.Image:
    """Lay both next to each other, cut around the face.

    Args:
        bare: The photo.
        worn: The same with the mask.
        face: Where it is.
        shape: square, or portrait.
    """
    width, height = _SIDES[shape]
    half = (width - _GAP) // 2
    box = _around(face, bare.size, half / height)
    sheet = Image.new("RGB", (width, height), "white")
    for place, picture in ((0, bare), (half + _GAP, worn)):
        sheet.paste(picture.resize((half, height), Image.Resampling.LANCZOS, box=box), (place, 0))
    return sheet


def _around(face: FoundFace, size: tuple[int, int], ratio: float) -> tuple[float, float, float, float]:
    """A box around a face that lies in the picture, `ratio` times as wide as high."""
    x0, y0, x1, y1 = face.box
    high = min(_AROUND * (y1 - y0), size[1], size[0] / ratio)
    wide = high * ratio
    left = min(max(0.0, (x0 + x1 - wide) / 2), size[0] - wide)
    top = min(max(0.0, (y0 + y1) / 2 - 0.52 * high), size[1] - high)
    return left, top, left + wide, top + high
