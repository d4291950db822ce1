"""A design as users name it: a run folder, a picture file, or a design that ships with the package."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field
from torch import Tensor

from advmask.core.errors import ConfigError, DesignError, RunError
from advmask.core.near_names import near_file, near_word
from advmask.core.run_config import TEXTURE, settings_of_run
from advmask.core.settings import Settings
from advmask.masks.mask_building import build_mask, more_than_named
from advmask.masks.settings import SHIPPED, MaskSettings
from advmask.masks.surface import MaskSurface
from advmask.render.checked_inputs import texels_per_mm_of
from advmask.textures.design_files import BLEED_TEXT, PATTERN_TEXT, Design, read_design
from advmask.textures.gallery import gallery_design_at, gallery_picture
from advmask.textures.ink_fields import kept_ink_fields
from advmask.textures.picture_texels import open_as_srgb, read_picture_as_texels
from advmask.textures.settings import Fit, TextureSettings
from advmask.textures.starts import stays_near_picture
from advmask.textures.texel_files import check_texels, load_texels
from advmask.wearing.artwork import shipped_design, shipped_names
from advmask.wearing.laid_picture import lay_picture

TEXELS_PER_MM = 3.0  # of a picture that does not say


class _OfRun(Settings):
    """What a run says of the design it left.

    Attributes:
        mask: That it belongs on.
        texture: Its resolution, above all.
        objective: Whether it was held near a picture.
    """

    mask: MaskSettings = MaskSettings()
    texture: TextureSettings = TextureSettings()
    objective: dict[str, Any] = Field(default_factory=dict)  # of a room that this one does not know


def load_design(
    source: str | Path,
    *,
    mask: MaskSettings | str | None = None,
    texels_per_mm: float | None = None,
    fit: Fit = "cover",
    copy_mm: float = 60.0,
    finest: float | None = None,
) -> Design:
    """Open a design.

    Args:
        source: A run folder; a picture file of any kind; the name of a design that ships (white,
            surgical_blue, noise, motif and others); or `gallery:NAME` for a measured one.
        mask: The mask that a picture is fitted to, as settings or by the name of its pattern. A run brings
            its own; None takes what a picture written by advmask says of itself, else the contour mask.
        texels_per_mm: Resolution that a picture is fitted at; None takes its own, else 3.
        fit: How a picture is laid on the mask; see `fit_picture`.
        copy_mm: Width of a copy for fit=tile, mm.
        finest: Resolution up to which a picture keeps its own pixels, where `texels_per_mm` is None.

    Returns:
        The design, with the place that it comes from.

    Raises:
        DesignError: There is nothing of this name, the picture cannot be read, it is a print file, or it was
            made for another pattern.
        RunError: The run has not finished yet, or its settings cannot be read.
        ConfigError: A mask or resolution is given together with a run, or there is no such pattern.
    """
    path = _expanded(source)
    if path.is_dir():
        if mask is not None or texels_per_mm is not None:
            raise ConfigError(f"The run in {path} brings its mask and its texels per mm; leave them out.")
        return _of_run(path)
    if isinstance(mask, str):
        mask = MaskSettings(pattern=mask)
    if path.is_file():
        design = _of_picture(path, mask, texels_per_mm, fit=fit, copy_mm=copy_mm, finest=finest)
        shipped = gallery_design_at(path)
        near = shipped is not None and shipped.learned["near_start"]
        return replace(design, around=design.texels) if near else design
    if str(source) in shipped_names():
        worn_on, per_mm = mask or MaskSettings(), texels_per_mm or TEXELS_PER_MM
        surface = build_mask(worn_on)
        texels = shipped_design(str(source), surface, texels_per_mm=per_mm)
        return _design(texels, worn_on, surface, per_mm, path)
    hint = near_file(path) or near_word(str(source), shipped_names())
    raise DesignError(f"There is no run folder or picture file at {path}; check its name.{hint}")


def as_design(source: Design | Tensor | str | Path, *, mask: MaskSettings | str | None = None) -> Design:
    """A design given as an object, as texels, or as what `load_design` opens.

    Args:
        source: Texels are (3, h, w) in [0, 1], sRGB, of a size that `texture_size` gives.
        mask: For texels and pictures: the mask they are worn on; None takes the contour mask, or what a
            picture says of itself.

    Raises:
        DesignError: It cannot be opened, or is not a texture.
        ValueError: The texels fit no resolution of the mask.
        ConfigError: A mask is given together with a design that brings its own.
    """
    if isinstance(source, Design):
        if mask is not None:
            raise ConfigError(f"{source} brings its own mask; leave mask out.")
        return source
    if not isinstance(source, Tensor):
        return load_design(source, mask=mask)
    check_texels(source)
    worn_on = MaskSettings(pattern=mask) if isinstance(mask, str) else mask or MaskSettings()
    surface = build_mask(worn_on)
    per_mm = texels_per_mm_of(source.shape[1:], surface)
    return _design(source.detach().cpu().float(), worn_on, surface, per_mm, None)


def _of_run(folder: Path) -> Design:
    of_run = settings_of_run(folder, _OfRun)
    texture = folder / TEXTURE
    if not texture.exists():
        raise RunError(
            f"The run in {folder} has not finished; repeat its train command with hydra.run.dir={folder}."
        )
    surface = build_mask(of_run.mask)
    texels = load_texels(texture)
    near = stays_near_picture(of_run.texture, fidelity=float(of_run.objective.get("fidelity") or 0))
    return replace(
        _design(texels, of_run.mask, surface, of_run.texture.texels_per_mm, folder),
        around=texels if near else None,
        ink_fields=kept_ink_fields(folder),
    )


def _of_picture(
    path: Path,
    mask: MaskSettings | None,
    texels_per_mm: float | None,
    *,
    fit: Fit,
    copy_mm: float,
    finest: float | None,
) -> Design:
    text = open_as_srgb(path).info
    if BLEED_TEXT in text:
        raise DesignError(f"{path} is a print file; name the run folder or the picture it was made from.")
    made_for = text.get(PATTERN_TEXT)
    if mask is None and texels_per_mm is None and made_for in SHIPPED:
        return read_design(path)
    worn_on, per_mm = mask or MaskSettings(), texels_per_mm or TEXELS_PER_MM
    surface = build_mask(worn_on)
    if made_for and made_for != surface.name:
        raise DesignError(
            f"{path} is made for pattern {made_for} and not for {surface.name}; add mask={made_for}."
        )
    if made_for:  # its texels lie where they belong
        height, width = surface.texture_size(per_mm)
        texels = read_picture_as_texels(path, height=height, width=width)
        return _design(texels, worn_on, surface, per_mm, path)
    finest = finest if texels_per_mm is None else None
    laid, per_mm = lay_picture(path, surface, texels_per_mm=per_mm, fit=fit, copy_mm=copy_mm, finest=finest)
    return replace(_design(laid.texels, worn_on, surface, per_mm, path), around=laid.around)


def _design(
    texels: Tensor, mask: MaskSettings, surface: MaskSurface, texels_per_mm: float, place: Path | None
) -> Design:
    return Design(
        texels,
        pattern=surface.name,
        size=mask.size,
        texels_per_mm=texels_per_mm,
        own_mask=more_than_named(mask),
        place=place,
    )


def _expanded(source: str | Path) -> Path:
    picture = gallery_picture(source)
    if picture is not None:
        return picture
    try:
        return Path(source).expanduser()
    except RuntimeError:  # ~name of somebody who does not exist
        return Path(source)
