"""What stands around the picture on a page: registration marks, title, ruler, and how tiles are glued."""

from fpdf import FPDF

from advmask.printing.latin import latin
from advmask.printing.sheet_layout import FRAME_MM, RULER_MM, Box, Layout, Sheet, Tile

RULER_WORDS = "100 mm: print at 100 %, measure this ruler"
_MARK_MM = 3.0
_FROM_SIDE_MM = 4.0
_THIN_MM = 0.15


def draw_marks(
    pdf: FPDF, sheet: Sheet, title: str, shown: Box, ruler_left: float, *, left: float, top: float
) -> None:
    """Draw registration marks outside the bleed, the title above and the ruler below the picture.

    Args:
        pdf: On the page.
        sheet: What is laid out.
        title: Written in the middle of what is shown.
        shown: The part of the sheet that the page shows; a ruler that it would cut is left to another page.
        ruler_left: Where the ruler begins on the sheet, mm.
        left: Of the sheet on the page, mm.
        top: Of the sheet on the page, mm.
    """
    above, below = top + 4.0, top + sheet.picture[3] + 5.5
    for x in (left + _FROM_SIDE_MM, left + sheet.width - _FROM_SIDE_MM):
        for y in (above, below):
            _registration(pdf, x, y)
    x0, x1 = max(shown[0], 0.0), min(shown[2], sheet.width)
    words = fitted(pdf, " ".join(latin(title).split()), x1 - x0 - 4 * _FROM_SIDE_MM, size=9.0, style="B")
    pdf.text(left + (x0 + x1 - pdf.get_string_width(words)) / 2, above + 1.2, words)
    if x0 <= ruler_left and ruler_left + RULER_MM <= x1:
        _ruler(pdf, left + ruler_left, top + sheet.picture[3] + 3.0)


def fitted(pdf: FPDF, words: str, room: float, *, size: float, style: str = "", least: float = 5.0) -> str:
    """Set a font in which words fit into so many millimetres, and cut them where none does."""
    pdf.set_text_color(0, 0, 0)
    pdf.set_font("helvetica", style=style, size=size)
    while pdf.get_string_width(words) > room and size > least:
        size -= 0.5
        pdf.set_font("helvetica", style=style, size=size)
    if pdf.get_string_width(words) <= room:
        return words
    while words and pdf.get_string_width(words + "...") > room:
        words = words[:-1]
    return words + "..."


def draw_glue_marks(
    pdf: FPDF, tile: Tile, layout: Layout, *, left: float, top: float, overlap: float
) -> None:
    """Draw the name of a tile and, outside its window, where its neighbours meet it.

    Args:
        pdf: On the page of the tile.
        tile: Which.
        layout: Says which neighbours there are.
        left: Of the window on the page, mm.
        top: Of the window on the page, mm.
        overlap: Of neighbouring tiles, mm.
    """
    width, height = tile.window[2] - tile.window[0], tile.window[3] - tile.window[1]
    pdf.set_draw_color(0, 0, 0)
    pdf.set_dash_pattern()
    pdf.set_line_width(_THIN_MM)
    gap, length = 0.8, FRAME_MM - 3.0
    sides = []
    for first, before, after in ((True, tile.column > 0, tile.column + 1 < layout.columns),
                                 (False, tile.row > 0, tile.row + 1 < layout.rows)):  # fmt: skip
        size = width if first else height
        if before:
            sides += [(first, 0.0), (first, overlap)]
        if after:
            sides += [(first, size - overlap), (first, size)]
    for first, at in sides:
        for start, way in ((0.0 - gap, -length), ((height if first else width) + gap, length)):
            if first:
                pdf.line(left + at, top + start, left + at, top + start + way)
            else:
                pdf.line(left + start, top + at, left + start + way, top + at)
    words = [f"Tile {tile.name} of {layout.rows} x {layout.columns}"]
    if tile.column > 0:
        words.append("cut at the outer left marks, glue over the tile to the left")
    if tile.row > 0:
        words.append("cut at the outer upper marks, glue over the tile above")
    room = width - 2 * overlap - 4.0
    pdf.text(left + overlap + 2.0, top - 2.6, fitted(pdf, "; ".join(words), room, size=8.0, style="B"))


def draw_overview(
    pdf: FPDF, sheet: Sheet, layout: Layout, *, left: float, top: float, room: tuple[float, float]
) -> None:
    """Draw a small map of the tiles into a room of so many millimetres."""
    right = max(sheet.width, *(tile.window[2] for tile in layout.tiles))
    bottom = max(sheet.height, *(tile.window[3] for tile in layout.tiles))
    scale = min(room[0] / right, room[1] / bottom, 0.5)
    pdf.set_dash_pattern()
    pdf.set_line_width(0.3)
    pdf.set_draw_color(150, 150, 150)
    pdf.set_fill_color(235, 235, 235)
    x0, y0, x1, y1 = (edge * scale for edge in sheet.picture)
    pdf.rect(left + x0, top + y0, x1 - x0, y1 - y0, style="DF")
    pdf.set_draw_color(0, 0, 0)
    for tile in layout.tiles:
        x0, y0, x1, y1 = (edge * scale for edge in tile.window)
        pdf.rect(left + x0, top + y0, x1 - x0, y1 - y0)
        name = fitted(pdf, tile.name, x1 - x0, size=14.0, style="B")
        pdf.text(left + (x0 + x1 - pdf.get_string_width(name)) / 2, top + (y0 + y1) / 2 + 2.0, name)


def _registration(pdf: FPDF, x: float, y: float) -> None:
    pdf.set_draw_color(0, 0, 0)
    pdf.set_dash_pattern()
    pdf.set_line_width(_THIN_MM)
    pdf.circle(x, y, 1.6)
    pdf.line(x - _MARK_MM, y, x + _MARK_MM, y)
    pdf.line(x, y - _MARK_MM, x, y + _MARK_MM)


def _ruler(pdf: FPDF, left: float, top: float) -> None:
    pdf.set_draw_color(0, 0, 0)
    pdf.set_dash_pattern()
    pdf.set_line_width(0.2)
    pdf.line(left, top, left + RULER_MM, top)
    for millimetre in range(0, round(RULER_MM) + 1, 10):
        tick = 4.0 if millimetre % 50 == 0 else 2.5
        pdf.line(left + millimetre, top, left + millimetre, top + tick)
    pdf.set_font("helvetica", size=7)
    pdf.set_text_color(0, 0, 0)
    pdf.text(left + (RULER_MM - pdf.get_string_width(RULER_WORDS)) / 2, top + 8.0, RULER_WORDS)
