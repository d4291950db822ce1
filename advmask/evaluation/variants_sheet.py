"""`variants.png`: designs side by side, flat and worn, each with how often it is still matched."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from advmask.core.shown_names import drawable
from advmask.evaluation.comparing import SideBySide
from advmask.evaluation.report.names import people_words
from advmask.evaluation.results import PLAIN_MASKS

_COLUMN, _GAP, _MARGIN = 340, 24, 28
_FLAT, _WORN = 230, 400  # heights
_NAME, _TEXT, _SMALL, _ROW = 28, 21, 18, 58
_INK, _FAINT, _GROUND = "#111111", "#555555", "#e4e4e4"
_ACROSS = 4  # in a row


@dataclass(frozen=True)
class Variant:
    """A design as it is shown.

    Attributes:
        name: As it is called in `SideBySide.designs`.
        flat: The design.
        worn: On a face; None where nobody is to be shown.
    """

    name: str
    flat: Image.Image
    worn: Image.Image | None


def figures_of(name: str, compared: Sequence[SideBySide]) -> list[tuple[str, float, float | None]]:
    """For each recognizer the shares still matched with a design and with the plain mask that hides best.

    Of several ways of aligning and enrolling, that in which the design is matched most is taken.

    Args:
        name: Of the design.
        compared: All designs, plain masks among them.
    """
    worst: dict[str, tuple[float, float | None]] = {}
    for one in compared:
        if not one.probes:
            continue
        plain = [rates.tar.value for mask, rates in one.designs.items() if mask in PLAIN_MASKS]
        found = one.designs[name].tar.value, min(plain, default=None)
        if one.recognizer not in worst or found[0] > worst[one.recognizer][0]:
            worst[one.recognizer] = found
    return [(recognizer, *rates) for recognizer, rates in worst.items()]


def variants_sheet(variants: Sequence[Variant], compared: Sequence[SideBySide]) -> Image.Image:
    """Draw the sheet; the bar of each design is full, the plain mask's mark stands across it.

    Args:
        variants: In the order of the sheet.
        compared: Their figures.
    """
    recognizers = max(len(figures_of(one.name, compared)) for one in variants)
    worn = _WORN if any(one.worn for one in variants) else 0
    height = 44 + _FLAT + (worn + 12 if worn else 0) + recognizers * _ROW + 24
    across = min(_ACROSS, len(variants))
    rows = -(-len(variants) // across)
    width = max(2 * _MARGIN + across * (_COLUMN + _GAP) - _GAP, 760)
    page = Image.new("RGB", (width, 2 * _MARGIN + rows * height + 60), "white")
    pen = ImageDraw.Draw(page)
    for number, one in enumerate(variants):
        row, column = divmod(number, across)
        left, top = _MARGIN + column * (_COLUMN + _GAP), _MARGIN + row * height
        pen.text((left, top), _fitted(one.name, _NAME), _INK, ImageFont.load_default(_NAME))
        top += 44
        _paste(page, one.flat, left, top, _FLAT)
        top += _FLAT + 12
        if worn:
            if one.worn is not None:
                _paste(page, one.worn, left, top, worn)
            top += worn + 12
        for recognizer, design, plain in figures_of(one.name, compared):
            _figure(pen, left, top, recognizer, design, plain)
            top += _ROW
    people = max((each.people for each in compared), default=0)
    said = (
        f"Still matched, of 100 pictures, where that was most often; {people_words(people)}. "
        "The line: the plain mask that hides best.",
        "Drawn and measured by a computer, not with printed masks; no promise.",
    )
    for number, line in enumerate(said):
        place = (_MARGIN, page.height - _MARGIN - 44 + 24 * number)
        pen.text(place, line, _FAINT, ImageFont.load_default(_SMALL))
    return page


def _figure(
    pen: ImageDraw.ImageDraw, left: int, top: int, recognizer: str, design: float, plain: float | None
) -> None:
    beside = "" if plain is None else f", plain {100 * plain:.0f}"
    said = f"{_fitted(recognizer, _TEXT, _COLUMN - 150)}: {100 * design:.0f}{beside}"
    pen.text((left, top), said, _INK, ImageFont.load_default(_TEXT))
    pen.rectangle((left, top + 30, left + _COLUMN, top + 44), "#ffffff", "#bbbbbb", 2)
    pen.rectangle((left, top + 30, left + round(design * _COLUMN), top + 44), _INK)
    if plain is not None:
        x = left + round(plain * _COLUMN)
        pen.rectangle((x - 4, top + 25, x + 4, top + 49), "#ffffff")
        pen.rectangle((x - 2, top + 25, x + 2, top + 49), "#b84a00")


def _paste(page: Image.Image, picture: Image.Image, left: int, top: int, height: int) -> None:
    shown = picture.copy()
    scale = min(_COLUMN / shown.width, height / shown.height)
    size = max(1, round(shown.width * scale)), max(1, round(shown.height * scale))
    shown = shown.resize(size, Image.Resampling.LANCZOS)
    page.paste(_GROUND, (left, top, left + _COLUMN, top + height))
    page.paste(shown, (left + (_COLUMN - shown.width) // 2, top + (height - shown.height) // 2))


def _fitted(text: str, size: int, width: int = _COLUMN) -> str:
    text = drawable(text)
    whole, font = len(text), ImageFont.load_default(size)
    while font.getlength(text) > width:
        whole -= 1
        text = f"{text[:whole].rstrip()}..."
    return text
