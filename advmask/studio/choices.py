"""What one chooses on the page, and the command that it comes to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from advmask.core.presets import preset_names
from advmask.core.settings import Settings
from advmask.masks.settings import MaskSettings
from advmask.printers.settings import PrinterSettings
from advmask.printing.settings import Size
from advmask.recognizers.recognizer_names import PRESENT
from advmask.studio.pictures import PORTRAIT
from advmask.textures.settings import Fit, PaletteSettings, TextureSettings
from advmask.training.settings import TrainSettings, preset

Style = Literal["palette", "motif", "free"]
"""palette: a few inks, exactly; motif: the drawing stays, nearly; free: anything may become of it."""

Ink = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
_PARAMETRISATION = {"palette": "palette", "motif": "motif", "free": "pyramid"}


class Choices(Settings):
    """All that is asked for a design.

    Attributes:
        drawing: What it starts from; None for plain grey.
        photos: Of one person.
        mask: Shape, one of the presets.
        size: Of the head.
        style: What becomes of the drawing.
        inks: Of a palette.
        kept: Of a palette: how firmly the drawing is held to, `objective.fidelity`.
        change: Of a motif: how far a colour may move, `texture.change`.
        fit: How the drawing is laid on the mask.
        mirror: Left and right are alike.
        printer: What it will be printed with.
        where: Where it is worn: what happens between cloth and camera.
        steps: How long it is worked on.
        everything: Against all face recognition that is installed, instead of the one that ships.
    """

    drawing: str | None = Field(default=None, max_length=60)
    photos: list[str] = Field(default=[PORTRAIT], min_length=1, max_length=24)
    mask: str = "contour"
    size: Size = "M"
    style: Style = "palette"
    inks: list[Ink] = Field(default=["#16181d", "#f2efe6", "#c2452d", "#e3b04b", "#2f6c8f"], max_length=12)
    kept: float = Field(default=0.02, ge=0, le=0.2)
    change: float = Field(default=0.15, ge=0.02, le=0.6)
    fit: Fit = "cover"
    mirror: bool = False
    printer: str = "none"
    where: str = "indoor"
    steps: int = Field(default=300, ge=4, le=5000)
    everything: bool = False

    @model_validator(mode="after")
    def _known(self) -> "Choices":
        for group, name in {"mask": self.mask, "printer": self.printer, "effects": self.where}.items():
            if name not in offered(group):
                raise ValueError(
                    f"there is no {group} called {name!r}; known are {', '.join(offered(group))}"
                )
        if self.style == "motif" and self.drawing is None:
            raise ValueError("a drawing that stays needs a drawing; choose one, or another style")
        return self

    def mask_settings(self) -> MaskSettings:
        """Of the mask."""
        return MaskSettings.build(preset("mask", self.mask).model_dump() | {"size": self.size})

    def mask_words(self) -> list[str]:
        """Of the mask, for a command."""
        return [f"mask={self.mask}", f"mask.size={self.size}"]

    def recognizers(self) -> list[str]:
        """Names of those that a design is made against."""
        return [PRESENT] if self.everything else list(TrainSettings().recognizers)

    def printer_settings(self) -> PrinterSettings:
        """Of the printer."""
        made: PrinterSettings = preset("printer", self.printer)
        return made

    def texture_settings(self, drawing: Path | None) -> TextureSettings:
        """Of the texture, as the command has them.

        Args:
            drawing: Its file.
        """
        values: dict[str, Any] = {"start": "grey" if drawing is None else str(drawing), "fit": self.fit}
        if self.style == "palette":
            values["palette"] = PaletteSettings.build({"inks": self.inks})
        if self.style == "motif":
            values["change"] = self.change
        if self.mirror:
            values["symmetry"] = "mirror"
        made: TextureSettings = preset("texture", _PARAMETRISATION[self.style], **values)
        return made

    def train_words(self, run: Path, *, drawing: Path | None, photos: Path | None) -> list[str]:
        """The words after `advmask train` that make this design.

        Args:
            run: Its folder.
            drawing: The file that it starts from.
            photos: A folder of photos; None for the portrait that ships.
        """
        words = [*self.mask_words(), f"texture={_PARAMETRISATION[self.style]}"]
        if drawing is not None:
            words += [f"texture.start={drawing}", f"texture.fit={self.fit}"]
        if self.style == "palette":
            words.append(f"texture.palette.inks={_listed(self.inks)}")
            if drawing is not None:
                words.append(f"objective.fidelity={self.kept:g}")
        if self.style == "motif":
            words.append(f"texture.change={self.change:g}")
        if self.mirror:
            words.append("texture.symmetry=mirror")
        if self.everything:
            words.append(f"recognizers=[{PRESENT}]")
        if photos is not None:
            words.append(f"faces.root={photos}")
        often = max(1, min(10, self.steps // 4))
        words += [f"effects={self.where}", f"printer={self.printer}", f"trainer.steps={self.steps}"]
        words += [f"trainer.checkpoint_every={often}", f"trainer.preview_every={often}"]
        return [*words, "export=false", f"hydra.run.dir={run}"]


def offered(group: str) -> list[str]:
    """Names that can be chosen of a group of presets; not those that need a file as well."""
    return [name for name in preset_names(group) if name != "icc"]


def evaluate_words(run: Path) -> list[str]:
    """The words after `advmask evaluate`: a design measured beside plain masks."""
    return [str(run), f"hydra.run.dir={run}"]


def export_words(
    design: Path, out: Path, *, printer: str, paper: str, of_picture: Choices | None
) -> list[str]:
    """The words after `advmask export`.

    Args:
        design: A run folder, or a picture of an earlier state of it.
        out: Where the files go.
        printer: For which.
        paper: Of the sheets.
        of_picture: For a picture: what was chosen, for it does not bring its mask as a run does.
    """
    words = [str(design), f"paper={paper}", f"printer={printer}"]
    if of_picture is not None:
        words += of_picture.mask_words()
    return [*words, f"out={out}"]


def _listed(inks: Sequence[str]) -> str:
    return "[" + ",".join(f"'{ink}'" for ink in inks) + "]"
