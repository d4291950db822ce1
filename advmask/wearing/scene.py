"""From a texture to what recognizers see: printed, worn, lit and photographed, the same in every room."""

from collections.abc import Sequence
from copy import deepcopy

from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.precision import full_precision
from advmask.effects.camera.photograph import photograph
from advmask.effects.holes import cut_holes
from advmask.effects.light import relight
from advmask.effects.own_effects import Effect, applied, check_effects
from advmask.effects.settings import EffectsSettings, HolesSettings
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings
from advmask.render.batching import PackedBatch
from advmask.render.renderer import MaskRenderer
from advmask.wearing.scene_draw import DrawsOf, SceneDraw, SceneDrawer


class Scene(nn.Module):
    """Everything between a design and a recognizer: a pure function of these and of what was drawn.

    One print is drawn for a step and worn by all of its photos; fabric, light and camera are drawn for each
    photo. How the mask sits is part of the placements.

    Args:
        effects: Their ranges.
        printer: What the design is printed with.
        texels_per_mm: Of the textures.
        draws: Of a step and a purpose; see `seeded`. Evaluation draws from another stream than training.
        own_effects: Effects of the user's own, applied in order after the camera.
        holes: Cut into the texture; of training alone.

    Attributes:
        drawer: Draws for it, in this process or another.

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
        holes: HolesSettings | None = None,
    ) -> None:
        super().__init__()
        check_effects(own_effects)
        self.renderer = MaskRenderer()
        self.printer = Printer(printer, texels_per_mm=texels_per_mm)
        # With a printer of its own, which stays on the CPU.
        self.drawer = SceneDrawer(
            effects.active(),
            deepcopy(self.printer),
            draws,
            tuple(own_effects),
            holes,
        )

    def draw(self, step: int, photos: range, size: tuple[int, int], *, texels: Tensor | None) -> SceneDraw:
        """Draw for some photos of a step; see `SceneDrawer.draw`.

        Args:
            step: Number of the step.
            photos: Their places in the step.
            size: Height and width of the pictures.
            texels: The design; None for bare faces.
        """
        worn = None if texels is None else (texels.shape[-2], texels.shape[-1])
        return self.drawer.draw(step, photos, size=size, texels=worn)

    def forward(
        self,
        texels: Float[Tensor, "3 height width"] | None,
        bare: Float[Tensor, "batch 3 rows columns"],
        packed: PackedBatch,
        drawn: SceneDraw,
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Pictures, sRGB in [0, 1]; differentiable in the texels.

        Args:
            texels: The design, sRGB in [0, 1]; None leaves the faces bare.
            bare: Photos, sRGB in [0, 1].
            packed: How the mask lies on each of them.
            drawn: For these photos, on their device.
        """
        with full_precision(bare):
            worn = bare if texels is None else self.worn(texels, bare, packed, drawn)
            return self.photographed(worn, drawn)

    def worn(
        self,
        texels: Float[Tensor, "3 height width"],
        bare: Float[Tensor, "batch 3 rows columns"],
        packed: PackedBatch,
        drawn: SceneDraw,
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Photos with the printed design on them, in the light of the photo."""
        worn: Tensor = self.renderer(self.printed(texels, drawn), bare, packed, drawn.tone, linear=True)
        return worn

    def printed(
        self, texels: Float[Tensor, "3 height width"], drawn: SceneDraw
    ) -> Float[Tensor, "3 height width"]:
        """The print of a step on its fabric, in linear light relative to a perfect white."""
        whole = texels if drawn.holes is None else cut_holes(texels, drawn.holes)
        cloth: Tensor = self.printer(whole, drawn.cloth)
        return cloth

    def photographed(
        self, pictures: Float[Tensor, "batch 3 rows columns"], drawn: SceneDraw
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Pictures in the drawn light, through the drawn camera and the user's own effects."""
        seen = photograph(relight(pictures, drawn.light), drawn.camera)
        for effect, record in zip(self.drawer.own_effects, drawn.own, strict=True):
            seen = applied(effect, seen, record)
        return seen
