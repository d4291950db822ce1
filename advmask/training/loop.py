"""Lightning's loop, set up and run from checkpoint to checkpoint."""

import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers.logger import Logger
from torch import Tensor

from advmask.core.errors import RunError
from advmask.textures.ink_fields import InkFields
from advmask.training.checkpoints import AsideCheckpointIO, RateAsAsked, StretchCheckpoint
from advmask.training.csv_log import CsvLog
from advmask.training.data import StepData
from advmask.training.guard import FiniteSteps
from advmask.training.machine import bytes_to_hold, machine_facts, on_cpu, trainer_on
from advmask.training.module import DesignModule
from advmask.training.own_parts import OwnParts
from advmask.training.plot import ProgressPlot
from advmask.training.preview_callback import PreviewPictures
from advmask.training.processes import is_first_process, processes_of_one_run
from advmask.training.progress import DesignProgress
from advmask.training.quiet_lightning import quiet_lightning
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainerSettings, TrainSettings
from advmask.training.step_log import StepLog
from advmask.training.step_parts import PartedSteps
from advmask.training.validation import Validation, ValidationProbes
from advmask.training.wandb_log import WandbLog
from advmask.wearing.held_photos import HeldPhotos, hold
from advmask.wearing.worn_photos import WornPhotos

_log = logging.getLogger(__name__)

_FACES_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Fitted:
    """What training comes to.

    Attributes:
        texels: (3, H, W) the design, sRGB in [0, 1], on the CPU.
        steps: Taken.
        best: Step and match confidence of the best validation; None where nothing was validated.
        ink_fields: Of a palette that is as the last step left it.
    """

    texels: Tensor
    steps: int
    best: dict[str, float] | None
    ink_fields: InkFields | None = None


def fit(
    module: DesignModule,
    photos: WornPhotos,
    settings: TrainSettings,
    run: RunFolder,
    *,
    keep: Callable[[Tensor, str], Path],
    draw: Callable[[Tensor, Path], object],
    probes: ValidationProbes | None = None,
    own: OwnParts | None = None,
) -> Fitted:
    """Train the module from the run's last checkpoint, or from the start, to its last step.

    Args:
        module: Changed in place.
        photos: What it is trained on.
        settings: How long, and on what machine.
        run: Where checkpoints, the log and previews go.
        keep: Writes a design under a name into the run folder and gives the picture file.
        draw: Writes a design into a picture file.
        probes: What it is validated on, if it is.
        own: Callbacks and a progress callback of the user's own, and whether the optimiser is.

    Raises:
        ConfigError: This machine lacks what the settings ask for.
        RunError: The checkpoint is damaged, a step is not finite, or memory does not suffice for a photo.
        KeyboardInterrupt: The user stopped the run.
    """
    trainer_settings = settings.trainer
    own = OwnParts() if own is None else own
    resume = run.checkpoint if run.checkpoint.exists() else None
    resumed_at = _step_of(run.checkpoint) if resume else 0
    if resume:
        _log.info("Resuming %s from step %d of %d.", run.path, resumed_at, trainer_settings.steps)
    data = StepData(
        photos,
        module.scene.drawer,
        feeder=module.feeder,
        batch=trainer_settings.batch,
        seed=settings.seed,
        stretch=min(trainer_settings.checkpoint_every, trainer_settings.steps),
        workers=trainer_settings.workers,
        pinned=not on_cpu(trainer_settings) and torch.cuda.is_available(),
    )
    module.parted = PartedSteps(data)
    validation = _validation(settings, probes)
    rate = settings.optimiser.learning_rate
    callbacks: list[Callback] = [
        FiniteSteps(run, data=data, keep=keep, learning_rate=rate),
        RateAsAsked(rate if own.optimiser is None else None),
        *([] if validation is None else [validation]),
        StepLog(steps=trainer_settings.steps, tell=own.progress if is_first_process() else None),
        *_shown(settings, photos, run, own, draw),
        *own.callbacks,
        StretchCheckpoint(run.checkpoint),  # last, for it keeps what the others have come to
    ]
    # Nothing is read before it is written; filling it all the same took 3 % of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if not on_cpu(trainer_settings):
        _log.info(
            "On a GPU the gradients of texels, and those of pictures that are resampled, are added up in no "
            "fixed order: two runs of the same settings differ in their last bits."
        )
    pl.seed_everything(settings.seed, workers=True, verbose=False)
    with quiet_lightning(), processes_of_one_run():
        trainer = trainer_on(
            trainer_settings,
            use_distributed_sampler=False,  # the batches are parted already
            logger=_loggers(settings, run, resumed_at),
            callbacks=callbacks,
            plugins=[AsideCheckpointIO()],
            log_every_n_steps=1,
            num_sanity_val_steps=0,
            default_root_dir=run.path,
        )
        data.held, judged = _held(photos, probes, trainer_settings, trainer.strategy.root_device)
        if validation is not None and judged is not None:
            validation.probes = judged
        if is_first_process():
            run.note_sitting(resumed_at, machine_facts(trainer))
        try:
            trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
        except (RuntimeError, EOFError, OSError, KeyError, pickle.UnpicklingError) as error:
            if resume and trainer.global_step <= resumed_at and not isinstance(error, torch.OutOfMemoryError):
                reason = " ".join(str(error).split())[:300]
                raise RunError(
                    f"{run.checkpoint} cannot be resumed ({reason}); delete it to start this run again."
                ) from error
            raise
        except SystemExit as leaving:
            if not isinstance(leaving.__context__, KeyboardInterrupt):
                raise
            # Lightning turns Ctrl-C into exit(1); a notebook goes on.
            raise KeyboardInterrupt from leaving
    if trainer.interrupted:
        raise KeyboardInterrupt
    best = validation if validation is not None and validation.best_texels is not None else None
    texels = best.best_texels if best is not None and trainer_settings.keep == "best" else None
    return Fitted(
        texels=module.finished().float().cpu() if texels is None else texels.float(),
        steps=trainer.global_step,
        best=None if best is None else {"step": best.best_step, "match_confidence": best.best},
        ink_fields=module.texture.ink_fields() if texels is None else None,
    )


def _held(
    photos: WornPhotos,
    probes: ValidationProbes | None,
    settings: TrainerSettings,
    device: torch.device,
) -> tuple[HeldPhotos | None, ValidationProbes | None]:
    """What stays on the device of the steps, as far as it fits: their photos, then those of validation."""
    budget = bytes_to_hold(settings, device)
    held = hold(photos, device, budget_bytes=budget) if budget else None
    if held is None or probes is None or isinstance(probes.photos, HeldPhotos):
        return held, probes
    judged = hold(probes.photos, device, budget_bytes=budget - held.taken)
    return held, probes if judged is None else replace(probes, photos=judged)


def _validation(settings: TrainSettings, probes: ValidationProbes | None) -> Validation | None:
    if probes is None:
        return None
    return Validation(
        probes,
        every=settings.trainer.validate_every,
        steps=settings.trainer.steps,
        patience=settings.trainer.patience,
    )


def _shown(
    settings: TrainSettings,
    photos: WornPhotos,
    run: RunFolder,
    own: OwnParts,
    draw: Callable[[Tensor, Path], object],
) -> list[Callback]:
    """What the user watches; only the first of several processes shows it."""
    if not is_first_process():
        return []
    trainer = settings.trainer
    callbacks: list[Callback] = [ProgressPlot(run.metrics, run.plot)]
    if own.progress is None and trainer.progress:
        callbacks.append(DesignProgress(steps=trainer.steps, batch=trainer.batch))
    if trainer.preview_every:
        shown = range(0, len(photos.crops), max(1, len(photos.crops) // _FACES_SHOWN))
        callbacks.append(
            PreviewPictures(
                run.previews,
                photos=photos,
                shown=list(shown)[:_FACES_SHOWN],
                every=trainer.preview_every,
                draw=draw,
            )
        )
    return callbacks


def _loggers(settings: TrainSettings, run: RunFolder, resumed_at: int) -> list[Logger]:
    loggers: list[Logger] = [CsvLog(run.metrics, resumed_at=resumed_at)]
    if settings.logger.kind == "wandb":
        loggers.append(WandbLog(settings, run))
    return loggers


def _step_of(checkpoint: Path) -> int:
    try:
        return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])
    except Exception as error:  # reading damaged or foreign files may raise nearly anything
        raise RunError(
            f"{checkpoint} is damaged ({type(error).__name__}); delete it to start this run again."
        ) from error
