"""The surfaces that ship with the package, and the sizes of heads."""

from functools import cache
from pathlib import Path

from advmask.masks.pattern_files import load_surface
from advmask.masks.surface import MaskSurface

SHIPPED = ("contour", "panelled", "pleated")
# Size of the head a mask is made for, against the reference head.
SIZES = {"S": 0.94, "M": 1.0, "L": 1.06, "child": 0.84}


@cache
def shipped_surface(name: str) -> MaskSurface:
    """A surface that ships: contour, panelled, pleated, or the cloth that outlines of users are cut from."""
    return load_surface(Path(__file__).parent / "data" / f"{name}.npz")
