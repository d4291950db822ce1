"""Designs as users name them: a run folder, a picture file, or a design that ships with the package."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import DesignError
from advmask.core.shown_names import shown
from advmask.masks.settings import MaskSettings
from advmask.textures.design_files import Design, name_of
from advmask.textures.settings import Fit
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings
from advmask.wearing.opened_design import load_design


@dataclass(frozen=True)
class NamedDesign:
    """A design and, where it comes from a run, the settings of that run."""

    design: Design
    run: TrainSettings | None

    @property
    def texels(self) -> Float[Tensor, "3 height width"]:
        """Of the design."""
        return self.design.texels

    @property
    def texels_per_mm(self) -> float:
        """Of the design."""
        return self.design.texels_per_mm


def open_design(
    design: str | None,
    *,
    mask: MaskSettings,
    texels_per_mm: float | None,
    fit: Fit = "cover",
    copy_mm: float = 60.0,
    finest: float | None = None,
) -> NamedDesign:
    """Open what `design=` names.

    Args:
        design: A run folder, a picture file, or `gallery:NAME`.
        mask: The mask a picture file is fitted to; a run brings its own.
        texels_per_mm: Resolution for a picture file; None takes 3, or its own up to `finest`.
        fit: How a picture is laid on the mask.
        copy_mm: Width of a copy for fit=tile, mm.
        finest: Texels per mm up to which a picture keeps its own pixels.

    Raises:
        DesignError: Nothing is named, or it is neither.
        RunError: The run has not finished yet.
    """
    if not design:
        raise DesignError("No design is given; name a run folder or a picture file with design=PATH.")
    path = Path(design)
    if not path.is_dir():
        picture = load_design(
            path, mask=mask, texels_per_mm=texels_per_mm, fit=fit, copy_mm=copy_mm, finest=finest
        )
        return NamedDesign(picture, None)
    return NamedDesign(load_design(path), RunFolder(path).read_settings())


def labels(given: Sequence[str], *, taken: Iterable[str] = ()) -> list[str]:
    """Short names of designs, each once.

    Args:
        given: Run folders and picture files.
        taken: Names that none may have.
    """
    stems = [name_of(Path(name)) if Path(name).is_dir() else shown(Path(name).stem) for name in given]
    count = Counter([*stems, *taken])
    return [stem if count[stem] == 1 else f"{stem} ({i})" for i, stem in enumerate(stems, 1)]
