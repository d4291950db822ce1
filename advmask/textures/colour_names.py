"""Colours by name or number, as plain numbers."""

import re
from collections.abc import Iterable

_OWN = {"grey": 0.5, "gray": 0.5, "white": 1.0, "black": 0.0}
_NUMBER = re.compile(r"#[0-9a-fA-F]{6}")


def colour_named(text: str) -> tuple[float, float, float] | None:
    """The sRGB colour that a text names, in [0, 1]; None where it names none.

    Args:
        text: `#rrggbb`, `grey` (exactly one half), `white`, `black`, or a colour name of CSS, in large or
            small letters.
    """
    from PIL import ImageColor  # imports all of PIL, which settings that name no colour need not wait for

    text = text.strip().lower()
    if text in _OWN:
        return (_OWN[text],) * 3
    if text not in ImageColor.colormap and not _NUMBER.fullmatch(text):
        return None
    red, green, blue = ImageColor.getrgb(text)[:3]
    return red / 255, green / 255, blue / 255


def colour_words() -> list[str]:
    """Every name that `colour_named` knows."""
    from PIL import ImageColor

    return [*_OWN, *ImageColor.colormap]


def colour_code(colour: Iterable[float]) -> str:
    """`#rrggbb` of an sRGB colour in [0, 1]."""
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)
