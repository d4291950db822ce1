"""The settings that every command shares which scores designs."""

from advmask.core.settings import Settings
from advmask.effects.settings import EffectsSettings
from advmask.evaluation.conditions import Conditions
from advmask.evaluation.settings import ProtocolSettings
from advmask.masks.settings import MaskSettings
from advmask.photos.settings import FacesSettings
from advmask.printers.settings import PrinterSettings
from advmask.render.settings import RenderSettings
from advmask.wearing.placement_cache import placement_cache


class ScoringSettings(Settings):
    """Everything that scores depend on, besides the designs."""

    texels_per_mm: float
    recognizers: list[str]
    faces: FacesSettings
    mask: MaskSettings
    render: RenderSettings
    effects: EffectsSettings
    printer: PrinterSettings
    protocol: ProtocolSettings

    def conditions(self) -> Conditions:
        """What designs are judged under, with placements kept beside the photos."""
        return Conditions(
            texels_per_mm=self.texels_per_mm,
            effects=self.effects,
            printer=self.printer,
            mask=self.mask,
            render=self.render,
            cache=placement_cache(self.faces),
        )
