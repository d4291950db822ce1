"""The print files of a design, side by side in a folder."""

from pathlib import Path

from advmask.files import written_aside
from advmask.masks.pattern import FlatPattern
from advmask.printing.pdf import mask_pdf
from advmask.printing.png import mask_png
from advmask.printing.settings import PrintingSettings
from advmask.textures.design_files import Design

PRINT_FILES = ("mask.png", "mask.pdf")
_DEFAULT = PrintingSettings()


def write_exports(
    folder: Path, design: Design, pattern: FlatPattern, printing: PrintingSettings = _DEFAULT
) -> list[Path]:
    """Write `mask.png` and `mask.pdf`, both or neither.

    Args:
        folder: Where to; made if need be. Files of these names are replaced.
        design: The design, made for the pattern.
        pattern: The flat pattern.
        printing: Resolution and bleed.

    Returns:
        The paths of the two files.

    Raises:
        DesignError: The design belongs to another pattern, scale or size.
        RunError: The folder cannot be made or written to.
    """
    contents = mask_png(design, pattern, printing), mask_pdf(design, pattern, printing)
    paths = [folder / name for name in PRINT_FILES]
    with written_aside(paths[0]) as first, written_aside(paths[1]) as second:
        for aside, content in zip((first, second), contents, strict=True):
            aside.write_bytes(content)
    return paths
