"""How one print differs from the next of the same printer."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from advmask.effects.draws import Draws
from advmask.printers.settings import PrinterSettings

# Where a draw shifts all inks to the high end, as `LevelDraws` does, they must still part.
_ASUNDER = ((1.0, 1.0), (-1.0, 1.0), (1.0, -1.0))
# Mean square of a linear interpolation of independent numbers, along one axis.
_INTERPOLATED = 2 / 3


@dataclass(frozen=True)
class PrintDraw:
    """One print, in numbers; all on the CPU.

    Attributes:
        dot_gain: Change of the coverage at half coverage.
        ink: (3,) relative change of the amount of cyan, magenta and yellow.
        shifts_texels: (3, 2) shift of cyan, magenta and yellow along x and y, texels.
        grain: (rows, columns) relative change of the reflectance on an even grid over the texture, or None.
        banding: Relative change of the reflectance at the middle of a band.
        banding_phase: Place of the bands, in periods.
        banding_across: Whether the bands run from left to right, not from top to bottom.
    """

    dot_gain: float
    ink: Float[Tensor, "3"]
    shifts_texels: Float[Tensor, "3 2"]
    grain: Float[Tensor, "rows columns"] | None
    banding: float
    banding_phase: float
    banding_across: bool


def draw_print(
    settings: PrinterSettings, *, texels: tuple[int, int], texels_per_mm: float, draws: Draws
) -> PrintDraw:
    """Draw one print.

    Args:
        settings: The printer; only `varies` matters.
        texels: Height and width of the texture.
        texels_per_mm: Its resolution.
        draws: Where numbers come from.
    """
    varies = settings.varies
    reach = varies.misregistration_mm * texels_per_mm
    return PrintDraw(
        dot_gain=float(draws.symmetric((1,), varies.dot_gain)),
        ink=draws.symmetric((3,), varies.ink),
        shifts_texels=draws.symmetric((3, 2), reach) * torch.tensor(_ASUNDER),
        banding=float(draws.uniform((1,), 0.0, varies.banding)),
        banding_phase=float(draws.uniform((1,), 0.0, 1.0)),
        banding_across=bool(draws.chance((1,), 0.5)),
        grain=_draw_grain(settings, texels, texels_per_mm, draws) if varies.grain > 0 else None,
    )


def print_field(
    drawn: PrintDraw, *, texels: tuple[int, int], texels_per_mm: float, banding_mm: float
) -> Float[Tensor, "H W"] | None:
    """What grain and banding leave of the reflectance of each texel, on the CPU; None if there is neither.

    Args:
        drawn: Of `draw_print`.
        texels: Height and width of the texture.
        texels_per_mm: Its resolution.
        banding_mm: Of the printer's `VariationSettings`.
    """
    field = None
    if drawn.grain is not None:
        field = drawn.grain
        if field.shape != texels:
            field = F.interpolate(field[None, None], size=texels, mode="bilinear", align_corners=False)[0, 0]
        field = (1 + field).clamp_(min=0)
    if drawn.banding > 0:
        size = texels[0 if drawn.banding_across else 1]
        place = (torch.arange(size) + 0.5) / (texels_per_mm * banding_mm)
        bands = 1 + drawn.banding * torch.sin(2 * torch.pi * (place + drawn.banding_phase))
        bands = bands[:, None] if drawn.banding_across else bands[None]
        field = bands.expand(texels) if field is None else field.mul_(bands)
    return field


def _draw_grain(
    settings: PrinterSettings, texels: tuple[int, int], texels_per_mm: float, draws: Draws
) -> Float[Tensor, "rows columns"]:
    """Grains of their own size, or of a texel if that is more, which then shows the mean of several."""
    varies = settings.varies
    size = varies.grain_mm * texels_per_mm
    strength = float(draws.uniform((1,), 0.0, varies.grain)) * min(size, 1.0)
    rows, columns = (max(1, round(count / max(size, 1.0))) for count in texels)
    if (rows, columns) != texels:  # interpolated later, which takes from their strength
        strength /= _INTERPOLATED
    return draws.normal((rows, columns)).mul_(strength)
