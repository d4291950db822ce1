"""What the cloth itself does to the print: white, gloss, what shines through, threads and wrinkles."""

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.effects.draws import Draws
from advmask.effects.settings import FabricSettings
from advmask.render.renderer import Tone

# Linear sRGB reflectance of skin of medium depth: what shines through thin cloth.
_SKIN = (0.40, 0.23, 0.16)

_COARSEST, _FINEST = 0.25, 0.5  # cycles per texel between which a weave fades out
_PER_WRINKLE = 4  # nodes of the wrinkles' grid per `wrinkle_mm`
_STEEPEST = 3.2  # standard deviations: the strongest wrinkles leave some light everywhere
_SHARPNESS = 0.35  # how sharp a crease is against the soft cloth between creases: smaller is sharper


def draw_fabric(settings: FabricSettings, *, batch: int, draws: Draws) -> Tone:
    """Draw what black and white texels become on each photo.

    A texel of reflectance r becomes light * ((1 - t) * (s + (1 - s) * cloth * r) + t * skin), with s the
    sheen and t the translucency: colours are pressed together and never cut, so that saturated texels keep
    their gradient.
    """
    white = 1 - draws.uniform((batch, 1), 0.0, settings.white)
    base = 1 + draws.symmetric((batch, 3), settings.base)
    sheen = draws.uniform((batch, 1), 0.0, settings.sheen)
    through = draws.uniform((batch, 1), 0.0, settings.translucency)
    light = 1 + draws.symmetric((batch, 1), settings.shade)
    tint = 1 + draws.symmetric((batch, 3), settings.tint)
    veil = (1 - through) * sheen + through * torch.tensor(_SKIN)
    body = (1 - through) * (1 - sheen) * white * base
    return Tone(black=light * tint * veil, white=light * tint * (veil + body))


def fabric_field(
    settings: FabricSettings, *, texels: tuple[int, int], texels_per_mm: float, draws: Draws
) -> Float[Tensor, "height width"] | None:
    """Draw the relative reflectance of each texel of a print, about 1 in the mean; None where nothing varies.

    Args:
        settings: Ranges.
        texels: Height and width of the print.
        texels_per_mm: Of the print.
        draws: Of this print.
    """
    field: Tensor | None = None
    if settings.wrinkles > 0:
        drawn = draws.uniform((), 0.0, settings.wrinkles)
        field = _wrinkles(texels, settings.wrinkle_mm * texels_per_mm, draws=draws).mul_(drawn).add_(1)
    if settings.weave > 0:
        drawn = draws.uniform((), 0.0, settings.weave)
        down, across = _weave(texels, settings.weave_mm * texels_per_mm, draws=draws)
        rows, columns = (1 + drawn * down)[:, None], 1 + drawn * across
        field = rows * columns if field is None else field.mul_(rows).mul_(columns)
    return field


def _weave(texels: tuple[int, int], period: float, *, draws: Draws) -> tuple[Tensor, Tensor]:
    """Rows and columns of threads: profiles (H,) and (W,) of mean zero that sum to a contrast of one.

    Columns (the ribs of a knit, the warp of a weave) are two thirds of it. What is finer than two texels is
    left out, and what comes near fades, so that nothing turns into coarser stripes.
    """
    height, width = texels
    starts, sway = draws.even((2,)), draws.normal((2, 6))
    profiles = []
    for axis, (length, share) in enumerate(((height, 1 / 3), (width, 2 / 3))):
        place = torch.arange(length) + 0.5
        # Cloth is never quite straight: threads lie up to about half a thread away from where they should.
        wave = 2 * math.pi * place[:, None] / (period * torch.tensor([40.0, 70.0, 110.0]))
        turns = (torch.cos(wave) @ sway[axis, :3] + torch.sin(wave) @ sway[axis, 3:]) * 0.1
        phase = 2 * math.pi * (place / period + starts[axis] + turns)
        profile = torch.zeros(length)
        for harmonic, strength in ((1, 0.8), (2, 0.2)):
            passed = _passed(harmonic / period)
            if passed > 0:
                profile = profile + strength * passed * torch.cos(harmonic * phase)
        profiles.append(share * (profile - profile.mean()))
    return profiles[0], profiles[1]


def _passed(frequency: float) -> float:
    """Share of a wave of this many cycles per texel that texels hold: a texel's mean, faded to nothing."""
    if frequency >= _FINEST:
        return 0.0
    mean = math.sin(math.pi * frequency) / (math.pi * frequency)
    fade = min(1.0, (_FINEST - frequency) / (_FINEST - _COARSEST))
    return mean * 0.5 * (1 - math.cos(math.pi * fade))


def _wrinkles(texels: tuple[int, int], spacing: float, *, draws: Draws) -> Tensor:
    """Shading (H, W) of creases `spacing` texels apart, of mean zero and standard deviation one, bounded.

    Noise is filtered to waves of that length, most of them across one direction; its zero lines are the
    creases of the cloth, and what is seen is the slope towards a light from above. Made on a coarse grid that
    depends on the size in millimetres only, so that prints of any resolution have the same wrinkles.
    """
    step = spacing / _PER_WRINKLE
    rows, columns = (max(4, math.ceil(length / step) + 1) for length in texels)
    angle = math.pi * (draws.even(()) - 0.5)
    fy = torch.fft.fftfreq(rows)[:, None] * _PER_WRINKLE
    fx = torch.fft.rfftfreq(columns) * _PER_WRINKLE
    # Creases half a wave apart: the noise has waves of twice the spacing.
    radius = torch.hypot(fy, fx).clamp(min=1e-6)
    ring = torch.exp(-0.5 * ((radius - 0.5) / 0.25) ** 2)
    along = torch.cos(2 * (torch.atan2(fy, fx) - angle - math.pi / 2))
    # Wrinkles come in patches several wrinkles wide, with smooth cloth between them.
    filters = torch.stack([ring * torch.exp(along), torch.exp(-0.5 * (radius / 0.12) ** 2)])
    waves = torch.fft.rfft2(draws.normal((2, rows, columns)))
    noise, patches = torch.fft.irfft2(waves * filters, s=(rows, columns))
    noise, patches = (one / one.std().clamp(min=1e-9) for one in (noise, patches - patches.mean()))
    crease = -torch.sqrt(noise**2 + _SHARPNESS**2)
    slope = crease - crease.roll(1, dims=0) + 0.4 * (crease - crease.roll(1, dims=1))
    slope = torch.tanh(0.7 * slope / slope.std().clamp(min=1e-9)) * torch.sigmoid(1.5 * patches)
    # What the spline will leave of it is brought to the mean and the deviation promised.
    held = slope
    for axis in (0, 1):
        held = held * (2 / 3) + (held.roll(1, axis) + held.roll(-1, axis)) / 6
    slope = ((slope - slope.mean()) / held.std().clamp(min=1e-9)).clamp(-_STEEPEST, _STEEPEST)
    down, across = _spline(texels[0], rows, step), _spline(texels[1], columns, step)
    return down @ slope @ across.T


@lru_cache(maxsize=16)
def _spline(length: int, nodes: int, step: float) -> Tensor:
    """(length, nodes) cubic B-splines at the texels, of nodes `step` texels apart that begin at the edge."""
    away = ((torch.arange(length) + 0.5)[:, None] / step - torch.arange(nodes)).abs()
    near, far = (4 - 6 * away**2 + 3 * away**3) / 6, (2 - away).clamp(min=0) ** 3 / 6
    weights = torch.where(away < 1, near, far)
    return weights / weights.sum(dim=1, keepdim=True)
