"""The print files of a design, side by side in a folder."""

from pathlib import Path

from advmask.errors import DesignError
from advmask.files import written_aside
from advmask.printing.outline import PatternOutline
from advmask.printing.pdf import mask_pdf
from advmask.printing.png import mask_png
from advmask.textures.design_files import Design

PRINT_FILES = ("mask.png", "mask.pdf")


def write_exports(
    folder: Path, design: Design, outline: PatternOutline, *, dpi: int = 300, bleed_mm: float = 3.0
) -> list[Path]:
    """Write `mask.png` and `mask.pdf`, both or neither.

    Args:
        folder: Where to; made if need be. Files of these names are replaced.
        design: The design, of the same pattern and scale as the outline.
        outline: The pattern.
        dpi: Dots per inch, 72 to 1200.
        bleed_mm: How far the design goes on past the cut line, 0 to 10 mm.

    Returns:
        The paths of the two files.

    Raises:
        DesignError: The design belongs to another pattern, scale or size, or an argument is out of range.
        RunError: The folder cannot be made or written to.
    """
    if design.pattern != outline.name:
        raise DesignError(
            f"The design is made for pattern {design.pattern} and the outline is of {outline.name}; "
            "export it on its own pattern."
        )
    if abs(design.texels_per_mm - outline.texels_per_mm) > 1e-6 * outline.texels_per_mm:
        raise DesignError(
            f"The design has {design.texels_per_mm:g} texels per mm and the outline "
            f"{outline.texels_per_mm:g}; make the outline at the scale of the design."
        )
    text = {**design.text, "advmask:size": design.size}
    png = mask_png(design.texels, outline, dpi=dpi, bleed_mm=bleed_mm, text=text)
    pdf = mask_pdf(
        design.texels,
        outline,
        dpi=dpi,
        bleed_mm=bleed_mm,
        title=f"Mask {design.pattern}, size {design.size}",
        notes=[
            "Print at 100 %: no fitting to the page, no scaling. The ruler must measure 100 mm.",
            f"Cut along the magenta line. The design goes on {bleed_mm:g} mm beyond it.",
            f"Colours are sRGB. The picture has {dpi} dots per inch.",
        ],
    )
    paths = [folder / name for name in PRINT_FILES]
    with written_aside(paths[0]) as first, written_aside(paths[1]) as second:
        first.write_bytes(png)
        second.write_bytes(pdf)
    return paths
