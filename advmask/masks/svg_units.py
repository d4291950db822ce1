"""Whether an SVG drawing is in millimetres."""

from collections.abc import Mapping

from advmask.core.errors import DesignError
from advmask.masks.svg_grammar import LENGTH
from advmask.masks.svg_viewports import box_of

_PIXELS_PER_INCH = (72, 96, 300)  # Illustrator, CSS and Inkscape, Affinity
_WIDTHS_MM, _HEIGHTS_MM = (100.0, 270.0), (60.0, 220.0)  # of masks, panels side by side included
_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6}


def check_units(root: Mapping[str, str], *, where: str) -> None:
    """Refuse a drawing whose user unit is not a millimetre.

    Where neither a length nor a viewBox speaks of millimetres, nothing can be checked and all is well.

    Args:
        root: Attributes of the svg element.
        where: The file's name, for messages.

    Raises:
        DesignError: The user unit is another, or a length cannot be read.
    """
    box = root.get("viewBox")
    sides: tuple[float, ...] | None = None
    if box is not None:
        try:
            sides = box_of(box)[2:]
        except ValueError as error:
            raise DesignError(f"{where} has the viewBox {box!r}; {error}.") from error
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


def pixel_hint(root: Mapping[str, str], width: float, height: float) -> str | None:
    """What to say of outlines too large for a mask that may have been drawn in pixels.

    Args:
        root: Attributes of the svg element, whose units were checked.
        width: Of all outlines, in user units.
        height: Of all outlines.

    Returns:
        A sentence; None where the file speaks of millimetres, or the outlines are no mask in pixels either.
    """
    lengths = [LENGTH.match(root.get(name, "")) for name in ("width", "height")]
    if any(match is not None and match[2] in _MM for match in lengths):
        return None
    sizes = [(dpi, 25.4 / dpi) for dpi in _PIXELS_PER_INCH]
    likely = [
        (dpi, mm) for dpi, mm in sizes if _fits(width * mm, _WIDTHS_MM) and _fits(height * mm, _HEIGHTS_MM)
    ]
    if not likely:
        return None
    told = ", or ".join(
        f"{dpi} px to the inch, which makes {width * mm:.0f} x {height * mm:.0f} mm (then scale it to "
        f"{100 * mm:.2f} %)"
        for dpi, mm in likely
    )
    return (
        f"Nothing in the file speaks of mm, and the outline measures {width:.0f} x {height:.0f} user units: "
        f"it looks drawn in px, at {told}. One user unit is to be one mm: scale the drawing, move it so that "
        "(0, 0) is the top of the nose line, and write width and height in the first line in mm, with the "
        "numbers of its viewBox."
    )


def _fits(length: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= length <= bounds[1]
