"""Reading any picture file into plain 8-bit sRGB, or saying in one sentence why it cannot be read."""

import io
import math
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from advmask.core.errors import AdvmaskError, DesignError, PhotoError
from advmask.core.near_names import near_file
from advmask.core.picture_formats import READABLE, open_image
from advmask.core.tiff_reading import UnreadableTiffError

# It is as far from dark hair as from pale skin, so that the rim of a cut-out portrait stays visible on either
# side and a face detector meets no artificial black or white.
MID_GREY = (128, 128, 128)
WHITE = (255, 255, 255)

_ORIENTATION_TAG = 0x0112

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow's pixel limit and Python's warning filters belong to the whole process: one reader at a time.
_one_reader = threading.RLock()


def read_picture(
    path: Path,
    *,
    max_pixels: int = 200_000_000,
    background: tuple[int, int, int] = MID_GREY,
    refusal: type[AdvmaskError] = PhotoError,
) -> Image.Image:
    """Read a picture file as it is meant to be seen.

    The EXIF orientation is applied; of several frames the first is taken; 16-bit values are scaled to 8 bit;
    an embedded colour profile is converted to sRGB; transparent parts are laid on a plain colour.

    Args:
        path: A JPEG, PNG, WebP, HEIC, AVIF, BMP, TIFF or GIF file, whatever its ending.
        max_pixels: Refuse larger pictures before decoding them.
        background: Colour behind transparent parts.
        refusal: The error that the caller's users know.

    Returns:
        A picture of mode RGB, 8 bit, sRGB, whose `info` holds nothing but the file's texts.

    Raises:
        AdvmaskError: Of the kind `refusal`: the file is missing, a folder, unreadable, empty, no picture,
            damaged or too large.
    """
    _check_file(path, refusal)
    return _decoded(lambda: path.open("rb"), path, max_pixels, background, refusal)


def count_pixels(path: Path) -> int:
    """Pixels of a picture file as its beginning says; 0 where it cannot be read."""
    try:
        with _guarded_pillow(200_000_000), path.open("rb") as stream:
            return math.prod(open_image(stream).size)
    except Exception:  # whatever a decoder meets; `read_picture` says what is wrong
        return 0


def decode_picture(content: bytes, name: str, *, max_pixels: int = 200_000_000) -> Image.Image:
    """Read a picture from memory as `read_picture` reads a file.

    Args:
        content: Of a picture file.
        name: What it is called in errors.
        max_pixels: Refuse larger pictures before decoding them.

    Raises:
        PhotoError: It is no picture, damaged or too large.
    """
    return _decoded(lambda: io.BytesIO(content), name, max_pixels, MID_GREY, PhotoError)


def _decoded(
    opened: Callable[[], BinaryIO],
    path: Path | str,
    max_pixels: int,
    background: tuple[int, int, int],
    refusal: type[AdvmaskError],
) -> Image.Image:
    too_large = f"{path} has more than {max_pixels:,} pixels; reduce it and try again."
    try:
        with _guarded_pillow(max_pixels), opened() as stream:
            image = open_image(stream)
            if image.width * image.height > max_pixels:
                raise refusal(too_large)
            image.load()
            return _as_srgb(_upright(image), background)
    except (AdvmaskError, KeyboardInterrupt):
        raise
    except PermissionError as error:
        raise refusal(_forbidden(path)) from error
    except UnidentifiedImageError as error:
        kinds = f"{READABLE}{', or an SVG drawing' if refusal is DesignError else ''}"
        raise refusal(f"{path} is not {kinds}; convert it to one of these.") from error
    except (ModuleNotFoundError, UnreadableTiffError) as error:
        raise refusal(f"{path} {error}.") from error
    except Image.DecompressionBombError as error:
        raise refusal(too_large) from error
    except MemoryError as error:
        raise refusal(f"{path} does not fit into memory; reduce it and try again.") from error
    except Exception as error:
        # Decoders meet hostile bytes with whatever exception lies nearest: OSError, SyntaxError,
        # struct.error, zlib.error, EOFError and more. To the user they are all one thing.
        message = f"{path} is damaged or cut short ({_first_line(error)}); copy it again or leave it out."
        raise refusal(message) from error


def _check_file(path: Path, refusal: type[AdvmaskError]) -> None:
    try:
        if path.is_dir():
            raise refusal(f"{path} is a folder, not a picture; name a file in it.")
        if not path.exists():
            raise refusal(f"There is no file {path}; check the name.{near_file(path)}")
        if not path.is_file():
            raise refusal(f"{path} is not a regular file; name {READABLE}.")
        if path.stat().st_size == 0:
            raise refusal(f"{path} is empty (0 bytes); copy it again or leave it out.")
    except PermissionError as error:
        raise refusal(_forbidden(path)) from error
    except OSError as error:
        raise refusal(f"Cannot open {path}: {_first_line(error)}; check the name and the disk.") from error


def _forbidden(path: Path | str) -> str:
    return f"You may not read {path}; change its permissions."


def _first_line(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).strip().splitlines()[0].rstrip(".")


@contextmanager
def _guarded_pillow(max_pixels: int) -> Iterator[None]:
    """Set Pillow's pixel limit and silence its warnings, for the length of one reading."""
    with _one_reader, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = max_pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        # A broken EXIF block says nothing about the pixels, which are there and whole.
        return image
    if turn is None:
        return image
    turned = image.transpose(turn)
    turned.info = image.info
    return turned


def _as_srgb(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    texts = {key: value for key, value in image.info.items() if isinstance(value, str)}
    profile = image.info.get("icc_profile")
    image, alpha = _split_alpha(_eight_bit(image))
    picture = _converted(image, profile)
    if alpha is not None:
        picture = Image.composite(picture, Image.new("RGB", picture.size, background), alpha)
    picture = picture.copy()  # a plain picture, cut loose from its file
    picture.info = dict(texts)
    return picture


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale greyscale of 16 bit, 32 bit and floating point to 8 bit; leave all other modes alone."""
    if image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise ValueError("floating-point values outside 0 to 1 have no agreed brightness")
        return Image.fromarray(np.rint(values * 255).astype(np.uint8))
    if image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("32-bit values outside 0 to 65535 have no agreed brightness")
        return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    return image


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    if not image.has_transparency_data:
        return image, None
    # Grey stays grey: an embedded profile for grey fits no RGB picture.
    plain, with_alpha = ("L", "LA") if image.mode in ("1", "L", "LA", "La") else ("RGB", "RGBA")
    image = image.convert(with_alpha)
    return image.convert(plain), image.getchannel("A")


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB by the embedded profile where that works, else by Pillow's plain formulas."""
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = image.convert("RGB")
    try:
        if image.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if _is_srgb(source):
                return image.convert("RGB")  # a conversion to itself would only add rounding
        else:
            return image.convert("RGB")
        converted = ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, ImportError, OSError, ValueError, TypeError):
        # A damaged profile, or one for another kind of picture: the colours are a little off, not lost.
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether a profile bears sRGB's name and its primaries too; names alone have been known to lie."""
    if not ImageCms.getProfileDescription(profile).startswith("sRGB"):
        return False
    known = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).profile
    pairs = (
        (profile.profile.red_colorant, known.red_colorant),
        (profile.profile.blue_colorant, known.blue_colorant),
    )
    return all(
        one is not None and other is not None and np.allclose(one, other, atol=0.01) for one, other in pairs
    )
