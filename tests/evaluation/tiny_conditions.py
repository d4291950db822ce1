"""What a quick evaluation is judged under: a coarse texture, and no effects."""

from advmask.effects.settings import EffectsSettings
from advmask.evaluation.conditions import Conditions
from advmask.masks.settings import MaskSettings
from advmask.printers.settings import PrinterSettings
from advmask.render.settings import RenderSettings

TINY_CONDITIONS = Conditions(
    texels_per_mm=1.0,
    effects=EffectsSettings(),
    printer=PrinterSettings(),
    mask=MaskSettings(),
    render=RenderSettings(),
)
