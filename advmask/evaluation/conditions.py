"""What designs are judged under, besides the protocol: the same for every one of them."""

from dataclasses import dataclass

from advmask.effects.settings import EffectsSettings
from advmask.evaluation.settings import ScoringSettings
from advmask.masks.settings import MaskSettings
from advmask.printers.settings import PrinterSettings
from advmask.render.settings import RenderSettings
from advmask.wearing.placement_cache import PlacementCache, placement_cache


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """From a design to the picture of it worn.

    Attributes:
        texels_per_mm: Of the designs.
        effects: What happens between print and recognizer.
        printer: What designs and controls are printed with.
        mask: Which mask.
        render: How it is drawn.
        cache: Where placements are kept; None keeps them in memory.
    """

    texels_per_mm: float
    effects: EffectsSettings
    printer: PrinterSettings
    mask: MaskSettings
    render: RenderSettings
    cache: PlacementCache | None = None


def conditions_of(settings: ScoringSettings) -> Conditions:
    """What designs are judged under, with placements cached as the crops are."""
    return Conditions(
        texels_per_mm=settings.texels_per_mm,
        effects=settings.effects,
        printer=settings.printer,
        mask=settings.mask,
        render=settings.render,
        cache=placement_cache(settings.faces),
    )
