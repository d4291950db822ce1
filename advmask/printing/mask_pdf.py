"""A mask as a PDF at 1:1: the artwork, a plan with all lines, and notes for who prints and sews."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from fpdf.enums import OutputIntentSubType
from fpdf.output import PDFICCProfile
from numpy.typing import NDArray
from PIL import Image

from advmask.colour.srgb_profile import srgb_profile
from advmask.core.shown_names import shown
from advmask.masks.flat_pattern import FlatPattern
from advmask.printing.latin import latin
from advmask.printing.layered_pdf import LayeredPdf
from advmask.printing.lines import draw_cloth_lines, draw_legend, draw_plan
from advmask.printing.mirror import mirrored_pattern
from advmask.printing.notes import Section, notes_of
from advmask.printing.page_marks import draw_glue_marks, draw_marks, draw_overview
from advmask.printing.settings import PAPERS, PrintingSettings, SheetSettings
from advmask.printing.sheet_layout import FRAME_MM, RULER_MM, Box, Layout, Sheet, lay_out, sheet_of
from advmask.printing.step_drawings import HEIGHT_MM, WIDTH_MM, Drawing, draw, drawing_of

# Any fixed moment will do; the time of writing would make two equal exports differ.
_FIXED_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_NOTES_MARGIN_MM = 15.0
_LINE_MM = 4.6
_Draw = Callable[[LayeredPdf, float, float, Box], None]


@dataclass(frozen=True, eq=False)
class PdfColours:
    """The profile that a picture's numbers are meant in.

    Attributes:
        profile: ICC profile of RGB, embedded with the picture and as output intent.
        name: What it is called.
    """

    profile: bytes = field(default_factory=srgb_profile)
    name: str = "sRGB"


_SRGB = PdfColours()


def mask_pdf(
    picture: NDArray[np.uint8],
    pattern: FlatPattern,
    printing: PrintingSettings,
    settings: SheetSettings | None = None,
    *,
    printer: str = "none",
    hints: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
    colours: PdfColours = _SRGB,
) -> bytes:
    """A mask as a PDF to be printed at 100 %.

    First the artwork, losslessly embedded with its profile, with registration marks outside the bleed, a
    title and a ruler, and no line on it unless asked for. Then the plan, of the same size, with each kind of
    line on a layer of its own. Last the notes. Where the sheet is larger than the paper, a map comes first,
    and artwork and plan are tiled, each tile with its name and marks for glueing outside of what it shows.
    Pages of artwork and plan have TrimBox (the box around the cuts) and BleedBox. The same arguments give the
    same bytes.

    Args:
        picture: (h, w, 3) the artwork as it is printed: mirrored, if the sheet is.
        pattern: The flat pattern, not mirrored.
        printing: Resolution and bleed.
        settings: How it lies on paper.
        printer: Name of the printer it is made for.
        hints: Sentences about this printer.
        facts: Kept in the document's properties.
        colours: What the picture's numbers mean.

    Raises:
        ConfigError: The paper would need hundreds of tiles.

    Source:
        ISO 32000-1:2008.
    """
    settings = settings or SheetSettings()
    printed = mirrored_pattern(pattern) if settings.mirrored else pattern
    sheet, plan_sheet = sheet_of(printed, printing), sheet_of(pattern, printing)
    layout = lay_out(sheet, settings)
    image = Image.fromarray(picture)
    image.info["icc_profile"] = colours.profile
    title = f"Mask {pattern.name}, size {pattern.size}"

    def artwork(pdf: LayeredPdf, left: float, top: float, shown: Box) -> None:
        x0, y0, x1, y1 = sheet.picture
        with pdf.layer("artwork"):
            pdf.image(image, x=left + x0, y=top + y0, w=x1 - x0, h=y1 - y0)
        if settings.cut_line:
            draw_cloth_lines(pdf, printed, left=left + sheet.origin[0], top=top + sheet.origin[1])
        words = (
            f"{title}: artwork, mirrored for transfer: ask the shop"
            if settings.mirrored
            else f"{title}: artwork"
        )
        draw_marks(pdf, sheet, words, shown, layout.ruler_left(sheet), left=left, top=top)

    def plan(pdf: LayeredPdf, left: float, top: float, shown: Box) -> None:
        x, y = left + plan_sheet.origin[0], top + plan_sheet.origin[1]
        draw_plan(pdf, pattern, bleed_mm=printing.bleed_mm, left=x, top=y)
        words = f"{title}: plan, for paper" + (", not mirrored" if settings.mirrored else "")
        draw_marks(pdf, plan_sheet, words, shown, layout.ruler_left(sheet), left=left, top=top)

    pdf = _document(layout.page, title, facts or {}, colours)
    notes = notes_of(pattern, printing, settings, layout, printer=printer, hints=hints)
    if layout.tiles:
        _overview_page(pdf, sheet, layout, settings, title)
    _pages(pdf, artwork, sheet, layout, settings)
    _pages(pdf, plan, plan_sheet, layout, settings)
    _notes_pages(pdf, notes, pattern, settings)
    return pdf.finished(scale=RULER_MM / settings.ruler_mm)


def _pages(pdf: LayeredPdf, draw: _Draw, sheet: Sheet, layout: Layout, settings: SheetSettings) -> None:
    if not layout.tiles:
        left, top = layout.place
        pdf.add_page(format=layout.page)
        draw(pdf, left, top, (0.0, 0.0, sheet.width, sheet.height))
        pdf.set_boxes(trim=_moved(sheet.trim, left, top), bleed=_moved(sheet.picture, left, top))
    for tile in layout.tiles:
        pdf.add_page(format=layout.page)
        left = top = settings.margin_mm + FRAME_MM
        x0, y0, x1, y1 = tile.window
        with pdf.rect_clip(x=left, y=top, w=x1 - x0, h=y1 - y0):
            draw(pdf, left - x0, top - y0, tile.window)
        draw_glue_marks(pdf, tile, layout, left=left, top=top, overlap=settings.overlap_mm)
        window = (left, top, left + x1 - x0, top + y1 - y0)
        pdf.set_boxes(trim=window, bleed=window)


def _overview_page(
    pdf: LayeredPdf, sheet: Sheet, layout: Layout, settings: SheetSettings, title: str
) -> None:
    width, height = layout.page
    pdf.add_page(format=layout.page)
    pdf.set_font("helvetica", style="B", size=12)
    pdf.text(_NOTES_MARGIN_MM, _NOTES_MARGIN_MM + 4.0, latin(f"{title}: map of the tiles"))
    count = len(layout.tiles)
    pdf.set_font("helvetica", size=9)
    pdf.text(
        _NOTES_MARGIN_MM, _NOTES_MARGIN_MM + 10.0,
        f"{count} pages of artwork, then {count} of the plan, then notes: {layout.rows} rows, "
        f"{layout.columns} columns.",
    )  # fmt: skip
    pdf.text(
        _NOTES_MARGIN_MM, _NOTES_MARGIN_MM + 15.0,
        f"Neighbours overlap by {settings.overlap_mm:g} mm. Print at 100 %.",
    )  # fmt: skip
    top = _NOTES_MARGIN_MM + 22.0
    room = (width - 2 * _NOTES_MARGIN_MM, height - top - _NOTES_MARGIN_MM)
    draw_overview(pdf, sheet, layout, left=_NOTES_MARGIN_MM, top=top, room=room)


def _notes_pages(
    pdf: LayeredPdf, sections: Sequence[Section], pattern: FlatPattern, settings: SheetSettings
) -> None:
    page = settings.room_mm or PAPERS["a4"]
    pdf.set_margin(_NOTES_MARGIN_MM)
    pdf.set_auto_page_break(True, margin=_NOTES_MARGIN_MM)
    pdf.add_page(format=page)
    pdf.set_text_color(0, 0, 0)
    for section in sections:
        pdf.set_font("helvetica", style="B", size=11)
        pdf.multi_cell(0, _LINE_MM + 1.0, latin(section.heading), new_x="LMARGIN", new_y="NEXT", align="L")
        for number, sentence in enumerate(section.sentences, 1):
            words = f"{number}.  {sentence}" if section.steps else sentence
            name = section.drawings[number - 1] if section.drawings else None
            _written(pdf, words, None if name is None else drawing_of(name, pattern), page)
        pdf.ln(2.5)
    if pdf.get_y() + 25.0 > page[1] - _NOTES_MARGIN_MM:
        pdf.add_page(format=page)
    pdf.set_font("helvetica", style="B", size=11)
    pdf.cell(0, _LINE_MM + 1.0, "Lines on the plan", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("helvetica", size=9.5)
    draw_legend(pdf, pattern, left=_NOTES_MARGIN_MM, top=pdf.get_y() + 4.0, step=_LINE_MM)


def _written(pdf: LayeredPdf, words: str, drawing: Drawing | None, page: tuple[float, float]) -> None:
    """A paragraph, to the right of its drawing where it has one."""
    indent = 0.0 if drawing is None else WIDTH_MM + 4.0
    if drawing is not None and pdf.get_y() + HEIGHT_MM > page[1] - _NOTES_MARGIN_MM:
        pdf.add_page(format=page)
    top = pdf.get_y()
    if drawing is not None:
        draw(pdf, drawing, _NOTES_MARGIN_MM, top)
    pdf.set_font("helvetica", size=9.5)
    pdf.set_xy(_NOTES_MARGIN_MM + indent, top)
    room = page[0] - 2 * _NOTES_MARGIN_MM - indent
    pdf.multi_cell(room, _LINE_MM, latin(words), new_x="LMARGIN", new_y="NEXT", align="L")
    if drawing is not None and top < pdf.get_y() < top + HEIGHT_MM:
        pdf.set_y(top + HEIGHT_MM)
    pdf.ln(0.8)


def _moved(box: Box, left: float, top: float) -> Box:
    return box[0] + left, box[1] + top, box[2] + left, box[3] + top


def _document(
    page: tuple[float, float], title: str, facts: Mapping[str, str], colours: PdfColours
) -> LayeredPdf:
    pdf = LayeredPdf(page)
    pdf.set_creation_date(_FIXED_DATE)
    pdf.set_creator("advmask")
    pdf.set_title(shown(title))
    if facts:
        pdf.set_subject("; ".join(f"{key}={value}" for key, value in sorted(facts.items())))
    pdf.set_image_filter("FlateDecode")
    pdf.set_auto_page_break(False)
    pdf.add_output_intent(
        OutputIntentSubType.PDFX,
        output_condition_identifier="Custom",
        output_condition=colours.name,
        dest_output_profile=PDFICCProfile(contents=colours.profile, n=3, alternate="DeviceRGB"),
        info=colours.name,
    )
    return pdf
