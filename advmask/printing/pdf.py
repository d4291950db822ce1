"""A mask as a PDF page at 1:1, with a ruler to prove it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from advmask.files import written_aside
from advmask.printing.outline import PatternOutline
from advmask.printing.raster import CUT_LINE_MM, CUT_LINE_RGB, rasterise_mask
from advmask.textures.srgb import srgb_profile

_A4_LANDSCAPE_MM = (297.0, 210.0)
_MARGIN_MM = 10.0
_TITLE_MM = 6.0
_GAP_MM = 3.0
_RULER_MM = 100.0
_RULER_BLOCK_MM = 12.0
_RULER_WORDS = "100 mm: print at 100 %, measure this ruler"
_NOTE_LINE_MM = 4.0
_NOTES_LEFT_MM = _RULER_MM + 12.0
# Any fixed moment will do; the time of writing would make two equal exports differ.
_FIXED_DATE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Page:
    """Where things stand on the page, in millimetres from its top left corner."""

    width: float
    height: float
    picture: tuple[float, float, float, float]
    below: float


def write_mask_pdf(
    path: Path,
    texels: Float[Tensor, "3 H W"],
    outline: PatternOutline,
    *,
    dpi: int = 300,
    bleed_mm: float = 3.0,
    title: str = "advmask",
    notes: Sequence[str] = (),
) -> None:
    """Write a mask as a PDF of one page, to be printed at 100 %.

    The page is A4 landscape where everything fits with margins of 10 mm, and otherwise as large as needed. It
    holds the title, the picture of `rasterise_mask` without its cut line (embedded losslessly, with an sRGB
    profile), the outline as a magenta vector line, a ruler of 100 mm with a tick each 10 mm, and the notes
    beside the ruler. The same arguments give the same bytes.

    Args:
        path: The PDF file.
        texels: (3, H, W) in [0, 1], sRGB.
        outline: The pattern.
        dpi: Dots per inch of the picture, 72 to 1200.
        bleed_mm: How far the design goes on past the cut line, 0 to 10 mm.
        title: Heading of the page and title of the document.
        notes: Lines of text. Signs outside Latin-1 lose their accents or become question marks, because the
            page uses the fonts that every viewer has.

    Raises:
        DesignError: The texels do not fit the pattern, or an argument is out of range.
        RunError: The file cannot be written.

    Source:
        ISO 32000-1:2008.
    """
    content = mask_pdf(texels, outline, dpi=dpi, bleed_mm=bleed_mm, title=title, notes=notes)
    with written_aside(path) as aside:
        aside.write_bytes(content)


def mask_pdf(
    texels: Float[Tensor, "3 H W"],
    outline: PatternOutline,
    *,
    dpi: int = 300,
    bleed_mm: float = 3.0,
    title: str = "advmask",
    notes: Sequence[str] = (),
) -> bytes:
    """The file that `write_mask_pdf` writes."""
    pixels = rasterise_mask(texels, outline, dpi=dpi, bleed_mm=bleed_mm, cut_line=False)
    picture = Image.fromarray(pixels)
    picture.info["icc_profile"] = srgb_profile()
    page = _lay_out(outline, bleed_mm=bleed_mm, notes=notes)
    pdf = _document(page.width, page.height)
    pdf.set_title(title)
    pdf.set_font("helvetica", style="B", size=11)
    pdf.text(_MARGIN_MM, _MARGIN_MM + 4.5, " ".join(_latin(title).split()))
    left, top, width, height = page.picture
    pdf.image(picture, x=left, y=top, w=width, h=height)
    _draw_cut_line(pdf, outline, left=left + bleed_mm, top=top + bleed_mm)
    _draw_ruler(pdf, left=_MARGIN_MM, top=page.below)
    _draw_notes(pdf, notes, top=page.below)
    return bytes(pdf.output())


def _lay_out(outline: PatternOutline, *, bleed_mm: float, notes: Sequence[str]) -> _Page:
    width, height = (side + 2.0 * bleed_mm for side in outline.size_mm)
    page_width = max(_A4_LANDSCAPE_MM[0], width + 2.0 * _MARGIN_MM)
    top = _MARGIN_MM + _TITLE_MM
    below = top + height + _GAP_MM
    lines = _count_lines(notes, page_width)
    end = below + max(_RULER_BLOCK_MM, lines * _NOTE_LINE_MM) + _MARGIN_MM
    page_height = max(_A4_LANDSCAPE_MM[1], end)
    return _Page(page_width, page_height, ((page_width - width) / 2.0, top, width, height), below)


def _document(width: float, height: float) -> FPDF:
    # fpdf2 takes a size as that of the upright page and turns it for "landscape"; this one is ready.
    pdf = FPDF(orientation="portrait", unit="mm", format=(width, height))
    pdf.set_creation_date(_FIXED_DATE)
    pdf.set_creator("advmask")
    pdf.set_image_filter("FlateDecode")
    pdf.set_auto_page_break(False)
    pdf.set_margin(_MARGIN_MM)
    pdf.add_page()
    return pdf


def _draw_cut_line(pdf: FPDF, outline: PatternOutline, *, left: float, top: float) -> None:
    pdf.set_draw_color(*CUT_LINE_RGB)
    pdf.set_line_width(CUT_LINE_MM)
    pdf.polygon([(left + u, top + v) for u, v in outline.points_in_rectangle_mm().tolist()], style="D")


def _draw_ruler(pdf: FPDF, *, left: float, top: float) -> None:
    pdf.set_draw_color(0, 0, 0)
    pdf.set_line_width(0.2)
    pdf.line(left, top, left + _RULER_MM, top)
    for millimetre in range(0, round(_RULER_MM) + 1, 10):
        tick = 4.0 if millimetre % 50 == 0 else 2.5
        pdf.line(left + millimetre, top, left + millimetre, top + tick)
    pdf.set_font("helvetica", size=8)
    pdf.text(left, top + 8.0, _RULER_WORDS)


def _draw_notes(pdf: FPDF, notes: Sequence[str], *, top: float) -> None:
    pdf.set_font("helvetica", size=8)
    for number, line in enumerate(_wrapped(pdf, notes)):
        pdf.text(_MARGIN_MM + _NOTES_LEFT_MM, top + 3.0 + number * _NOTE_LINE_MM, line)


def _count_lines(notes: Sequence[str], page_width: float) -> int:
    pdf = _document(page_width, _A4_LANDSCAPE_MM[1])
    pdf.set_font("helvetica", size=8)
    return len(_wrapped(pdf, notes))


def _wrapped(pdf: FPDF, notes: Sequence[str]) -> list[str]:
    room = pdf.w - 2.0 * _MARGIN_MM - _NOTES_LEFT_MM
    lines: list[str] = []
    for note in notes:
        found = pdf.multi_cell(room, text=_latin(note), align="L", dry_run=True, output="LINES")
        lines.extend(str(line) for line in found)
    return lines


def _latin(text: str) -> str:
    """Text in the signs that the standard fonts of PDF have; accents they lack are dropped."""
    signs = []
    for sign in text:
        fits = sign.encode("latin-1", "ignore").decode("latin-1")
        bare = unicodedata.normalize("NFKD", sign).encode("latin-1", "ignore").decode("latin-1")
        signs.append(fits or bare or "?")
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in signs)
