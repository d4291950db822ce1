"""A printer as a differentiable module: what becomes of the colours and lines of a design."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.colour.srgb import linear_from_srgb, srgb_from_linear
from advmask.effects.records import moved
from advmask.printers.colour_table import ColourTable, affine_pieces, interpolate, perfect_table
from advmask.printers.draw import PrintDraw, print_field
from advmask.printers.icc import bake_profile
from advmask.printers.ink_separation import separate
from advmask.printers.inks import printed_table
from advmask.printers.settings import PrinterSettings
from advmask.printers.spread import NEGLIGIBLE_TEXEL, band, spread
from advmask.printers.table_files import load_table
from advmask.printers.varied import varied_table

_STEPS = 17


@dataclass(frozen=True, eq=False)
class PreparedPrint:
    """One print, ready to be applied to texels on its device.

    Attributes:
        planes: (15, pieces) its colours, as `affine_pieces` gives them; None for the printer's mean.
        steps: Of the table they are of.
        down: (channels, H, H) of `band`: how its inks spread and miss each other along columns; None for as
            they do in the mean print.
        across: (channels, W, W) the same along rows.
        reach: Of both.
        field: (H, W) or (3, H, W) by which the reflectance is multiplied; None for nothing.
    """

    planes: Float[Tensor, "15 pieces"] | None = None
    steps: int = 0
    down: Float[Tensor, "channels H H"] | None = None
    across: Float[Tensor, "channels W W"] | None = None
    reach: int = 0
    field: Float[Tensor, "*channels H W"] | None = None


class Printer(nn.Module):
    """Prints texels: ink spreads, inks miss each other, colours become reflectances, and grain is added.

    Without a draw it makes the printer's mean print. The printer learns nothing; gradients go to the texels,
    and none of them is dead: see `interpolate`.

    Args:
        settings: The printer.
        texels_per_mm: Resolution of the textures it is given.

    Raises:
        ConfigError: The profile or table of the settings cannot be used.
    """

    def __init__(self, settings: PrinterSettings, *, texels_per_mm: float) -> None:
        super().__init__()
        self.settings = settings
        self.texels_per_mm = texels_per_mm
        self._coverages: Tensor | None = None
        table = self._mean_table()
        self._nodes = None if table is None else table.nodes
        # Made again from the settings, not stored: a checkpoint keeps the design.
        self._planes: Tensor | None
        self.register_buffer("_planes", None if table is None else table.planes, persistent=False)
        self._bands: dict[tuple[tuple[int, int], torch.device], tuple[Tensor, Tensor, int]] = {}

    @property
    def ideal(self) -> bool:
        """Whether it prints exactly what is asked for, every time."""
        varies = self.settings.varies
        changes = varies.dot_gain, varies.ink, varies.misregistration_mm, varies.grain, varies.banding
        return self._planes is None and self._sigma == 0 and not any(changes)

    @property
    def white(self) -> Float[Tensor, "3"]:
        """Linear reflectance of what is printed where white is asked for."""
        return self.colours(torch.ones(3))

    def prepared(
        self,
        drawn: PrintDraw | None,
        *,
        texels: tuple[int, int],
        field: Float[Tensor, "*channels H W"] | None = None,
    ) -> PreparedPrint:
        """All that can be made of a draw before the texels are known; on the CPU.

        Args:
            drawn: One print of `draw_print`; None for the mean print.
            texels: Height and width of the texture.
            field: (H, W) or (3, H, W) by which the reflectance is multiplied too.
        """
        if drawn is None:
            return PreparedPrint(field=field)
        down = across = planes = None
        reach = steps = 0
        if bool(drawn.shifts_texels.any()):
            down, across, reach = self._filter(texels, drawn.shifts_texels)
        if drawn.dot_gain != 0 or bool(drawn.ink.any()):
            nodes = self._varied_nodes(drawn)
            planes, steps = affine_pieces(nodes), len(nodes)
        own = print_field(
            drawn,
            texels=texels,
            texels_per_mm=self.texels_per_mm,
            banding_mm=self.settings.varies.banding_mm,
        )
        if own is not None:
            field = own if field is None else field * own
        return PreparedPrint(planes, steps, down, across, reach, field)

    def forward(
        self,
        texels: Float[Tensor, "3 H W"],
        drawn: PrintDraw | PreparedPrint | None = None,
        field: Float[Tensor, "*channels H W"] | None = None,
    ) -> Float[Tensor, "3 H W"]:
        """Print a texture.

        Args:
            texels: sRGB in [0, 1].
            drawn: One print of `draw_print`, or that prepared and on the device of the texels; None for the
                mean print.
            field: (H, W) or (3, H, W) by which the reflectance is multiplied too, without gradient; a
                prepared print has its own.

        Returns:
            Linear-light reflectance relative to a perfect white, usually in [0, 1] but not clipped.
        """
        if not isinstance(drawn, PreparedPrint):
            size = (texels.shape[1], texels.shape[2])
            drawn = moved(self.prepared(drawn, texels=size, field=field), texels.device)
        linear = self._coloured(self._spread(texels, drawn), drawn)
        return linear if drawn.field is None else linear * drawn.field.to(linear.dtype)

    def proof(self, texels: Float[Tensor, "3 H W"]) -> Float[Tensor, "3 H W"]:
        """The mean print as a picture: sRGB in [0, 1], in which a perfect white would be white."""
        return srgb_from_linear(self(texels).clamp(0, 1))

    def colours(self, srgb: Float[Tensor, "*size 3"]) -> Float[Tensor, "*size 3"]:
        """Linear reflectances of large patches of colours in sRGB, in the mean print."""
        planes = srgb.reshape(-1, 3).T.contiguous()
        return self._coloured(planes).T.reshape(srgb.shape)

    @property
    def _sigma(self) -> float:
        sigma = self.settings.spread_mm * self.texels_per_mm
        return sigma if sigma >= NEGLIGIBLE_TEXEL else 0.0

    def _spread(self, texels: Tensor, drawn: PreparedPrint) -> Tensor:
        if drawn.down is not None and drawn.across is not None:
            return spread(texels, drawn.down, drawn.across, reach=drawn.reach)
        if self._sigma == 0:
            return texels
        size = (texels.shape[1], texels.shape[2])
        if (size, texels.device) not in self._bands:
            down, across, reach = self._filter(size, torch.zeros(1, 2))
            self._bands[size, texels.device] = down.to(texels.device), across.to(texels.device), reach
        down, across, reach = self._bands[size, texels.device]
        return spread(texels, down, across, reach=reach)

    def _filter(self, size: tuple[int, int], shifts: Tensor) -> tuple[Tensor, Tensor, int]:
        down, reach_down = band(size[0], self._sigma, shifts[:, 1])
        across, reach_across = band(size[1], self._sigma, shifts[:, 0])
        return down, across, max(reach_down, reach_across)

    def _coloured(self, texels: Tensor, drawn: PreparedPrint | None = None) -> Tensor:
        if drawn is not None and drawn.planes is not None:
            return interpolate(texels, drawn.planes.to(texels.dtype), drawn.steps)
        if self._nodes is None or self._planes is None:
            return linear_from_srgb(texels)
        return interpolate(texels, self._planes.to(texels), len(self._nodes))

    def _mean_table(self) -> ColourTable | None:
        settings = self.settings
        if settings.inks is not None:
            self._coverages = separate(settings.inks, _STEPS)
            return printed_table(settings.inks, self._coverages, dot_gain=0.0, ink=torch.zeros(3))
        if settings.profile is not None:
            return bake_profile(settings.profile, settings.intent, _STEPS)
        return None if settings.table is None else load_table(settings.table)

    def _varied_nodes(self, drawn: PrintDraw) -> Tensor:
        inks = self.settings.inks
        if inks is not None and self._coverages is not None:
            return printed_table(inks, self._coverages, dot_gain=drawn.dot_gain, ink=drawn.ink).nodes
        mean = perfect_table(_STEPS) if self._nodes is None else ColourTable(self._nodes)
        return varied_table(mean, dot_gain=drawn.dot_gain, ink=drawn.ink).nodes
