"""`card.png` and `card.svg`: three bars and one sentence, a square to stand beside a mask or in a post."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from advmask.core.shown_names import drawable
from advmask.evaluation.report.names import people_words, strangers
from advmask.evaluation.visitor_words import VisitorFigures, pictures_of, visitor_figures, visitor_sentence
from advmask.textures.png_bytes import encode_png

SIDE_PX = 1080
_MARGIN, _TOP = 64, 214
_TITLE, _HEAD, _TEXT, _NUMBER, _SMALL = 50, 34, 32, 44, 23
_LARGEST = 42  # of the sentence, where there is room
_LEADING = 1.32
_LABEL = 27
_INK, _FAINT, _GRID, _PAPER = "#111111", "#555555", "#c4c4c4", "#ffffff"
_FILLS = ("#ffffff", "#b4b4b4", "#111111")  # no mask, plain mask, design: told apart in grey as well
_BARS = (300, 800)  # from left to right: none to all of the pictures
_BAR, _STEP = 62, 104
_WEIGHTS = {True: "bold", False: "normal"}
_PIXELS_PER_MM = 200 / 25.4  # 137 mm on paper

Anchor = Literal["start", "middle", "end"]


@dataclass
class Drawing:
    """Shapes on a square: written as SVG, or drawn as pixels.

    Attributes:
        boxes: (left, top, right, bottom), fill and outline; later ones lie above.
        words: (x, baseline), text, size in px, ink, anchor, and whether it is heavy.
    """

    boxes: list[tuple[tuple[float, float, float, float], str, str]] = field(default_factory=list)
    words: list[tuple[tuple[float, float], str, int, str, Anchor, bool]] = field(default_factory=list)

    def line(
        self,
        x: float,
        baseline: float,
        text: str,
        size: int,
        *,
        ink: str = _INK,
        anchor: Anchor = "start",
        heavy: bool = False,
    ) -> None:
        """Write a line."""
        self.words.append(((x, baseline), drawable(text), size, ink, anchor, heavy))

    def paragraph(self, top: float, text: str, size: int, *, ink: str = _INK) -> float:
        """Write text from margin to margin; gives the top of what comes next."""
        for line in wrapped(text, size, SIDE_PX - 2 * _MARGIN):
            self.line(_MARGIN, top + size, line, size, ink=ink)
            top += round(size * _LEADING)
        return top


def visitor_drawing(record: Mapping[str, Any]) -> Drawing:
    """The card of an evaluation, as shapes.

    Args:
        record: Of `results.json`.
    """
    drawing, found = Drawing(), visitor_figures(record)
    name = str((record.get("design") or {}).get("name") or "A mask design")
    drawing.line(_MARGIN, 104, _cut(name, _TITLE), _TITLE, heavy=True)
    if found is None:
        drawing.paragraph(200, visitor_sentence(record), _TEXT)
        return drawing
    sizes = range(_LARGEST, _TEXT - 1, -1)
    fits = (size for size in sizes if _lay(Drawing(), record, found, size, 0) <= SIDE_PX - _MARGIN)
    size = next(fits, _TEXT)
    _lay(drawing, record, found, size, max(0, SIDE_PX - _MARGIN - _lay(Drawing(), record, found, size, 0)))
    return drawing


def _lay(
    drawing: Drawing, record: Mapping[str, Any], found: VisitorFigures, size: int, spare: float
) -> float:
    """All below the title.

    Args:
        drawing: Drawn on.
        record: Of `results.json`.
        found: Its figures.
        size: Of the sentence, px.
        spare: Height that is shared out among the gaps.

    Returns:
        Where it ends.
    """
    of, bars = pictures_of(found), len(found.bars)
    step = _STEP + spare / 2 / bars
    drawing.line(_MARGIN, 164, f"Still matched by face recognition, of {of} pictures", _HEAD, ink=_FAINT)
    foot = _axis(drawing, _TOP, step, bars, of)
    for number, (label, estimate) in enumerate(found.bars):
        fill = _FILLS[-1] if number == bars - 1 else _FILLS[number]
        _bar(drawing, _TOP + number * step, label, estimate, of=of, fill=fill)
    top = drawing.paragraph(foot + 52 + spare / 4, visitor_sentence(record), size) + 10 + spare / 4
    for line in _small_print(record, found):
        top = drawing.paragraph(top + 8, line, _SMALL, ink=_FAINT)
    return top


def card_png(record: Mapping[str, Any]) -> bytes:
    """The card as a PNG of `SIDE_PX` squared; the same bytes for the same record."""
    drawing = visitor_drawing(record)
    page = Image.new("RGB", (SIDE_PX, SIDE_PX), _PAPER)
    draw = ImageDraw.Draw(page)
    for box, fill, outline in drawing.boxes:
        draw.rectangle(box, fill=fill, outline=outline, width=3)
    signs = {"start": "ls", "middle": "ms", "end": "rs"}
    for place, text, size, ink, anchor, heavy in drawing.words:
        stroke = 0.8 if heavy else 0.0
        draw.text(place, text, ink, _font(size), anchor=signs[anchor], stroke_width=stroke)
    about = {"Description": visitor_sentence(record)}
    return encode_png(np.asarray(page), pixels_per_mm=_PIXELS_PER_MM, text=about)


def card_svg(record: Mapping[str, Any]) -> str:
    """The card as SVG, for print at any size."""
    drawing, sentence = visitor_drawing(record), escape(visitor_sentence(record))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE_PX} {SIDE_PX}" role="img" '
        f'font-family="Aileron, Helvetica, Arial, sans-serif"><title>{sentence}</title>',
        f'<rect width="{SIDE_PX}" height="{SIDE_PX}" fill="{_PAPER}"/>',
    ]
    lines += [
        f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}" fill="{fill}" '
        f'stroke="{outline}" stroke-width="3"/>'
        for (x0, y0, x1, y1), fill, outline in drawing.boxes
    ]
    lines += [
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{_WEIGHTS[heavy]}" '
        f'fill="{ink}" text-anchor="{anchor}">{escape(text)}</text>'
        for (x, y), text, size, ink, anchor, heavy in drawing.words
    ]
    return "\n".join([*lines, "</svg>\n"])


def wrapped(text: str, size: int, width: float) -> list[str]:
    """Text in lines no wider than that, but for words that are wider themselves."""
    lines = [""]
    for word in drawable(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _axis(drawing: Drawing, top: float, step: float, bars: int, of: int) -> float:
    """The scale from none to all of the pictures; gives where it ends."""
    left, right = _BARS
    foot = top + bars * step - (step - _STEP)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + share * (right - left)
        drawing.boxes.append(((x - 1, top - 8, x + 1, foot - 8), _GRID, _GRID))
        drawing.line(x, foot + 18, f"{share * of:g}", _SMALL, ink=_FAINT, anchor="middle")
    return foot


def _bar(
    drawing: Drawing, top: float, label: str, estimate: Mapping[str, Any], *, of: int, fill: str
) -> None:
    left, right = _BARS

    def x(share: float) -> float:
        return left + share * (right - left)

    middle = top + _BAR / 2
    drawing.line(_MARGIN, middle + 9, label, _LABEL)
    drawing.boxes.append(((left, top, max(x(estimate["value"]), left + 3), top + _BAR), fill, _INK))
    spread = estimate["low"] is not None and estimate["high"] is not None
    number = f"{estimate['value'] * of:.0f}"
    drawing.line(right + 24, middle + (4 if spread else 15), number, _NUMBER, heavy=True)
    if not spread:
        return
    low, high = x(estimate["low"]), x(estimate["high"])
    for thick, ink in ((6, _PAPER), (2, "#777777")):  # seen on black and on white
        drawing.boxes.append(((low, middle - thick, high, middle + thick), ink, ink))
        for end in (low, high):
            drawing.boxes.append(((end - thick, middle - 14, end + thick, middle + 14), ink, ink))
    span = f"{estimate['low'] * of:.0f} to {estimate['high'] * of:.0f}"
    drawing.line(right + 24, middle + 30, span, _SMALL, ink=_FAINT)


def _small_print(record: Mapping[str, Any], found: VisitorFigures) -> Sequence[str]:
    """Which recognizer, whom, when, and how it may be worse."""
    one, of = found.result, pictures_of(found)
    held_out = (record.get("people") or {}).get("held_out")
    whom: dict[bool | None, str] = {
        True: ", none of whom it was made with",
        False: ", some or all of whom it was made with",
    }
    when = f" ({record['date']})" if record.get("date") else ""
    lines = [
        f"Shown: {one['recognizer']}, set so that about {strangers(one['fmr'])} would match by mistake. "
        f"Tested on {people_words(found.people)}{whom.get(held_out, '')}{when}."
    ]
    if any(estimate["low"] is not None for _, estimate in found.bars):
        lines[0] += " Lines on bars: ranges in which the true numbers lie in 95 of 100 such tests."
    if round(found.hardest * of) > round(found.bars[-1][1]["value"] * of):
        lines.append(f"In the hardest set-up tested, {found.hardest * of:.0f} of {of} with this design.")
    return lines


def _cut(text: str, size: int) -> str:
    """As much of it as fits into a line."""
    text, whole = drawable(text), len(text)
    while _width(text, size) > SIDE_PX - 2 * _MARGIN:
        whole -= 1
        text = f"{text[:whole].rstrip()}..."
    return text


def _width(text: str, size: int) -> float:
    return _font(size).getlength(text)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
