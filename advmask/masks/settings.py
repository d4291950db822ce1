"""Which mask."""

from typing import Literal

from advmask.masks.surface import MaskSurface, lower_face_mask
from advmask.settings import Settings


class MaskSettings(Settings):
    """Which mask is designed.

    Attributes:
        pattern: Its shape.
    """

    pattern: Literal["lower_face"] = "lower_face"


def build_mask(settings: MaskSettings) -> MaskSurface:
    """Build the mask that the settings name."""
    return {"lower_face": lower_face_mask}[settings.pattern]()
