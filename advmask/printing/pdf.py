"""A mask as a PDF at 1:1: a page to print on cloth, and a page that says how to sew it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fpdf import FPDF
from PIL import Image

from advmask.masks.pattern import FlatPattern
from advmask.printing.latin import latin
from advmask.printing.lines import draw_cloth_lines, draw_plan
from advmask.printing.raster import margin_mm, rasterise_mask
from advmask.printing.settings import PrintingSettings
from advmask.textures.design_files import Design
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
    """Where things stand on both pages, in millimetres from the top left corner."""

    width: float
    height: float
    picture: tuple[float, float, float, float]
    below: float


def mask_pdf(
    design: Design,
    pattern: FlatPattern,
    printing: PrintingSettings,
    *,
    notes: Sequence[str] | None = None,
) -> bytes:
    """A mask as a PDF of two pages, to be printed at 100 %.

    The pages are A4 landscape where everything fits with margins of 10 mm, and otherwise as large as needed.

    The first is for cloth: the picture of `rasterise_mask` without its cut line (embedded losslessly, with an
    sRGB profile), the cut as a magenta vector line, the finished edge where it differs from the cut, and
    ticks in the allowance where a fold ends; nothing that would be seen on the worn mask. The second is for
    paper: all lines of the pattern, each in its own colour and dashes, with a legend and the names of the
    panels. Both hold a ruler of 100 mm with a tick each 10 mm. The same arguments give the same bytes.

    Args:
        design: The design.
        pattern: The flat pattern.
        printing: Resolution and bleed.
        notes: Lines of text beside the ruler of the first page; None for how to print and cut. Signs outside
            Latin-1 lose their accents or become question marks, for the pages use the fonts every viewer has.

    Raises:
        DesignError: The design does not fit the pattern.

    Source:
        ISO 32000-1:2008.
    """
    notes = _printing_notes(printing) if notes is None else notes
    title = f"Mask {pattern.name}, size {pattern.size}"
    picture = Image.fromarray(rasterise_mask(design, pattern, printing, cut_line=False))
    picture.info["icc_profile"] = srgb_profile()
    page = _lay_out(pattern, margin_mm(pattern, printing), notes=notes)
    left, top, width, height = page.picture
    # Where the origin of the pattern frame comes to lie on the page.
    origin = tuple(
        place + margin_mm(pattern, printing) - start
        for place, start in zip((left, top), pattern.box_mm[:2], strict=True)
    )
    pdf = _document(page.width, page.height)
    pdf.set_title(title)
    _begin_page(pdf, page, title, notes)
    pdf.image(picture, x=left, y=top, w=width, h=height)
    draw_cloth_lines(pdf, pattern, left=origin[0], top=origin[1])
    _begin_page(pdf, page, f"{title}: sewing plan, for paper", [])
    draw_plan(
        pdf, pattern, left=origin[0], top=origin[1], legend=(_MARGIN_MM + _NOTES_LEFT_MM, page.below + 3.0)
    )
    return bytes(pdf.output())


def _printing_notes(printing: PrintingSettings) -> list[str]:
    return [
        "Print at 100 %: no fitting to the page, no scaling. The ruler must measure 100 mm.",
        f"Cut along the magenta line. The design goes on {printing.bleed_mm:g} mm beyond it.",
        f"Colours are sRGB. The picture has {printing.dpi} dots per inch. Page 2 says where to sew and fold.",
    ]


def _lay_out(pattern: FlatPattern, around: float, *, notes: Sequence[str]) -> _Page:
    left, top, right, bottom = pattern.box_mm
    width, height = right - left + 2.0 * around, bottom - top + 2.0 * around
    page_width = max(_A4_LANDSCAPE_MM[0], width + 2.0 * _MARGIN_MM)
    start = _MARGIN_MM + _TITLE_MM
    below = start + height + _GAP_MM
    lines = _count_lines(notes, page_width)
    end = below + max(_RULER_BLOCK_MM, lines * _NOTE_LINE_MM) + _MARGIN_MM
    page_height = max(_A4_LANDSCAPE_MM[1], end)
    return _Page(page_width, page_height, ((page_width - width) / 2.0, start, width, height), below)


def _document(width: float, height: float) -> FPDF:
    # fpdf2 takes a size as that of the upright page and turns it for "landscape"; this one is ready.
    pdf = FPDF(orientation="portrait", unit="mm", format=(width, height))
    pdf.set_creation_date(_FIXED_DATE)
    pdf.set_creator("advmask")
    pdf.set_image_filter("FlateDecode")
    pdf.set_auto_page_break(False)
    pdf.set_margin(_MARGIN_MM)
    return pdf


def _begin_page(pdf: FPDF, page: _Page, title: str, notes: Sequence[str]) -> None:
    pdf.add_page()
    pdf.set_font("helvetica", style="B", size=11)
    pdf.text(_MARGIN_MM, _MARGIN_MM + 4.5, " ".join(latin(title).split()))
    _draw_ruler(pdf, left=_MARGIN_MM, top=page.below)
    _draw_notes(pdf, notes, top=page.below)


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
    pdf.add_page()
    pdf.set_font("helvetica", size=8)
    return len(_wrapped(pdf, notes))


def _wrapped(pdf: FPDF, notes: Sequence[str]) -> list[str]:
    room = pdf.w - 2.0 * _MARGIN_MM - _NOTES_LEFT_MM
    lines: list[str] = []
    for note in notes:
        found = pdf.multi_cell(room, text=latin(note), align="L", dry_run=True, output="LINES")
        lines.extend(str(line) for line in found)
    return lines
