"""Designs as users name them: a run folder, a picture file, or a design that ships with the package."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import DesignError, RunError
from advmask.evaluation.results import PLAIN_MASKS
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.textures.picture_texels import read_picture_as_texels
from advmask.textures.texel_files import load_texels
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings

CONTROLS = (*PLAIN_MASKS, "noise", "lower_face")


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
