"""Settings of a training run, composed from those of the rooms."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from advmask.core.errors import ConfigError
from advmask.core.gpu_driver import may_have_gpu
from advmask.core.presets import WHOLE, composed, known, preset_groups, preset_names
from advmask.core.settings import Settings
from advmask.effects.settings import EffectsSettings, HolesSettings, default_effects
from advmask.masks.settings import MaskSettings
from advmask.objectives.settings import ObjectiveSettings
from advmask.photos.settings import FacesSettings
from advmask.printers.settings import PrinterSettings
from advmask.recognizers.settings import SurrogateSettings
from advmask.render.settings import RenderSettings
from advmask.textures.settings import TextureSettings


class OptimiserSettings(Settings):
    """How the texture is changed.

    Attributes:
        kind: adam; amsgrad, as AdversarialMask has it; or sign: steps of equal size along the sign of the
            momentum.
        learning_rate: Of the free numbers, which for pixels are the logits of the texels.
        momentum: Of sign.
        schedule: cosine falls to the final share over the run, constant does not.
        final_share: Of the learning rate, left at the last step of the cosine schedule.
        average: Share of the run, at its end, whose textures are averaged into the design.
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
        batch: Photos per step, of all processes together.
        placements: Ways of wearing prepared for each photo; None chooses from the number of photos.
        checkpoint_every: Steps between checkpoints; a killed run loses at most these.
        preview_every: Steps between preview pictures; 0 for none.
        threads: CPU threads; None leaves torch's choice. Another number sums in another order: the design
            changes by rounding.
        validate_every: Steps between validations on the validation people; 0 for none.
        validation_recognizers: Names, to validate with others than those trained against, which None takes.
        validation_photos: Photos validated on, at most.
        patience: Validations in a row without a better design that end a run; None never ends it.
        keep: Design that a run leaves: the last, or the best of those validated.
        accelerator: Lightning's name: cpu, gpu, auto.
        devices: How many on each machine; auto takes all.
        num_nodes: Machines.
        strategy: ddp runs one process for each device, each with its part of every step's photos; auto does
            so where there are several devices.
        precision: bf16-mixed runs the networks in bfloat16, which takes less memory, where the hardware
            has it; all else stays in single precision.
        workers: Processes that make batches ahead of the steps; 0 makes each when it is its turn.
        device_gb: Memory of a GPU in which photos and placements stay, if all of them fit, so that no step
            sends them there; auto is half of what is free. 0 sends them in each step.
        progress: Show progress bars.
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
    accelerator: str = "cpu"
    devices: int | Literal["auto"] = 1
    num_nodes: int = Field(default=1, ge=1)
    strategy: Literal["auto", "ddp"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    workers: int = Field(default=0, ge=0)
    device_gb: Annotated[float, Field(ge=0)] | Literal["auto"] = 0.0
    progress: bool = True

    @field_validator("precision", mode="before")
    @classmethod
    def _no_float16(cls, value: Any) -> Any:
        if value == "16-mixed":
            raise ValueError("float16 needs a scaled loss, which networks do not see here; take bf16-mixed")
        return value

    def check_gpu(self) -> None:
        """Make sure that a GPU that is asked for can be there.

        Raises:
            ConfigError: There is none.
        """
        if self.accelerator in {"gpu", "cuda"} and not may_have_gpu():
            raise ConfigError(
                f"Cannot train with trainer.accelerator={self.accelerator} and "
                f"trainer.devices={self.devices}: "
                "this machine has no GPU, or no driver for it; take trainer=cpu."
            )


class LoggerSettings(Settings):
    """Where numbers go besides `metrics.csv`.

    Attributes:
        kind: csv writes the file only; wandb also gives settings, numbers, the texture and the card to
            Weights & Biases.
        project: Of wandb.
        name: Of wandb: what the run is called; None is the name of its folder.
        group: Of wandb: what it belongs to; None is the name of the folder that its folder is in.
        faces: Of wandb: also give the last preview, which shows the faces of people.
        offline: Of wandb: keep its records on this machine; false sends them.
    """

    kind: Literal["csv", "wandb"] = "csv"
    project: str = "advmask"
    name: str | None = None
    group: str | None = None
    faces: bool = False
    offline: bool = True


class TrainSettings(Settings):
    """Everything a training run depends on; what `advmask train` takes unless told otherwise.

    Attributes:
        recognizers: Names such as dlib, facenet:vggface2, onnx:PATH or present: docs/recognizers.md.
        seed: Of every random draw.
        faces: Whose.
        mask: Which.
        render: How.
        texture: What is learned.
        effects: What happens between print and recognizer.
        holes: Cut into the texture in each step, so that no part of it is needed.
        printer: What the printer makes of the design.
        objective: What is minimised.
        surrogates: How recognizers are fed and run in training.
        optimiser: How the texture is changed.
        trainer: How long, and on what machine.
        logger: Where figures go besides metrics.csv.
    """

    # None of these changes what is learned, but for the rounding of other threads (1.4e-6 was seen).
    free_on_resume: ClassVar[frozenset[str]] = frozenset(
        {
            "faces.cache",
            "faces.device",
            "trainer.progress",
            "trainer.threads",
            "trainer.preview_every",
            "trainer.workers",
            "trainer.device_gb",
            "logger.kind",
            "logger.project",
            "logger.name",
            "logger.group",
            "logger.faces",
            "logger.offline",
        }
    )

    recognizers: list[str] = Field(default=["dlib"], min_length=1)
    seed: int = Field(default=0, ge=0)
    faces: FacesSettings = FacesSettings()
    mask: MaskSettings = MaskSettings()
    render: RenderSettings = RenderSettings()
    texture: TextureSettings = TextureSettings()
    effects: EffectsSettings = Field(default_factory=default_effects)
    holes: HolesSettings = HolesSettings()
    printer: PrinterSettings = PrinterSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    surrogates: SurrogateSettings = SurrogateSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    trainer: TrainerSettings = TrainerSettings()
    logger: LoggerSettings = LoggerSettings()

    @classmethod
    def preset(cls, values: Mapping[str, Any] | None = None, /, **named: Any) -> Self:
        """Settings from presets and further values, composed as `advmask train` composes them.

        `TrainSettings.preset(experiment="universal", effects="cctv", faces={"root": "photos"}, seed=3)` is
        `advmask train experiment=universal effects=cctv faces.root=photos seed=3`.

        Args:
            values: Further values, nested; for those of a group whose preset is named as well.
            named: For each group the name of a preset, a mapping of values, or settings of its class; for
                single settings their value.

        Raises:
            ConfigError: There is no such preset or setting, or they contradict each other.
        """
        groups = preset_groups()
        choices = {key: name for key, name in named.items() if isinstance(name, str) and key in groups}
        further = {key: value for key, value in named.items() if key not in choices}
        return composed(cls, choices, further | dict(values or {}))

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


def preset(group: str, name: str, /, **values: Any) -> Any:
    """A preset by name, as `GROUP=NAME` on the command line: `preset("effects", "indoor")`.

    What a preset brings of other groups (`effects=print-garment` brings a printer) is left out;
    `TrainSettings.preset` has all of it.

    Args:
        group: `effects`, `printer`, `texture`, ...; or `experiment` or `ensemble`, about a whole run.
        name: Of the preset, one of ours or of the user's own printers.
        values: Further values of the group.

    Returns:
        Settings of the class that the group has in `TrainSettings`; those themselves for a whole run.

    Raises:
        ConfigError: There is no such group or preset; the nearest are named. Or the values do not fit.
    """
    known(group, preset_groups(), what="group of presets")
    known(name, preset_names(group), what=f"preset of {group}")
    if group in WHOLE:
        return TrainSettings.preset(values, **{group: name})
    return getattr(TrainSettings.preset({group: values}, **{group: name}), group)
