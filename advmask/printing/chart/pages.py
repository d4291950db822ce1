"""The chart as files to print: a PDF and a PNG at true size, with words and a ruler."""

from contextlib import nullcontext
from datetime import UTC, datetime

import numpy as np
from fpdf import FPDF
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

import advmask
from advmask.colour.srgb_profile import srgb_profile
from advmask.printing.chart.chart_dots import draw_chart
from advmask.printing.chart.chart_layout import HEIGHT_MM, VERSION, WIDTH_MM, Chart
from advmask.printing.settings import Paper
from advmask.printing.upsample import MM_PER_INCH, dots
from advmask.textures.png_bytes import encode_png

PAGES_MM: dict[Paper, tuple[float, float]] = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}

_TITLE = "advmask calibration chart"
_WORDS = (
    "Print at 100 %: no fitting to the page, no scaling. Switch colour correction off in the viewer; choose "
    "the paper and the quality",
    "that the mask will be printed with. For cloth, print or transfer the page onto the cloth and lay it "
    "flat. Then photograph the whole",
    "page from straight above in even daylight, no flash, no shadow, paper not overexposed, and run: advmask "
    "calibrate fit PHOTO printer.name=NAME",
)
_RULER_WORDS = "100 mm: measure this ruler"
_RULER_MM = 100.0
_ABOVE_MM, _BELOW_MM = 3.0, 4.0  # between the frame and the words above, and the ruler below
_LINE_MM, _WORDS_MM, _TITLE_MM = 3.6, 2.7, 3.9
_FIXED_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # the time of writing would make two equal charts differ


def frame_corner_mm(paper: Paper) -> tuple[float, float]:
    """Where the frame of the chart begins on the page, from its top left corner."""
    width, height = PAGES_MM[paper]
    return (width - WIDTH_MM) / 2.0, (height - HEIGHT_MM) / 2.0 + 1.0


def chart_pdf(chart: Chart, *, paper: Paper = "a4", dpi: int = 300, mirrored: bool = False) -> bytes:
    """The chart as a PDF of one page at true size.

    The frame is embedded losslessly with an sRGB profile; words and ruler are vectors. The same arguments
    give the same bytes.

    Args:
        chart: The chart.
        paper: Size of the page.
        dpi: Dots per inch of the frame.
        mirrored: Exchange left and right, for paper whose print is transferred to cloth.

    Raises:
        MissingPackageError: OpenCV is not installed.
    """
    pdf = FPDF(orientation="portrait", unit="mm", format=PAGES_MM[paper])
    pdf.set_creation_date(_FIXED_DATE)
    pdf.set_creator("advmask")
    pdf.set_image_filter("FlateDecode")
    pdf.set_auto_page_break(False)
    pdf.set_title(_title(chart))
    pdf.add_page()
    picture = Image.fromarray(draw_chart(chart, dpi=dpi))
    picture.info["icc_profile"] = srgb_profile()
    left, top = frame_corner_mm(paper)
    # A mirror that stands upright in the middle of the page.
    with pdf.mirror((PAGES_MM[paper][0] / 2.0, 0.0), "NORTH") if mirrored else nullcontext():
        pdf.image(picture, x=left, y=top, w=WIDTH_MM, h=HEIGHT_MM)
        for x, y, size, text in _texts(chart, paper):
            pdf.set_font("helvetica", style="B" if size == _TITLE_MM else "", size=size * 72.0 / MM_PER_INCH)
            pdf.text(x, y, text)
        pdf.set_line_width(0.2)
        for x0, y0, x1, y1 in _ruler(paper):
            pdf.line(x0, y0, x1, y1)
    return bytes(pdf.output())


def chart_png(chart: Chart, *, paper: Paper = "a4", dpi: int = 300, mirrored: bool = False) -> bytes:
    """The same page as a PNG with its size (pHYs) and an sRGB profile.

    Args:
        chart: The chart.
        paper: Size of the page.
        dpi: Dots per inch.
        mirrored: Exchange left and right.

    Raises:
        MissingPackageError: OpenCV is not installed.
    """
    text = {
        "advmask:version": advmask.__version__,
        "advmask:chart": str(VERSION),
        "advmask:seed": str(chart.seed),
    }
    pixels = page_pixels(chart, paper=paper, dpi=dpi)
    pixels = np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels
    return encode_png(pixels, pixels_per_mm=dpi / MM_PER_INCH, text=text)


def page_pixels(chart: Chart, *, paper: Paper, dpi: int) -> UInt8[np.ndarray, "h w 3"]:
    """The page as dots, sRGB, 0 to 255."""
    size = tuple(dots(side, dpi=dpi) for side in PAGES_MM[paper])
    page = Image.new("RGB", (size[0], size[1]), (255, 255, 255))
    left, top = (dots(place, dpi=dpi) for place in frame_corner_mm(paper))
    page.paste(Image.fromarray(draw_chart(chart, dpi=dpi)), (left, top))
    pen = ImageDraw.Draw(page)
    for x, y, size_mm, text in _texts(chart, paper):
        font = ImageFont.load_default(size_mm * dpi / MM_PER_INCH)
        pen.text((dots(x, dpi=dpi), dots(y, dpi=dpi)), text, font=font, fill=(0, 0, 0), anchor="ls")
    for line in _ruler(paper):
        pen.line([dots(place, dpi=dpi) for place in line], fill=(0, 0, 0), width=max(1, dots(0.2, dpi=dpi)))
    return np.asarray(page)


def _title(chart: Chart) -> str:
    return f"{_TITLE} {VERSION}, seed {chart.seed}"


def _texts(chart: Chart, paper: Paper) -> list[tuple[float, float, float, str]]:
    """Left end and foot of each line, its size, and the words."""
    left, top = frame_corner_mm(paper)
    first = top - _ABOVE_MM - (len(_WORDS) - 1) * _LINE_MM
    lines = [(left, first + number * _LINE_MM, _WORDS_MM, text) for number, text in enumerate(_WORDS)]
    under = top + HEIGHT_MM + _BELOW_MM
    return [
        (left, first - 5.0, _TITLE_MM, _title(chart)),
        *lines,
        (left + _RULER_MM + 4.0, under + 3.0, _WORDS_MM, _RULER_WORDS),
    ]


def _ruler(paper: Paper) -> list[tuple[float, float, float, float]]:
    left, top = frame_corner_mm(paper)
    under = top + HEIGHT_MM + _BELOW_MM
    ticks = [
        (left + at, under, left + at, under + (4.0 if at % 50 == 0 else 2.5))
        for at in range(0, round(_RULER_MM) + 1, 10)
    ]
    return [(left, under, left + _RULER_MM, under), *ticks]
