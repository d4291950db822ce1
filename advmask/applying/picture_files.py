"""Picture files that are to be changed: what is kept of them, and what is not written again."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageCms, ImageOps

from advmask.core.errors import RunError
from advmask.core.files import written_aside
from advmask.core.picture_formats import JPEG_SUFFIXES, TIFF_SUFFIXES, open_image
from advmask.core.picture_reading import read_picture

# Below the limit beyond which Pillow itself refuses.
MAX_PIXELS = 178_000_000
JPEG_QUALITY = 95

# What a picture can be written as; `_FORMATS` says how, and all else is PNG.
WRITTEN_SUFFIXES = JPEG_SUFFIXES | TIFF_SUFFIXES | {".png", ".apng", ".webp", ".bmp", ".dib"}
_FORMATS = dict.fromkeys(JPEG_SUFFIXES, "JPEG") | dict.fromkeys(TIFF_SUFFIXES, "TIFF")
_FORMATS |= {".webp": "WEBP", ".bmp": "BMP", ".dib": "BMP"}

_BITS_PER_SAMPLE_TAG = 258
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH_AT = 24
_LOSSLESS_MODES = ("1", "L", "LA", "P", "PA")  # grey and palettes become RGB without loss
_SIXTEEN_BITS = "has more than 8 bits a channel; it is written with 8."


@dataclass(frozen=True, eq=False)
class OpenedPicture:
    """A picture, upright.

    Attributes:
        srgb: As it is meant to be seen, transparent parts on grey: what faces are found and masks drawn in.
        values: Its own values, RGB or RGBA, in the colours of `profile`.
        profile: Embedded colour profile that `values` are to be read by, or None for sRGB.
        notice: What the user should know about what is lost, or None.
        frames: Frames of an animation, or pages; all but the first are left alone.
    """

    srgb: Image.Image
    values: UInt8[np.ndarray, "height width bands"]
    profile: bytes | None
    notice: str | None
    frames: int = 1


def open_picture(path: Path) -> OpenedPicture:
    """Read a picture that is to be changed.

    RGB pictures keep their values, transparency and profile. Greyscale and palettes become RGB, without loss.
    CMYK and the like are converted to sRGB, and more than 8 bits become 8.

    Raises:
        PhotoError: The file is missing, unreadable, damaged, no picture, or too large.
    """
    srgb = read_picture(path, max_pixels=MAX_PIXELS)
    # It could be read once, so that what is read now is harmless; anything odd falls back on that reading.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with path.open("rb") as stream, open_image(stream) as image:
                notice = _SIXTEEN_BITS if _deep(path, image) else None
                frames = _frames(image)
                profile = image.info.get("icc_profile")
                values = _values(image, profile)
        except Exception:
            values, profile, notice, frames = None, None, None, 1
    if values is None or values.shape[:2] != (srgb.height, srgb.width):
        return OpenedPicture(srgb, np.asarray(srgb), None, notice, frames)
    if values.shape[2] == 3 and np.array_equal(values, np.asarray(srgb)):
        return OpenedPicture(srgb, values, profile, notice, frames)
    if profile and _in_profile(srgb.crop((0, 0, 1, 1)), profile) is None:
        return OpenedPicture(srgb, _joined(np.asarray(srgb), values), None, notice, frames)
    return OpenedPicture(srgb, values, profile, notice, frames)


def changed_values(
    picture: OpenedPicture,
    drawn: UInt8[np.ndarray, "height width 3"],
    changed: Bool[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "height width bands"]:
    """Put what was drawn in sRGB into the picture's own values; nothing else of them moves.

    Args:
        picture: The picture.
        drawn: It with masks, sRGB.
        changed: The pixels to be taken from `drawn`.
    """
    values = picture.values.copy()
    row, column = np.nonzero(changed)
    if len(row) == 0:
        return values
    colours = drawn[row, column]
    if picture.profile and not _is_srgb(picture.profile):
        converted = _in_profile(Image.fromarray(colours[None]), picture.profile)
        colours = colours if converted is None else np.asarray(converted)[0]
    values[row, column, :3] = colours
    return values


def write_picture(
    path: Path, values: UInt8[np.ndarray, "height width bands"], *, profile: bytes | None
) -> None:
    """Write a picture by the ending of its name: JPEG with quality 95, all else without loss.

    Nothing of the original's metadata is written but the colour profile: no place, no time, and no small
    preview, which would show the bare face.

    Args:
        path: Its ending is one of `WRITTEN_SUFFIXES`.
        values: RGB or RGBA; where the format knows no transparency, it is laid on white.
        profile: Colour profile of the values, or None for sRGB.

    Raises:
        RunError: The file cannot be written.
    """
    kind = _FORMATS.get(path.suffix.lower(), "PNG")
    image = Image.fromarray(values)
    if image.mode == "RGBA" and kind in ("JPEG", "BMP"):
        image = Image.composite(
            image.convert("RGB"), Image.new("RGB", image.size, (255, 255, 255)), image.getchannel("A")
        )
    options: dict[str, Any] = {} if profile is None or kind == "BMP" else {"icc_profile": profile}
    if kind == "JPEG":
        options |= {"quality": JPEG_QUALITY, "subsampling": 0, "optimize": False}
    elif kind == "WEBP":
        options |= {"lossless": True}
    elif kind == "TIFF":
        options |= {"compression": "tiff_lzw"}
    content = io.BytesIO()  # not at once into the file: libtiff does not say why it cannot write
    try:
        image.save(content, format=kind, **options)
    except (ValueError, OSError, SystemError) as error:  # such as more pixels than the format can have
        raise RunError(f"Cannot write {path} as {kind}: {error}. Choose a name that ends in .png.") from error
    with written_aside(path) as aside:
        aside.write_bytes(content.getbuffer())


def _values(image: Image.Image, profile: bytes | None) -> np.ndarray | None:
    """Values of an RGB or RGBA picture, upright; None where there are none to keep."""
    image.load()
    if image.mode not in ("RGB", "RGBA") and (profile or image.mode not in _LOSSLESS_MODES):
        return None
    plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    try:
        plain.info = image.info
        plain = _upright(plain, image)
    except Exception:  # a broken EXIF block says nothing about the pixels
        return np.asarray(plain)
    return np.asarray(plain)


def _upright(plain: Image.Image, image: Image.Image) -> Image.Image:
    orientation = image.getexif().get(0x0112, 1)
    plain.getexif()[0x0112] = orientation
    turned = ImageOps.exif_transpose(plain)
    return plain if turned is None else turned


def _joined(rgb: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.dstack([rgb, values[..., 3:]]) if values.shape[2] == 4 else rgb


def _in_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """A picture in sRGB converted to a profile, or None where that profile knows no way."""
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.createProfile("sRGB"),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_srgb(profile: bytes) -> bool:
    """Whether converting to a profile would only add rounding."""
    strong = np.array([[(200, 40, 40), (40, 200, 40), (40, 40, 200), (60, 60, 60)]], dtype=np.uint8)
    converted = _in_profile(Image.fromarray(strong), profile)
    return converted is None or bool(np.abs(np.asarray(converted).astype(int) - strong).max() <= 1)


def _frames(image: Image.Image) -> int:
    """Frames or pages; a second picture in a phone's JPEG is a preview or tells depth or light."""
    return 1 if image.format == "MPO" else int(getattr(image, "n_frames", image.info.get("frames", 1)))


def _deep(path: Path, image: Image.Image) -> bool:
    """Whether a file holds more than 8 bits a channel, which Pillow may have cut off."""
    if image.info.get("deep") or image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return True
    if image.format == "PNG":
        with path.open("rb") as stream:
            head = stream.read(_PNG_DEPTH_AT + 1)
        return head.startswith(_PNG_SIGNATURE) and head[_PNG_DEPTH_AT] > 8
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE_TAG, (8,))
        return bool(max(bits if isinstance(bits, tuple) else (bits,)) > 8)
    return False
