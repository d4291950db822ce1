"""How a viewBox fills the frame of an inner svg or a symbol."""

import numpy as np

from advmask.masks.svg_grammar import numbers
from advmask.masks.svg_transforms import Matrix, scaled, shifted

_SHARES = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}


def box_of(text: str) -> tuple[float, float, float, float]:
    """Left, top, width and height of a viewBox.

    Raises:
        ValueError: It is not four numbers of which the last two are above zero.
    """
    found = numbers(text)
    if len(found) != 4 or not np.isfinite(found).all() or min(found[2:]) <= 0:
        raise ValueError("write 'left top width height' in mm")
    return found[0], found[1], found[2], found[3]


def filled(box: tuple[float, float, float, float], width: float, height: float, how: str) -> Matrix:
    """The matrix that lays a viewBox into a frame at (0, 0).

    Args:
        box: Of the viewBox.
        width: Of the frame.
        height: Of the frame.
        how: The preserveAspectRatio attribute; empty for its default.

    Raises:
        ValueError: The attribute cannot be read.

    Source:
        SVG 2, section 8.2, "Computing the equivalent transform of an SVG viewport".
    """
    left, top, inner_width, inner_height = box
    x, y = width / inner_width, height / inner_height
    words = [word for word in how.split() if word != "defer"] or ["xMidYMid"]
    align = words[0]
    rule = words[1] if len(words) > 1 else "meet"
    if align == "none" and len(words) <= 2:
        return np.asarray(scaled(x, y) @ shifted(-left, -top))
    shares = [_SHARES.get(align[1:4]), _SHARES.get(align[5:8])]
    if (align[:1], align[4:5], len(align)) != ("x", "Y", 8) or None in shares or len(words) > 2:
        raise ValueError(f"preserveAspectRatio={how!r} is not understood")
    if rule not in {"meet", "slice"}:
        raise ValueError(f"preserveAspectRatio={how!r} is not understood")
    size = min(x, y) if rule == "meet" else max(x, y)
    across, down = (share or 0.0 for share in shares)
    return np.asarray(
        shifted((width - size * inner_width) * across, (height - size * inner_height) * down)
        @ scaled(size, size)
        @ shifted(-left, -top)
    )
