"""Which way up a frame is shown: the display matrix of its file, as mirrorings and quarter turns."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from advmask.core.errors import PhotoError

if TYPE_CHECKING:
    import av

_MOST_OFF_DEG = 15.0  # beyond it is no slip of the hand that a quarter turn stands for


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes the one that is shown.

    Attributes:
        swapped: Rows become columns, first of all.
        mirrored: Left and right change places, then.
        flipped: Top and bottom change places.
        off_deg: By how much the file turns the picture further; players differ in whether they do.
    """

    swapped: bool = False
    mirrored: bool = False
    flipped: bool = False
    off_deg: float = 0.0

    @property
    def as_stored(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.swapped or self.mirrored or self.flipped)

    def upright(self, stored: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "rows columns 3"]:
        """The picture as it is shown."""
        picture = stored.swapaxes(0, 1) if self.swapped else stored
        return np.ascontiguousarray(picture[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1])


def orientation(frame: "av.VideoFrame") -> Orientation:
    """The orientation that the file's display matrix comes nearest to.

    Raises:
        PhotoError: The matrix skews the picture, or turns it by far more or less than quarters.

    Source:
        ISO/IEC 14496-12, 8.2.2: x' = a x + c y, y' = b x + d y for the matrix (a, b, u, c, d, v, x, y, w).
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    numbers = np.frombuffer(bytes(data), dtype="=i4")
    a, b, _, c, d = (float(number) for number in numbers[:5])
    columns = math.hypot(a, b), math.hypot(c, d)
    if not all(columns) or len(numbers) != 9 or numbers[2] or numbers[5]:
        raise PhotoError(_refusal(a, b, c, d))
    a, b, c, d = a / columns[0], b / columns[0], c / columns[1], d / columns[1]  # sizes are the pixels' shape
    swapped = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if swapped else (a, d)
    off_deg = math.degrees(max(math.acos(min(1.0, abs(part))) for part in (across, down)))
    skew = abs(a * c + b * d)
    if off_deg > _MOST_OFF_DEG or skew > math.sin(math.radians(1)):
        raise PhotoError(_refusal(a, b, c, d))
    return Orientation(swapped, across < 0, down < 0, off_deg)


def _refusal(a: float, b: float, c: float, d: float) -> str:
    turned = -math.degrees(math.atan2(b, a)) if a or b else 0.0
    return (
        f"The file says that its pictures are to be shown turned by {turned:.0f} degrees or out of square "
        f"({a:.3g}, {b:.3g}, {c:.3g}, {d:.3g}), and only quarter turns and mirrorings are understood; let a "
        "video program turn it, then name the result."
    )
