"""Which mask."""

from typing import Literal

from advmask.core.settings import Settings

SHIPPED = ("contour", "panelled", "pleated")
# Size of the head a mask is made for, against the reference head.
SIZES = {"S": 0.94, "M": 1.0, "L": 1.06, "child": 0.84}


class MaskSettings(Settings):
    """Which mask is designed.

    Attributes:
        pattern: contour, one piece of stretch fabric; panelled, two halves of woven cloth with a seam down
            the middle and darts under the chin; pleated, the surgical rectangle with three pleats; or the
            path of an .svg outline or an .obj mesh.
        size: Of the head it is made for.
    """

    pattern: str = "contour"
    size: Literal["S", "M", "L", "child"] = "M"
