"""Designs as users name them: a run folder, a picture file, or a design that ships with the package."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from advmask.artwork import lay_out
from advmask.config import designs_dir
from advmask.errors import DesignError, RunError
from advmask.evaluation.results import PLAIN_MASKS
from advmask.masks import MaskSettings, MaskSurface, build_mask
from advmask.textures.pictures import read_picture_as_texels
from advmask.textures.texel_files import load_texels
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings

CONTROLS = (*PLAIN_MASKS, "noise", "lower_face")
# Designs that show a face are drawn for a face, not for a pattern; on this much of it, height and width.
_OF_A_FACE = ("lower_face",)
_DRAWN_MM = (455 / 3, 698 / 3)
_DRAWN_PER_MM = 3.0


@dataclass(frozen=True)
class NamedDesign:
    """A design and, where it comes from a run, the settings of that run."""

    texels: Float[Tensor, "3 height width"]
    texels_per_mm: float
    run: TrainSettings | None


def open_design(design: str | None, *, mask: MaskSettings, texels_per_mm: float) -> NamedDesign:
    """Open what `design=` names.

    Args:
        design: A run folder or a picture file.
        mask: The mask a picture file is fitted to; a run brings its own.
        texels_per_mm: Resolution for a picture file.

    Raises:
        DesignError: Nothing is named, or it is neither.
        RunError: The run has not finished yet.
    """
    if not design:
        raise DesignError("No design is given; name a run folder or a picture file with design=PATH.")
    path = Path(design)
    if path.is_dir():
        run = RunFolder(path)
        settings = run.read_settings()
        if not run.texture.exists():
            raise RunError(
                f"The run in {path} has not finished; repeat its train command with hydra.run.dir={path}."
            )
        return NamedDesign(load_texels(run.texture), settings.texture.texels_per_mm, settings)
    if not path.exists():
        raise DesignError(f"There is no run folder or picture file at {path}; check design=.")
    height, width = build_mask(mask).texture_size(texels_per_mm)
    texels = read_picture_as_texels(path, height=height, width=width)
    return NamedDesign(texels, texels_per_mm, None)


def shipped_design(
    name: str, surface: MaskSurface, *, texels_per_mm: float
) -> Float[Tensor, "3 height width"]:
    """A starting design or control mask that ships with the package, by name, on a mask.

    Raises:
        DesignError: None has this name.
    """
    path = designs_dir() / f"{name}.png"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in designs_dir().glob("*.png")))
        raise DesignError(f"No design called {name!r} ships with advmask; known: {known}.")
    if name in _OF_A_FACE:
        rows, columns = (round(side * _DRAWN_PER_MM) for side in _DRAWN_MM)
        picture = read_picture_as_texels(path, height=rows, width=columns)
        return lay_out(picture, surface, picture_per_mm=_DRAWN_PER_MM, texels_per_mm=texels_per_mm)
    height, width = surface.texture_size(texels_per_mm)
    return read_picture_as_texels(path, height=height, width=width)
