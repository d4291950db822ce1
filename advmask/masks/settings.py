"""Which mask."""

from typing import Literal

from advmask.core.settings import Settings

Straps = Literal["ear_loops", "head_straps", "ties", "none"]
SHIPPED = ("contour", "panelled", "pleated", "flatfold", "gaiter")
# Size of the head a mask is made for, against the reference head.
SIZES = {"S": 0.94, "M": 1.0, "L": 1.06, "child": 0.84}


class MaskSettings(Settings):
    """Which mask is designed.

    Attributes:
        pattern: contour, one piece of stretch fabric; panelled, two halves of woven cloth with a seam down
            the middle and darts under the chin; pleated, the surgical rectangle with three pleats;
            flatfold, the shape of an FFP2 or KN95 that folds flat down the middle; gaiter, a tube over
            nose, mouth and neck; or the path of an .svg outline or an .obj mesh.
        size: Of the head it is made for.
        straps: What holds it: ear_loops, head_straps (two elastic straps around the head), ties (four tapes
            tied behind it), or none; None takes what the pattern has, loops for all but the gaiter.
    """

    pattern: str = "contour"
    size: Literal["S", "M", "L", "child"] = "M"
    straps: Straps | None = None
