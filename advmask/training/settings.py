"""Settings of a training run, composed from those of the rooms."""

from typing import Literal, Self

from pydantic import Field, model_validator

from advmask.core.settings import Settings
from advmask.effects.settings import EffectsSettings
from advmask.masks.settings import MaskSettings
from advmask.objectives.settings import ObjectiveSettings
from advmask.photos.settings import FacesSettings
from advmask.printers.settings import PrinterSettings
from advmask.printing.settings import PrintingSettings
from advmask.recognizers.settings import SurrogateSettings
from advmask.render.settings import RenderSettings
from advmask.textures.settings import TextureSettings


class OptimiserSettings(Settings):
    """How the texture is changed.

    Attributes:
        kind: `adam`, `amsgrad` (as AdversarialMask has it), or `sign`: steps of the sign of the momentum,
            as attacks on pictures take them.
        learning_rate: Of the free numbers, which for pixels are logits of the texels.
        momentum: Of `sign`.
        schedule: `cosine` falls to the final share over the run, `constant` does not.
        final_share: Share of the learning rate left at the last step.
        average: Share of the run, at its end, whose iterates are averaged into the design.
    """

    kind: Literal["adam", "amsgrad", "sign"] = "adam"
    learning_rate: float = Field(default=0.1, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    final_share: float = Field(default=0.1, ge=0, le=1)
    average: float = Field(default=0.0, ge=0, le=0.9)


class TrainerSettings(Settings):
    """How long and on what.

    Attributes:
        steps: Optimiser steps.
        batch: Photos per step.
        placements: Ways of wearing prepared for each photo; None chooses from the number of photos.
        checkpoint_every: Steps between checkpoints; a killed run loses at most these.
        preview_every: Steps between preview pictures; 0 for none.
        threads: CPU threads; None leaves torch's choice. Another number sums in another order: the design
            changes by rounding.
        validate_every: Steps between validations on the validation people; 0 for none.
        validation_recognizers: That validate; None takes those trained against.
        validation_photos: Photos validated on, at most.
        patience: Validations in a row without a better design after which a run ends; None never ends it.
        keep: Which design a run leaves: the `last`, or the `best` of those validated.
        accelerator: Lightning's name: cpu, gpu, auto.
        devices: How many on each machine.
        num_nodes: Machines.
        strategy: `ddp` runs one process for each device, each with its part of every step's photos; `auto`
            does so where there are several devices.
        precision: Lightning's name.
        progress: Show a progress bar.
    """

    steps: int = Field(default=300, ge=1)
    batch: int = Field(default=8, ge=1)
    placements: int | None = Field(default=None, ge=1)
    checkpoint_every: int = Field(default=25, ge=1)
    preview_every: int = Field(default=100, ge=0)
    threads: int | None = Field(default=None, ge=1)
    validate_every: int = Field(default=0, ge=0)
    validation_recognizers: list[str] | None = Field(default=None, min_length=1)
    validation_photos: int = Field(default=64, ge=1)
    patience: int | None = Field(default=None, ge=1)
    keep: Literal["last", "best"] = "last"
    accelerator: str = "auto"
    devices: int | Literal["auto"] = "auto"
    num_nodes: int = Field(default=1, ge=1)
    strategy: Literal["auto", "ddp"] = "auto"
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    progress: bool = True


class LoggerSettings(Settings):
    """Where numbers go besides `metrics.csv`.

    Attributes:
        kind: `csv` writes the file only; `wandb` also gives the numbers, never pictures, to wandb.
        project: wandb project.
        offline: Keep wandb's records on this machine.
    """

    kind: Literal["csv", "wandb"] = "csv"
    project: str = "advmask"
    offline: bool = True


class TrainSettings(Settings):
    """Everything a training run depends on."""

    faces: FacesSettings = FacesSettings()
    mask: MaskSettings = MaskSettings()
    render: RenderSettings = RenderSettings()
    texture: TextureSettings = TextureSettings()
    effects: EffectsSettings = EffectsSettings()
    printer: PrinterSettings = PrinterSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    trainer: TrainerSettings = TrainerSettings()
    logger: LoggerSettings = LoggerSettings()
    printing: PrintingSettings = PrintingSettings()
    surrogates: SurrogateSettings = SurrogateSettings()
    recognizers: list[str] = Field(default=["dlib"], min_length=1)
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _validated(self) -> Self:
        trainer = self.trainer
        if trainer.validate_every:
            return self
        asked = {
            "validation_recognizers": trainer.validation_recognizers is not None,
            "patience": trainer.patience is not None,
            "keep=best": trainer.keep == "best",
        }
        for name, given in asked.items():
            if given:
                raise ValueError(
                    f"a run without validations has no use for trainer.{name}; set trainer.validate_every to "
                    "the steps between them"
                )
        return self
