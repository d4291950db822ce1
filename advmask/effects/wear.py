"""How a mask sits: shift, tilt and size, drawn here and applied when a placement is made."""

from pydantic import Field
from torch import Generator

from advmask.effects.draws import symmetric
from advmask.masks import Wear
from advmask.settings import Settings


class WearSettings(Settings):
    """Ranges of how a mask sits; each is drawn uniformly in plus or minus its value.

    Attributes:
        shift_mm: Sideways and up.
        tilt_deg: Turn in the plane of the face.
        scale: Relative size.
    """

    shift_mm: float = Field(default=0.0, ge=0, le=30)
    tilt_deg: float = Field(default=0.0, ge=0, le=45)
    scale: float = Field(default=0.0, ge=0, le=0.3)


def draw_wear(settings: WearSettings, *, draws: Generator) -> Wear:
    """Draw how a mask sits on one photo."""
    shift = symmetric((2,), settings.shift_mm, draws=draws)
    tilt = symmetric((), settings.tilt_deg, draws=draws)
    scale = symmetric((), settings.scale, draws=draws)
    return Wear(shift_mm=(float(shift[0]), float(shift[1])), tilt_deg=float(tilt), scale=1.0 + float(scale))
