"""A whole texture: what is learned, laid out over the pattern, with locked parts on top."""

import logging
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.textures.bases import spline_matrix
from advmask.textures.colours import named_colour
from advmask.textures.fields import Extent, SpectralField, SplineField
from advmask.textures.ink_choice import InkChoice, ink_choice
from advmask.textures.ink_fields import InkFields
from advmask.textures.locked import Locked, build_locked
from advmask.textures.palette import PaletteTexture
from advmask.textures.picture_inks import picture_inks
from advmask.textures.pixels import PixelTexture
from advmask.textures.settings import TextureSettings
from advmask.textures.starts import names_picture, start_texels
from advmask.textures.texel_layout import Layout

_log = logging.getLogger(__name__)
_LEVELS = 3
_OPENING = {"pyramid": 0.0, "spectral": 0.5}


class Texture(nn.Module):
    """What is optimised: parameters in, texels (3, H, W) out.

    A run calls `progress` before each step and `finish` at its end. How far a run has come is part of the
    state, so that a checkpoint alone gives the texels that belong to it.

    Args:
        base: Makes the texels of the layout's domain, called with the share of the run that is over.
        layout: Lays them out.
        locked: Given parts on top.
    """

    def __init__(
        self, base: PixelTexture | PaletteTexture, layout: Layout, locked: Locked | None = None
    ) -> None:
        super().__init__()
        self.base = base
        self.layout = layout
        self.locked = locked
        self._share = 0.0

    def __repr__(self) -> str:
        """One line."""
        numbers = sum(each.numel() for each in self.parameters())
        locked = "" if self.locked is None else ", parts locked"
        return f"Texture({type(self.base).__name__}, {numbers} numbers{locked})"

    def forward(self) -> Float[Tensor, "3 height width"]:
        """The texels, sRGB in [0, 1]."""
        # Half precision would leave 8 bits for what is printed with 8 bits.
        with torch.autocast(next(self.parameters()).device.type, enabled=False):
            texels: Tensor = self.layout(self.base(self._share))
            return texels if self.locked is None else self.locked(texels)

    def progress(self, share: float) -> None:
        """Say how much of the run is over, 0 to 1; all that follows depends on this alone."""
        self._share = min(1.0, max(0.0, float(share)))

    @torch.no_grad()
    def finish(self) -> Float[Tensor, "3 height width"]:
        """End the run and give the final texels; those of a palette are exactly its inks."""
        self.progress(1.0)
        texels: Tensor = self()
        return texels.detach()

    def as_finished(self) -> Float[Tensor, "3 height width"]:
        """The texels that the run would leave if it ended here: of a palette one ink each, not a mixture."""
        share = self._share
        texels = self.finish()
        self.progress(share)
        return texels

    @property
    def ink_choice(self) -> InkChoice | None:
        """What the inks of a palette leave of its start; None for other textures."""
        return self.base.choice if isinstance(self.base, PaletteTexture) else None

    @torch.no_grad()
    def ink_fields(self) -> InkFields | None:
        """Of a palette, how far each ink leads when the run ends here; None for other kinds."""
        if not isinstance(self.base, PaletteTexture):
            return None
        colours = self.base.colours(exact=True).detach().cpu()
        return InkFields(colours.clone(), self.layout(self.base.strength(1.0)).detach().cpu().clone())

    def get_extra_state(self) -> Any:
        """How far the run has come, for checkpoints."""
        return torch.tensor(self._share, dtype=torch.float64)

    def set_extra_state(self, state: Any) -> None:
        """Take up how far the run had come."""
        self.progress(float(state))


def build_texture(
    settings: TextureSettings,
    *,
    height: int,
    width: int,
    nose_column: float,
    generator: torch.Generator,
    given: Float[Tensor, "3 height width"] | None = None,
) -> Texture:
    """Build what is learned, at its start.

    Args:
        settings: What to build.
        height: Of the texture, texels.
        width: Of the texture, texels.
        nose_column: Column of the nose line, texels from the left edge of the texture.
        generator: For a start from noise.
        given: Texels to start from, in place of what `settings.start` names; not for a tile that repeats.

    Raises:
        DesignError: The start, a mask or a picture cannot be read, or does not fit the pattern.
    """
    per_mm = settings.texels_per_mm
    tile = None
    if settings.repeat_mm is not None:
        tile = round(settings.repeat_mm[1] * per_mm), round(settings.repeat_mm[0] * per_mm)
    layout = Layout(
        height=height, width=width, nose_column=nose_column, mirror=settings.symmetry == "mirror", tile=tile
    )
    start_height, start_width = layout.start_size
    texels = given
    if texels is None:
        texels = start_texels(
            settings.start,
            height=start_height,
            width=start_width,
            generator=generator,
            fit=settings.fit,
            copy_width=max(1, round(settings.copy_mm * per_mm)),
        )
    start = layout.domain_of(texels)
    locked = build_locked(settings.locked, layout(start), hard=settings.kind == "palette")
    return Texture(_base(settings, start, layout.extent), layout, locked)


def _base(settings: TextureSettings, start: Tensor, extent: Extent) -> PixelTexture | PaletteTexture:
    spacing = settings.detail_mm * settings.texels_per_mm
    if settings.kind == "palette":
        return _palette(settings, start, extent, spacing)
    if settings.kind == "spectral":
        exponent = 1.0 if settings.exponent is None else settings.exponent
        field: nn.Module = SpectralField(
            extent, spacing=spacing, exponent=exponent, opening=_opening(settings)
        )
    elif settings.kind == "pyramid":
        levels = settings.levels or _LEVELS
        field = SplineField(extent, spacing=spacing, levels=levels, opening=_opening(settings))
    else:
        field = SplineField(extent, spacing=spacing)
    return PixelTexture(start, field=field, reach=settings.change)


def _opening(settings: TextureSettings) -> float:
    return _OPENING[settings.kind] if settings.opening is None else settings.opening


def _palette(asked: TextureSettings, start: Tensor, extent: Extent, spacing: float) -> PaletteTexture:
    settings, picture = asked.palette, names_picture(asked.start)
    if isinstance(settings.inks, int):
        inks = picture_inks(start, settings.inks, at_least=2 if picture else settings.inks)
        if len(inks) < settings.inks:
            _log.info("The start has fewer colours than %d, so there are %d inks.", settings.inks, len(inks))
    else:
        named = [named_colour(ink) for ink in settings.inks]
        inks = torch.stack([ink for ink in named if ink is not None])
    choice = ink_choice(start, inks)
    for sentence in choice.sentences():
        _log.info(sentence)
    learned = not picture and isinstance(settings.inks, int) if settings.learn is None else settings.learn
    if learned:
        _log.info("The inks are learned too, so those at the end will differ.")
    return PaletteTexture(
        start,
        inks=inks,
        choice=choice,
        field=SplineField(extent, channels=len(inks), spacing=spacing, levels=2),
        smooth=None if spacing <= 1 else _Smoothing(extent, spacing),
        learn_inks=learned,
        warm=settings.warm,
        cold=settings.cold,
        decided=settings.decided,
    )


class _Smoothing:
    """Smooths a picture to what a field of B-splines can show."""

    def __init__(self, extent: Extent, spacing: float) -> None:
        self._rows = _averaging(spline_matrix(extent.height, spacing, periodic=extent.periodic_rows))
        self._columns = _averaging(spline_matrix(extent.width, spacing, periodic=extent.periodic_columns))

    def __call__(self, picture: Tensor) -> Tensor:
        return self._rows @ picture @ self._columns.T


def _averaging(weights: Tensor) -> Tensor:
    """Each knot takes the mean of the texels under it; each texel the mean of its knots."""
    return weights @ (weights / weights.sum(dim=0).clamp(min=1e-9)).T
