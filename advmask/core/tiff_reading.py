"""TIFF files whose pixels Pillow reads wrongly or not at all, read by tifffile.

Pillow takes 16-bit values that lie plane by plane for ones that lie pixel by pixel, and the negative of
16-bit grey for the positive; colours in floating point, 32 bit or more it does not know. Before 12.2 it
stops at compressed planes of 16 bits with a further one that is not transparency.
"""

import logging
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

_PHOTOMETRIC, _COMPRESSION, _PLANAR, _BITS, _ORIENTATION, _PROFILE = 262, 259, 284, 258, 274, 34675
_FURTHER = 338  # what channels beyond the colours are
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_PLANE_BY_PLANE = 2
_UNSPECIFIED = 0
_UNASSOCIATED, _ASSOCIATED = 2, 1  # kinds of a further channel that is transparency


def open_tiff(stream: BinaryIO) -> Image.Image:
    """Open a TIFF, by Pillow where it reads it correctly.

    Args:
        stream: The file, at its beginning.

    Raises:
        UnreadableTiffError: Nothing here reads such a TIFF.
        Exception: Whatever a decoder meets in a damaged file.
    """
    try:
        image = Image.open(stream, formats=("TIFF",))
    except UnidentifiedImageError:
        stream.seek(0)
        return _by_tifffile(stream)
    tags = getattr(image, "tag_v2", {})
    bits = np.atleast_1d(tags.get(_BITS, 1))
    deep = bits.max() > 8
    planes = tags.get(_PLANAR, 1) == _PLANE_BY_PLANE and len(bits) > 1
    misread = planes and (tags.get(_COMPRESSION, 1) == 1 or _UNSPECIFIED in tags.get(_FURTHER, ()))
    if deep and (misread or tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO):
        frames = getattr(image, "n_frames", 1)
        stream.seek(0)
        try:
            return _by_tifffile(stream)
        except _CompressedError:
            if planes:
                return image
            if not image.mode.startswith("I;16"):
                raise
        # Its compression is one that tifffile needs a further package for, and Pillow does not.
        values = np.asarray(image).astype(np.uint16)
        return _with_facts(Image.fromarray(65535 - values), image.info.get("icc_profile"), tags, frames)
    return image


class UnreadableTiffError(ValueError):
    """A TIFF that nothing here reads; the message goes on after the name of the file."""


class _CompressedError(UnreadableTiffError):
    """A compression that tifffile alone does not read."""


def _by_tifffile(stream: BinaryIO) -> Image.Image:
    import tifffile

    log = logging.getLogger("tifffile")  # it tells of odd tags what no user can mend
    before, log.disabled = log.disabled, True
    try:
        with tifffile.TiffFile(stream) as file:
            if not len(file.pages):
                raise UnreadableTiffError("is a TIFF without a picture; copy it again or leave it out")
            page = file.pages[0]
            facts = {tag.code: tag.value for tag in page.tags}
            _check(page)
            if Image.MAX_IMAGE_PIXELS and page.imagewidth * page.imagelength > Image.MAX_IMAGE_PIXELS:
                raise Image.DecompressionBombError("too many pixels")
            _check_whole(page, size=file.filehandle.size)
            values, frames = page.asarray(), len(file.pages)
    except tifffile.TiffFileError as error:
        raise UnreadableTiffError(f"is a TIFF that cannot be read ({error}); save it again") from error
    finally:
        log.disabled = before
    if page.axes[-1:] != "S" and "S" in page.axes:
        values = np.moveaxis(values, page.axes.index("S"), -1)
    profile = facts.get(_PROFILE)
    return _with_facts(_picture(values, page), bytes(profile) if profile else None, facts, frames)


def _check(page: Any) -> None:
    photometric, samples = int(page.photometric), int(page.samplesperpixel)
    kind = np.dtype(page.dtype or np.void).kind
    colours = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3}.get(photometric)
    if colours is None or samples not in (colours, colours + 1) or kind not in "uf":
        raise UnreadableTiffError(
            f"is a TIFF of a kind that is not read here ({samples} channels of photometric interpretation "
            f"{photometric}); save it as RGB of 8 or 16 bits"
        )
    compression = int(page.compression)
    if compression not in (1, 8, 32946, 32773):
        raise _CompressedError(
            f"is a TIFF of a rare kind, compressed in a way that is not read here ({compression}); save it "
            "without compression, or as RGB of 8 or 16 bits"
        )


def _check_whole(page: Any, *, size: int) -> None:
    """Refuse a file that lacks some of the picture's data, for which tifffile would give black."""
    pieces = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    cut = any(count == 0 or offset + count > size for offset, count in pieces)
    stored = sum(count for _, count in pieces)
    if cut or not pieces or (int(page.compression) == 1 and 8 * stored < page.size * page.bitspersample):
        raise UnreadableTiffError("is a TIFF whose end is missing; copy it again or leave it out")


def _picture(values: np.ndarray, page: Any) -> Image.Image:
    """8 bits of grey or RGB, with transparency where there is some."""
    if values.dtype.kind == "f":
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise ValueError("floating-point values outside 0 to 1 have no agreed brightness")
        whole = np.rint(values.astype(np.float64) * 255).astype(np.uint8)
    else:
        most = min(int(np.iinfo(values.dtype).max), 2 ** int(page.bitspersample) - 1)
        whole = np.rint(values.astype(np.float64) * (255 / most)).astype(np.uint8)
    channels = 1 if whole.ndim == 2 else whole.shape[2]
    colour = whole if channels in (1, 3) else whole[..., :-1]
    if int(page.photometric) == _WHITE_IS_ZERO:
        colour = 255 - colour
    further = [int(one) for one in page.extrasamples]
    alpha = whole[..., -1] if channels in (2, 4) and set(further) & {_UNASSOCIATED, _ASSOCIATED} else None
    if alpha is not None and _ASSOCIATED in further:
        share = np.maximum(alpha, 1)[..., None] / 255
        colour = np.minimum(np.rint(colour / share), 255).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(colour[..., 0] if channels == 2 else colour))
    if alpha is not None:
        image.putalpha(Image.fromarray(np.ascontiguousarray(alpha)))
    return image


def _with_facts(image: Image.Image, profile: bytes | None, tags: Any, frames: int) -> Image.Image:
    """What a reader of TIFF would have told of a picture."""
    if profile:
        image.info["icc_profile"] = profile
    image.info |= {"frames": frames, "deep": True}  # neither is told by a picture that was made in memory
    image.getexif()[_ORIENTATION] = int(tags.get(_ORIENTATION, 1))
    return image
