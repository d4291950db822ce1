"""From a texture to what recognizers see: printed, worn, lit and photographed, the same in every room."""

from collections.abc import Callable, Sequence
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from advmask.effects.camera.photograph import photograph
from advmask.effects.draws import Draws, draws
from advmask.effects.fabric import draw_fabric, fabric_field
from advmask.effects.light import draw_light, relight
from advmask.effects.own_effects import OWN, Effect, applied, check_effects
from advmask.effects.settings import EffectsSettings
from advmask.printers.draw import draw_print
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings
from advmask.render.batching import PackedBatch
from advmask.render.renderer import MaskRenderer

DrawsOf = Callable[[int, str], Draws]


def seeded(seed: int, stream: str) -> DrawsOf:
    """Draws of each step and purpose, as a function of the seed, the step, the stream and the purpose."""
    return partial(_seeded, seed, stream)


def _seeded(seed: int, stream: str, step: int, purpose: str) -> Draws:
    return draws(seed, step, f"{stream} {purpose}")


class Scene(nn.Module):
    """Everything between a design and a recognizer, drawn for each step.

    One print is drawn for a step and worn by all of its photos; fabric, light and camera are drawn for each
    photo. How the mask sits is part of the placements.

    Args:
        effects: Their ranges.
        printer: What the design is printed with.
        texels_per_mm: Of the textures.
        draws: Of a step and a purpose; see `seeded`. Evaluation draws from another stream than training. It
            may be exchanged between steps.
        own_effects: Effects of the user's own, applied in order after the camera.

    Raises:
        ConfigError: One of the user's own is not an effect.
    """

    def __init__(
        self,
        effects: EffectsSettings,
        printer: PrinterSettings,
        *,
        texels_per_mm: float,
        draws: DrawsOf,
        own_effects: Sequence[Effect] = (),
    ) -> None:
        super().__init__()
        check_effects(own_effects)
        self._own_effects = tuple(own_effects)
        self.renderer = MaskRenderer()
        self.printer = Printer(printer, texels_per_mm=texels_per_mm)
        self._effects = effects.active()
        self._printer = printer
        self._texels_per_mm = texels_per_mm
        self.draws = draws

    def forward(
        self,
        texels: Float[Tensor, "3 height width"] | None,
        bare: Float[Tensor, "batch 3 rows columns"],
        packed: PackedBatch,
        *,
        step: int,
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Pictures of one step, sRGB in [0, 1]; differentiable in the texels.

        Args:
            texels: The design, sRGB in [0, 1]; None leaves the faces bare.
            bare: Photos, sRGB in [0, 1].
            packed: How the mask lies on each of them.
            step: Number of the step. The same number gives the same draws, whatever the design.
        """
        return self.photographed(
            bare if texels is None else self.worn(texels, bare, packed, step=step), step=step
        )

    def worn(
        self,
        texels: Float[Tensor, "3 height width"],
        bare: Float[Tensor, "batch 3 rows columns"],
        packed: PackedBatch,
        *,
        step: int,
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Photos with the printed design on them, in the light of the photo."""
        cloth = self.printed(texels, step=step)
        tone = draw_fabric(self._effects.fabric, batch=len(bare), draws=self.draws(step, "fabric"))
        worn: Tensor = self.renderer(cloth, bare, packed, tone.to(bare.device), linear=True)
        return worn

    def printed(
        self, texels: Float[Tensor, "3 height width"], *, step: int
    ) -> Float[Tensor, "3 height width"]:
        """The print of a step on its fabric, in linear light relative to a perfect white."""
        height, width = texels.shape[-2:]
        print_drawn = draw_print(
            self._printer,
            texels=(height, width),
            texels_per_mm=self._texels_per_mm,
            draws=self.draws(step, "print"),
        )
        weave = fabric_field(
            self._effects.fabric,
            texels=(height, width),
            texels_per_mm=self._texels_per_mm,
            draws=self.draws(step, "weave"),
        )
        cloth: Tensor = self.printer(texels, print_drawn, weave)
        return cloth

    def photographed(
        self, pictures: Float[Tensor, "batch 3 rows columns"], *, step: int
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Pictures in the drawn light, through the drawn camera and the user's own effects."""
        size = (pictures.shape[-2], pictures.shape[-1])
        light = draw_light(
            self._effects.light, batch=len(pictures), size=size, draws=self.draws(step, "light")
        )
        seen = photograph(relight(pictures, light), self._effects.camera, draws=self.draws(step, "camera"))
        for number, effect in enumerate(self._own_effects):
            record = self.draws(step, f"{OWN} {number}").record(effect.draw, len(seen))
            seen = applied(effect, seen, record)
        return seen
