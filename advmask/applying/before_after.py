"""A before/after picture: the bare face and the worn design, of a size to post, with figures if asked."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from advmask.applying.face_finding import FoundFace
from advmask.applying.match_figures import MatchFigures
from advmask.applying.settings import Share

SHAPES = ("square", "portrait")
"""Those with both side by side."""
_SIDES = {"square": (1080, 1080), "portrait": (1080, 1350), "gif": (1080, 1080)}
_GAP = 8
_AROUND = 2.1  # height of what is shown, in heights of the face
_SHOWN_MS = (1300, 1900)  # bare, worn
_ROW, _TEXT, _NOTE = 44, 32, 22  # of the figures, px
_MOST_LINES = 10  # so that the face keeps more than half of the picture
_QUALITY = 92


def before_after(
    bare: Image.Image,
    worn: Image.Image,
    face: FoundFace,
    *,
    shape: str,
    figures: MatchFigures | None = None,
) -> Image.Image:
    """Lay both next to each other, cut around the face.

    Args:
        bare: The photo.
        worn: The same with the mask.
        face: Where it is.
        shape: square, or portrait.
        figures: Written below, if any.
    """
    width, height = _SIDES[shape]
    half = (width - _GAP) // 2
    sheet = Image.new("RGB", (width, height), "white")
    for place, picture, number in ((0, bare, 0), (half + _GAP, worn, 1)):
        sheet.paste(_half(picture, face, (half, height), figures, number), (place, 0))
    return sheet


def share_file(
    bare: Image.Image,
    worn: Image.Image,
    face: FoundFace,
    *,
    share: Share,
    figures: MatchFigures | None = None,
) -> bytes:
    """The file to post: a JPEG, or a GIF that goes to and fro for ever; nothing of the photo's metadata.

    Args:
        bare: The photo.
        worn: The same with the mask.
        face: Where it is.
        share: Its kind.
        figures: Written below, if any.
    """
    stream = io.BytesIO()
    if share == "gif":
        frames = [
            _half(picture, face, _SIDES[share], figures, number)
            for number, picture in enumerate((bare, worn))
        ]
        first, second = (frame.quantize(256, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames)
        first.save(
            stream, "GIF", save_all=True, append_images=[second], duration=list(_SHOWN_MS), loop=0, disposal=1
        )
    else:
        picture = before_after(bare, worn, face, shape=share, figures=figures)
        picture.save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return stream.getvalue()


def around_face(picture: Image.Image, face: FoundFace, size: tuple[int, int]) -> Image.Image:
    """The part of a picture around a face, of a size in pixels."""
    box = _around(face, picture.size, size[0] / size[1])
    return picture.resize(size, Image.Resampling.LANCZOS, box=box)


def share_ending(share: Share) -> str:
    """The ending of such a file."""
    return ".gif" if share == "gif" else ".jpg"


def _half(
    picture: Image.Image, face: FoundFace, size: tuple[int, int], figures: MatchFigures | None, number: int
) -> Image.Image:
    """One of the two, with its figures."""
    width, height = size
    lines: Sequence[str] = () if figures is None else figures.lines(number)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"and {len(lines) - _MOST_LINES + 1} more"]
    notes = () if figures is None else figures.notes(number)
    below = len(lines) * _ROW + len(notes) * (_NOTE + 6) + (24 if lines else 0)
    box = _around(face, picture.size, width / (height - below))
    sheet = Image.new("RGB", size, "white")
    sheet.paste(picture.resize((width, height - below), Image.Resampling.LANCZOS, box=box))
    draw, top = ImageDraw.Draw(sheet), height - below + 12
    for text, step, ink in [(one, _ROW, "#111111") for one in lines] + [
        (one, _NOTE + 6, "#555555") for one in notes
    ]:
        font = _fitting(text, _TEXT if step == _ROW else _NOTE, width - 32)
        draw.text((16, top + step / 2), text, ink, font, anchor="lm")
        top += step
    return sheet


def _fitting(text: str, size: int, width: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font in which a line is no wider."""
    while size > 10 and ImageFont.load_default(size).getlength(text) > width:
        size -= 1
    return ImageFont.load_default(size)


def _around(face: FoundFace, size: tuple[int, int], ratio: float) -> tuple[float, float, float, float]:
    """A box around a face that lies in the picture, `ratio` times as wide as high."""
    x0, y0, x1, y1 = face.box
    high = min(_AROUND * (y1 - y0), size[1], size[0] / ratio)
    wide = high * ratio
    left = min(max(0.0, (x0 + x1 - wide) / 2), size[0] - wide)
    top = min(max(0.0, (y0 + y1) / 2 - 0.52 * high), size[1] - high)
    return left, top, left + wide, top + high
