"""`card.png`: what was measured of a design, as a picture that can be shared."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from advmask.core.shown_names import drawable
from advmask.masks.flat_pattern import FlatPattern
from advmask.printing.card_words import (
    UNMEASURED,
    Case,
    Rate,
    heading,
    percent,
    shown_cases,
    small_print,
)
from advmask.printing.raster import picture_size, rasterise
from advmask.printing.settings import PrintingSettings
from advmask.printing.upsample import MM_PER_INCH
from advmask.textures.design_files import Design
from advmask.textures.png_bytes import encode_png

SIZE_PX = (827, 1165)
"""Width and height: A6 upright at 200 dpi. A phone shows it at half size, where 20 px are still read."""
_DPI = 200
_MARGIN = 36
_INK, _FAINT, _GROUND, _PAPER, _GRID = "#111111", "#555555", "#e4e4e4", "#ffffff", "#bbbbbb"
_TITLE, _HEAD, _NAME, _TEXT, _SMALL, _ABOUT = 46, 29, 26, 22, 20, 18
_LEADING = 1.3
_BAR, _BAR_STEP = 22, 32
_CASE = 146
_LOWEST, _HIGHEST = 190, 380  # the picture of the design
_BARS = (226, 590)  # from left to right: none to all of the photos


def card_png(
    card: Mapping[str, Any] | None,
    design: Design,
    pattern: FlatPattern,
    *,
    name: str,
    size: str,
    facts: Mapping[str, str],
) -> bytes:
    """Draw a card: the flat design, and for each recognizer how often its wearer is still matched.

    Each recognizer is shown in the case in which it matched most. Where not all have room, those that matched
    most are shown and the others are counted. Nothing is said by colour alone.

    Args:
        card: Of `card.json`; None where the design was never evaluated, and then the card says so.
        design: The design, made for the pattern.
        pattern: The flat pattern.
        name: What the design is called.
        size: That it was learned in.
        facts: Text chunks.

    Returns:
        A PNG of `SIZE_PX`; the same bytes for the same arguments.

    Raises:
        DesignError: The design does not fit the pattern, or a key of `facts` cannot be a PNG keyword.
    """
    page = Image.new("RGB", SIZE_PX, _PAPER)
    pen = _Pen(ImageDraw.Draw(page))
    title = next((fits for fits in range(_TITLE, _HEAD, -1) if pen.fits(name, fits)), _HEAD)
    top = pen.line(_MARGIN - 8, name, size=title, heavy=True)
    top = pen.line(top, f"{design.pattern} mask, size {size}", size=_TEXT, ink=_FAINT) + 12
    bottom = _foot(pen, card)
    cases = [] if card is None else shown_cases(card)
    above = 0 if not cases else _height(_HEAD) + _height(_SMALL) + 16
    shown, room = _share(bottom - top - above, len(cases))
    _paste(page, _flat(design, pattern, SIZE_PX[0] - 2 * _MARGIN - 32, room - 32), top, room)
    top += room + 14
    if card is None or not cases:
        _nothing(pen, top)
    else:
        top = pen.line(top, "How often the wearer was still matched", size=_HEAD, heavy=True)
        top = pen.line(top, heading(card), size=_SMALL, ink=_FAINT) + 2
        for case in cases[:shown]:
            _draw_case(pen, case, top)
            top += _CASE
        if shown < len(cases):
            pen.line(top, f"and {len(cases) - shown} more, matched no more often: card.json", size=_TEXT)
    return encode_png(np.asarray(page), pixels_per_mm=_DPI / MM_PER_INCH, text=facts)


class _Pen:
    """Writes lines of text from the left margin on."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self.draw = draw

    def line(
        self, top: float, text: str, *, size: int, ink: str = _INK, heavy: bool = False, left: int = _MARGIN
    ) -> float:
        """Write a line, cut short where it is too wide; gives the top of the next one."""
        stroke = 0.6 if heavy else 0.0
        fitted = self.fitted(drawable(text), size, SIZE_PX[0] - _MARGIN - left)
        self.draw.text((left, top), fitted, fill=ink, font=_font(size), stroke_width=stroke)
        return top + _height(size)

    def fits(self, text: str, size: int) -> bool:
        """Whether a line is as wide as the page at most."""
        return self.draw.textlength(drawable(text), font=_font(size)) <= SIZE_PX[0] - 2 * _MARGIN

    def fitted(self, text: str, size: int, width: float) -> str:
        """Text that is no wider, its middle left out where it must."""
        font, cut = _font(size), text
        for keep in range(len(text), 0, -1):
            if self.draw.textlength(cut, font=font) <= width:
                return cut
            cut = f"{text[: (keep + 1) // 2].rstrip()}...{text[len(text) - keep // 2 :].lstrip()}"
        return cut

    def wrapped(self, text: str, size: int) -> list[str]:
        """Text in lines of the page's width."""
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and not self.fits(longer, size):
                lines.append(word)
            else:
                lines[-1] = longer
        return lines


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _height(size: int) -> int:
    return round(size * _LEADING)


def _share(height: float, cases: int) -> tuple[int, int]:
    """How many cases are shown, and how high the picture of the design is."""
    if not cases:
        return 0, _HIGHEST
    shown = min(cases, int((height - _LOWEST) // _CASE))
    if shown < cases:  # the line that counts the others
        shown = int((height - _LOWEST - _height(_TEXT)) // _CASE)
        height -= _height(_TEXT)
    return shown, int(min(_HIGHEST, height - shown * _CASE))


def _flat(design: Design, pattern: FlatPattern, width: int, height: int) -> Image.Image:
    """The flat design on the ground of the picture, no larger than asked for."""
    wide_mm, high_mm, *_ = picture_size(pattern, PrintingSettings(bleed_mm=0))
    dpi = int(MM_PER_INCH * min(width / wide_mm, height / high_mm))
    art = rasterise(design, pattern, PrintingSettings(dpi=min(max(dpi, 72), 1200), bleed_mm=0))
    picture = Image.new("RGB", art.coverage.shape[::-1], _GROUND)
    picture.paste(Image.fromarray(art.colour), mask=Image.fromarray(art.coverage))
    picture.thumbnail((width, height), Image.Resampling.LANCZOS)
    return picture


def _paste(page: Image.Image, picture: Image.Image, top: float, room: int) -> None:
    box = (_MARGIN, int(top), SIZE_PX[0] - _MARGIN, int(top) + room)
    page.paste(_GROUND, box)
    page.paste(picture, ((SIZE_PX[0] - picture.width) // 2, int(top) + (room - picture.height) // 2))


def _draw_case(pen: _Pen, case: Case, top: float) -> None:
    right = SIZE_PX[0] - _MARGIN
    name = pen.fitted(drawable(case.recognizer), _NAME, 0.55 * right)
    below = pen.line(top + 10, name, size=_NAME, heavy=True)
    start = _MARGIN + pen.draw.textlength(name, font=_font(_NAME)) + 16
    about = pen.fitted(drawable(case.about), _ABOUT, right - start)
    pen.draw.text((start, top + 10 + _NAME), about, fill=_FAINT, font=_font(_ABOUT), anchor="ls")
    top = pen.line(below, case.sentence, size=_TEXT)
    for number, (label, rate) in enumerate(case.bars):
        _bar(pen, label, rate, top + 4 + number * _BAR_STEP, filled=number == len(case.bars) - 1)


def _bar(pen: _Pen, label: str, rate: Rate, top: float, *, filled: bool) -> None:
    """Hollow for the plain mask and full for the design; the whisker is the interval."""
    left, right = _BARS
    draw, middle = pen.draw, top + _BAR / 2
    font = _font(_SMALL)
    draw.text(
        (_MARGIN, middle), pen.fitted(drawable(label), _SMALL, left - _MARGIN - 12), _INK, font, anchor="lm"
    )
    for share in (0.0, 0.5, 1.0):
        x = left + share * (right - left)
        draw.line([(x, top - 4), (x, top + _BAR + 4)], fill=_GRID, width=2)
    if rate is not None and rate["value"] is not None:
        end = left + rate["value"] * (right - left)
        draw.rectangle([left, top, end, top + _BAR], fill=_INK if filled else _PAPER, outline=_INK, width=3)
        if rate["low"] is not None and rate["high"] is not None:
            low, high = (left + rate[side] * (right - left) for side in ("low", "high"))
            for ink, width in ((_PAPER, 8), ("#777777", 4)):  # seen on ink and paper alike
                draw.line([(low, middle), (high, middle)], fill=ink, width=width)
                for x in (low, high):
                    draw.line([(x, middle - 7), (x, middle + 7)], fill=ink, width=width)
    draw.text((right + 16, middle), percent(rate), fill=_INK, font=font, anchor="lm")


def _nothing(pen: _Pen, top: float) -> None:
    top = pen.line(top + 20, "Not measured", size=_TITLE, heavy=True) + 8
    for paragraph in UNMEASURED:
        for text in pen.wrapped(paragraph, _HEAD):
            top = pen.line(top, text, size=_HEAD)
        top += 12


def _foot(pen: _Pen, card: Mapping[str, Any] | None) -> int:
    """Write the small print at the bottom of the page; gives the top of it."""
    lines = [line for text in small_print(card) for line in pen.wrapped(text, _SMALL)]
    top = SIZE_PX[1] - _MARGIN - len(lines) * _height(_SMALL)
    pen.draw.line([(_MARGIN, top - 12), (SIZE_PX[0] - _MARGIN, top - 12)], fill=_INK, width=2)
    for number, line in enumerate(lines):
        pen.line(top + number * _height(_SMALL), line, size=_SMALL)
    return top - 24
