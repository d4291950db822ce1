"""Whether an SVG drawing is in millimetres."""

import math
import re
from xml.etree import ElementTree

from advmask.core.errors import DesignError

LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zA-Z%]*)\s*\Z")
_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6}


def check_units(root: ElementTree.Element, *, where: str) -> None:
    """Refuse a drawing whose user unit is not a millimetre.

    Where neither a length nor a viewBox speaks of millimetres, nothing can be checked and all is well.

    Args:
        root: The svg element.
        where: The file's name, for messages.

    Raises:
        DesignError: The user unit is another, or a length cannot be read.
    """
    box = root.get("viewBox")
    sides: list[float] | None = None
    if box is not None:
        try:
            sides = [float(number) for number in re.split(r"[\s,]+", box.strip())][2:]
        except ValueError:
            sides = []
        if len(sides) != 2 or not all(math.isfinite(side) and side > 0 for side in sides):
            raise DesignError(f"{where} has the viewBox {box!r}; write 'left top width height' in mm.")
    for place, name in enumerate(("width", "height")):
        given = root.get(name)
        match = LENGTH.match(given) if given is not None else None
        if match is None or match[2] == "%":
            continue
        number, unit = float(match[1]), match[2] or "px"
        if unit == "px" and (sides is None or abs(number - sides[place]) <= 0.005 * sides[place]):
            continue  # nothing is said about millimetres
        if unit not in _MM and unit != "px":
            raise DesignError(f"{where} has {name}={given!r}, which has no length in mm; write it in mm.")
        millimetres = number * _MM.get(unit, 25.4 / 96)
        unit_mm = millimetres / sides[place] if sides is not None else 25.4 / 96
        if abs(unit_mm - 1) > 0.005:
            raise DesignError(
                f"In {where} one user unit measures {unit_mm:.4g} mm ({name}={given!r}, viewBox={box!r}), "
                "and 1 mm is expected; in Inkscape set File > Document Properties > Scale to 1 mm per user "
                "unit, then bring the drawing to its true size."
            )
