"""Which kinds of pictures are read, how they are told by their first bytes, and by what each is opened."""

from pathlib import Path
from typing import BinaryIO, Literal

from PIL import Image, features

from advmask.core.tiff_reading import open_tiff

Kind = Literal["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "HEIC", "AVIF"]

READABLE = "a JPEG, PNG, WebP, HEIC, AVIF, BMP, TIFF or GIF picture"

# A JPEG is called .jfif by some browsers and by Windows, and .mpo with a second picture inside.
JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"})
TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
PHOTO_SUFFIXES = (
    JPEG_SUFFIXES
    | TIFF_SUFFIXES
    | {".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".avif"}
)

_HEAD = 64
# What begins oddly and is one of them all the same (a BMP with reserved bytes set) is left to Pillow.
_BY_PILLOW = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_BEGINNINGS: dict[bytes, Kind] = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    **dict.fromkeys((b"GIF87a", b"GIF89a"), "GIF"),
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF"),
}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


def kind_of(head: bytes) -> Kind | None:
    """What kind of picture begins with `head`, the first 64 bytes of a file; None for no picture."""
    for beginning, kind in _BEGINNINGS.items():
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "BMP"
    return _by_brand(head) if head[4:8] == b"ftyp" else None


def _by_brand(head: bytes) -> Kind | None:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[at : at + 4] for at in (8, *range(16, end, 4))}
    if brands & _AVIF_BRANDS:  # AVIF may call itself mif1 first, as HEIC does
        return "AVIF"
    return "HEIC" if brands & _HEIC_BRANDS else None


def kind_of_file(path: Path) -> Kind | None:
    """What kind of picture a file is, by its first bytes; None for none, and for what cannot be read."""
    try:
        with path.open("rb") as stream:
            return kind_of(stream.read(_HEAD))
    except OSError:
        return None


def open_image(stream: BinaryIO) -> Image.Image:
    """Open a picture with what reads its kind; no decoder that runs another program is ever asked.

    Args:
        stream: The file, at its beginning.

    Returns:
        A picture that is decoded when it is loaded. That of several in an MPO, as some phones write, is the
        first.

    Raises:
        PIL.UnidentifiedImageError: It is none of the kinds.
        ModuleNotFoundError: It is one that needs a package that is not installed; the message says which.
        Exception: Whatever a decoder meets in a damaged file.
    """
    kind = kind_of(stream.read(_HEAD))
    stream.seek(0)
    if kind == "HEIC":
        return _open_heic(stream)
    if kind == "TIFF":
        return open_tiff(stream)
    if kind == "AVIF" and not features.check("avif"):
        raise ModuleNotFoundError(
            "is an AVIF picture, which this Pillow cannot read; run: pip install -U 'pillow>=11.3'"
        )
    # Named so that a file called .jpg can never reach a decoder that runs another program (EPS and the like).
    return Image.open(stream, formats=(kind,) if kind else _BY_PILLOW)


def _open_heic(stream: BinaryIO) -> Image.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise ModuleNotFoundError(
            "is a HEIC picture; to read these, run: pip install pillow-heif (or convert it to JPEG)"
        ) from error
    # Not registered with Pillow, whose table of formats belongs to the whole process.
    image: Image.Image = pillow_heif.HeifImageFile(stream)
    return image
