"""A mask as a PNG at true size: the artwork, and its lines as an overlay."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

import advmask
from advmask.core.errors import ConfigError, DesignError
from advmask.core.shown_names import shown
from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.svg_writer import STYLES
from advmask.printers.icc import check_whole
from advmask.printing.lines import fold_ticks
from advmask.printing.raster import Artwork, margin_mm
from advmask.printing.settings import PrintingSettings, SheetSettings
from advmask.printing.strokes import Stroke, drawn_strokes, strokes_of
from advmask.printing.upsample import MM_PER_INCH
from advmask.textures.png_bytes import encode_png

_FOLD = STYLES["fold"][:2]
_ICC_TAG = 34675  # ICC.1:2022, annex B.4: embedded in TIFF


def mask_png(
    artwork: Artwork,
    printing: PrintingSettings,
    settings: SheetSettings,
    *,
    facts: Mapping[str, str],
    profile: bytes | None = None,
) -> bytes:
    """The artwork as a PNG, in true size (pHYs), with its colour profile; the same arguments, the same bytes.

    Args:
        artwork: As it is printed, mirrored if the sheet is.
        printing: Its resolution.
        settings: Say what lies beyond the bleed.
        facts: Text chunks.
        profile: ICC profile of RGB that the numbers are converted to; None leaves them sRGB.
    """
    white = settings.beyond == "white"
    pixels = artwork.on_white() if white else artwork.with_alpha()
    if profile is not None:
        pixels[..., :3] = converted(pixels[..., :3], profile)
    return _encoded(pixels, printing, facts, profile)


def overlay_png(
    pattern: FlatPattern,
    size: tuple[int, int],
    printing: PrintingSettings,
    *,
    facts: Mapping[str, str],
) -> bytes:
    """All lines of a pattern as a transparent PNG that lies on the artwork, dot on dot.

    Args:
        pattern: The flat pattern, mirrored if the artwork is.
        size: Height and width of the artwork in dots.
        printing: Resolution and bleed.
        facts: Text chunks.
    """
    around = margin_mm(pattern, printing)
    left, top, right, bottom = pattern.box_mm
    frame = (left - around, top - around, right + around, bottom + around)
    strokes = strokes_of(pattern, printing.bleed_mm)
    strokes += [Stroke(*_FOLD, points) for points in fold_ticks(pattern)]
    pixels = drawn_strokes(strokes, frame, size=size, dpi=printing.dpi)
    return _encoded(pixels, printing, facts, None)


def cmyk_tiff(artwork: Artwork, printing: PrintingSettings, profile: bytes) -> bytes:
    """The artwork on white as a CMYK TIFF in the profile of a printer, losslessly compressed."""
    picture = Image.fromarray(artwork.on_white())
    inks = _through(picture, profile, mode="CMYK")
    stream = io.BytesIO()
    # Not by Pillow, whose libtiff leaves a byte of memory between strips: files would differ by chance.
    tifffile.imwrite(
        stream,
        np.asarray(inks),
        photometric="separated",
        compression="zlib",
        resolution=(printing.dpi, printing.dpi),
        resolutionunit="INCH",
        extratags=[(_ICC_TAG, 7, len(profile), profile, True)],  # 7: bytes as they are
        metadata=None,
        software=False,
    )
    return stream.getvalue()


def converted(pixels: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) sRGB numbers as numbers of another RGB profile, relative colorimetric."""
    return np.asarray(_through(Image.fromarray(np.ascontiguousarray(pixels)), profile, mode="RGB"))


def read_profile(path: Path) -> tuple[bytes, str]:
    """Read an ICC profile of RGB or CMYK.

    Returns:
        The file, and `RGB` or `CMYK`.

    Raises:
        ConfigError: There is no such file, or it is not such a profile.
    """
    try:
        content = path.expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror or error}; check printer.profile."
        ) from error
    check_whole(path, content)
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(content)).profile.xcolor_space.strip()
        if space in {"RGB", "CMYK"}:
            _through(Image.new("RGB", (1, 1)), content, mode=space)
            return content, space
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise ConfigError(
            f"{path} is not an ICC profile to print with ({error}); ask the print shop for another."
        ) from error
    raise ConfigError(f"{path} is an ICC profile of {space}; convert=true needs one of RGB or CMYK.")


def facts_of(
    pattern: FlatPattern, printing: PrintingSettings, more: Mapping[str, str], *, mirrored: bool = False
) -> dict[str, str]:
    """What is kept with every file: version, pattern, size, resolution, and `more`.

    Raises:
        DesignError: `more` uses a key that is set here.
    """
    own = {
        "advmask:version": advmask.__version__,
        "advmask:pattern": pattern.name,
        "advmask:size": pattern.size,
        "advmask:dpi": str(printing.dpi),
        "advmask:bleed_mm": f"{printing.bleed_mm:g}",
        "advmask:mirrored": "yes" if mirrored else "no",
    }
    taken = [key for key in own if key in more]
    if taken:
        raise DesignError(f"The text key {taken[0]} is set by advmask itself; use another key.")
    return own | dict(more)


def _through(picture: Image.Image, profile: bytes, *, mode: str) -> Image.Image:
    result = ImageCms.profileToProfile(
        picture,
        ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode=mode,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert result is not None
    return result


def _encoded(
    pixels: NDArray[np.uint8], printing: PrintingSettings, facts: Mapping[str, str], profile: bytes | None
) -> bytes:
    per_mm = printing.dpi / MM_PER_INCH
    content = encode_png(pixels, pixels_per_mm=per_mm, text=facts)
    if profile is None:
        return content
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        chunks = PngImagePlugin.PngInfo()
        for key, value in sorted(facts.items()):
            chunks.add_text(key, shown(value))
        stream = io.BytesIO()
        picture.save(
            stream,
            "PNG",
            pnginfo=chunks,
            dpi=(printing.dpi, printing.dpi),
            icc_profile=profile,
            compress_level=6,
        )
    return stream.getvalue()
