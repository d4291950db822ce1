"""How a mask sits: shift, slip, tilt, size, stretch and folds, drawn here and applied when it is placed."""

from advmask.effects.draws import Draws
from advmask.effects.settings import WearSettings
from advmask.masks.folds import Fold
from advmask.masks.placement import Wear


def draw_wear(settings: WearSettings, *, draws: Draws) -> Wear:
    """Draw how a mask sits on one photo."""
    shift = draws.symmetric((2,), settings.shift_mm)
    tilt = draws.symmetric((), settings.tilt_deg)
    scale = draws.symmetric((), settings.scale)
    slip = draws.uniform((), 0.0, settings.slip_mm)
    stretch = draws.symmetric((), settings.stretch)
    count = int(draws.integers((), settings.folds)) if settings.fold_mm > 0 else 0
    return Wear(
        shift_mm=(float(shift[0]), float(shift[1])),
        tilt_deg=float(tilt),
        scale=1.0 + float(scale),
        folds=tuple(_draw_fold(settings.fold_mm, draws=draws) for _ in range(count)),
        slip_mm=float(slip),
        stretch=float(stretch),
    )


def _draw_fold(height_mm: float, *, draws: Draws) -> Fold:
    """A fold from one of the four corners, where the loops pull, towards the middle."""
    left, lower, start, reach, sink, width, up = draws.even((7,)).tolist()
    height = float(draws.uniform((), 0.0, height_mm))
    return Fold(
        left=left < 0.5,
        start=1 - 0.2 * start if lower < 0.5 else 0.2 * start,
        end=(0.35 + 0.5 * reach, 0.3 + 0.5 * sink),
        height_mm=height if up < 0.5 else -height,
        width_mm=2.5 + 3.5 * width,
    )
