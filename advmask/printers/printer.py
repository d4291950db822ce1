"""A printer as a differentiable module: what becomes of the colours and lines of a design."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.colour.srgb import linear_from_srgb, srgb_from_linear
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
        self._bands: dict[tuple[int, int], tuple[Tensor, Tensor, int]] = {}

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

    def forward(
        self,
        texels: Float[Tensor, "3 H W"],
        drawn: PrintDraw | None = None,
        field: Float[Tensor, "*channels H W"] | None = None,
    ) -> Float[Tensor, "3 H W"]:
        """Print a texture.

        Args:
            texels: sRGB in [0, 1].
            drawn: One print of `draw_print`; None for the mean print.
            field: (H, W) or (3, H, W) by which the reflectance is multiplied too; without gradient.

        Returns:
            Linear-light reflectance relative to a perfect white, usually in [0, 1] but not clipped.
        """
        size = (texels.shape[1], texels.shape[2])
        linear = self._coloured(self._spread(texels, drawn), drawn)
        own = None
        if drawn is not None:
            own = print_field(
                drawn,
                texels=size,
                texels_per_mm=self.texels_per_mm,
                banding_mm=self.settings.varies.banding_mm,
            )
        if own is not None:
            own = own.to(linear)
            field = own if field is None else field.to(linear) * own
        return linear if field is None else linear * field.to(linear)

    def proof(self, texels: Float[Tensor, "3 H W"]) -> Float[Tensor, "3 H W"]:
        """The mean print as a picture: sRGB in [0, 1], in which a perfect white would be white."""
        return srgb_from_linear(self(texels).clamp(0, 1))

    def colours(self, srgb: Float[Tensor, "*size 3"]) -> Float[Tensor, "*size 3"]:
        """Linear reflectances of large patches of colours in sRGB, in the mean print."""
        planes = srgb.reshape(-1, 3).T.contiguous()
        return self._coloured(planes, None).T.reshape(srgb.shape)

    @property
    def _sigma(self) -> float:
        sigma = self.settings.spread_mm * self.texels_per_mm
        return sigma if sigma >= NEGLIGIBLE_TEXEL else 0.0

    def _spread(self, texels: Tensor, drawn: PrintDraw | None) -> Tensor:
        shifts = None if drawn is None or not bool(drawn.shifts_texels.any()) else drawn.shifts_texels
        if shifts is None and self._sigma == 0:
            return texels
        size = (texels.shape[1], texels.shape[2])
        if shifts is not None:
            down, across, reach = self._filter(size, shifts)
        else:
            if size not in self._bands:
                self._bands[size] = self._filter(size, torch.zeros(1, 2))
            down, across, reach = self._bands[size]
        return spread(texels, down.to(texels), across.to(texels), reach=reach)

    def _filter(self, size: tuple[int, int], shifts: Tensor) -> tuple[Tensor, Tensor, int]:
        down, reach_down = band(size[0], self._sigma, shifts[:, 1])
        across, reach_across = band(size[1], self._sigma, shifts[:, 0])
        return down, across, max(reach_down, reach_across)

    def _coloured(self, texels: Tensor, drawn: PrintDraw | None) -> Tensor:
        if drawn is not None and (drawn.dot_gain != 0 or bool(drawn.ink.any())):
            nodes = self._varied_nodes(drawn)
            return interpolate(texels, affine_pieces(nodes).to(texels), len(nodes))
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
