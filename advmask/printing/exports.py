"""The print files of a design, side by side in a folder."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from advmask.core.errors import RunError
from advmask.core.files import written_aside
from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.svg_writer import pattern_svg
from advmask.printing.flat_inks import FlatInks, artwork_of
from advmask.printing.ink_layers import ink_pdf, ink_svg
from advmask.printing.mask_pdf import PdfColours, mask_pdf
from advmask.printing.mask_png import cmyk_tiff, converted, facts_of, mask_png, overlay_png
from advmask.printing.mirror import mirrored_pattern
from advmask.printing.raster import Artwork
from advmask.printing.settings import PrintingSettings, SheetSettings
from advmask.textures.design_files import Design

PRINT_FILES = ("mask.png", "mask.pdf")
_DEFAULT = PrintingSettings()


@dataclass(frozen=True)
class Conversion:
    """The profile that the files are converted to.

    Attributes:
        profile: The ICC profile.
        space: `RGB` or `CMYK`.
        name: What it is called.
    """

    profile: bytes
    space: str
    name: str


def print_files(
    design: Design,
    pattern: FlatPattern,
    printing: PrintingSettings = _DEFAULT,
    settings: SheetSettings | None = None,
    *,
    stem: str = "mask",
    sheet: str | None = None,
    printer: str = "none",
    hints: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
    conversion: Conversion | None = None,
    artwork: tuple[Artwork, FlatInks | None] | None = None,
    overlays: bool = True,
) -> dict[str, bytes]:
    """Make the files of one mask in one size, by their names; nothing is written.

    These are `STEM.png`, the artwork without lines; `STEM-lines.png` and `STEM-lines.svg`, all lines, to be
    laid on it; `STEM.pdf`; `STEM-cmyk.tif` where a profile of CMYK is converted to, for no PNG holds it; and
    `STEM-inks.svg` and `STEM-inks.pdf`, a layer for each ink, where the design is made of few.

    Args:
        design: The design, made for the pattern; its texts go into the files.
        pattern: The flat pattern, not mirrored.
        printing: Resolution and bleed.
        settings: How it lies on paper.
        stem: Of the names.
        sheet: Name of the PDF; None takes `STEM.pdf`.
        printer: Name of the printer it is made for.
        hints: Sentences about this printer, for the notes.
        facts: Further text chunks and properties.
        conversion: Numbers are converted to this profile; None leaves sRGB.
        artwork: Of `artwork_of`, where it is there already.
        overlays: Make the files of lines and of inks, too.

    Raises:
        ConfigError: The paper would need hundreds of tiles.
        DesignError: The design belongs to another pattern, scale or size, or uses a text key of ours.
    """
    settings = settings or SheetSettings()
    texts = dict(design.text) | dict(facts or {})
    kept = facts_of(pattern, printing, texts, mirrored=settings.mirrored)
    drawn, inks = artwork or artwork_of(design, pattern, printing)
    printed = pattern
    if settings.mirrored:
        drawn, printed = drawn.mirrored(), mirrored_pattern(pattern)
    rgb = conversion if conversion is not None and conversion.space == "RGB" else None
    picture = drawn.on_white()
    colours = PdfColours()
    if rgb is not None:
        picture, colours = converted(picture, rgb.profile), PdfColours(rgb.profile, rgb.name)
    files = {
        f"{stem}.png": mask_png(
            drawn, printing, settings, facts=kept, profile=None if rgb is None else rgb.profile
        )
    }
    if overlays:
        files[f"{stem}-lines.png"] = overlay_png(printed, drawn.coverage.shape, printing, facts=kept)
        files[f"{stem}-lines.svg"] = pattern_svg(printed, bleed_mm=printing.bleed_mm).encode()
    if overlays and inks is not None and len(inks.colours) > 1:
        inks = inks.mirrored() if settings.mirrored else inks
        title = f"Mask {pattern.name}, size {pattern.size}" + (", mirrored" if settings.mirrored else "")
        files[f"{stem}-inks.svg"] = ink_svg(inks, title=title).encode()
        files[f"{stem}-inks.pdf"] = ink_pdf(inks, title=title, facts=kept)
    files[sheet or f"{stem}.pdf"] = mask_pdf(
        picture, pattern, printing, settings, printer=printer, hints=hints, facts=kept, colours=colours
    )
    if conversion is not None and rgb is None:
        files[f"{stem}-cmyk.tif"] = cmyk_tiff(drawn, printing, conversion.profile)
    return files


def write_exports(
    folder: Path,
    design: Design,
    pattern: FlatPattern,
    printing: PrintingSettings = _DEFAULT,
    settings: SheetSettings | None = None,
) -> list[Path]:
    """Write `mask.png` and `mask.pdf`, both or neither.

    Args:
        folder: Where to; made if need be. Files of these names are replaced.
        design: The design, made for the pattern.
        pattern: The flat pattern.
        printing: Resolution and bleed.
        settings: How it lies on paper.

    Returns:
        The paths of the two files.

    Raises:
        DesignError: The design belongs to another pattern, scale or size.
        RunError: The folder cannot be made or written to.
    """
    files = print_files(design, pattern, printing, settings, overlays=False)
    return write_all(folder, {name: files[name] for name in PRINT_FILES})


def write_all(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files, all or none: each aside, and renamed only when all are there.

    Raises:
        RunError: The folder cannot be made or written to, or a name is taken by a folder.
    """
    paths = [folder / name for name in files]
    for path in paths:
        if path.is_dir():
            raise RunError(f"Cannot write {path}: it is a folder. Remove it or choose another folder.")
    with ExitStack() as stack:
        for path, content in zip(paths, files.values(), strict=True):
            stack.enter_context(written_aside(path)).write_bytes(content)
    return paths
