"""Lightning's loop, set up and run from checkpoint to checkpoint."""

import pickle
import signal
from collections.abc import Callable
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]

from advmask.errors import ConfigError, RunError
from advmask.training.checkpoints import AsideCheckpointIO, StretchCheckpoint
from advmask.training.csv_log import CsvLog
from advmask.training.data import StepData
from advmask.training.module import DesignModule
from advmask.training.preview import PreviewPictures
from advmask.training.progress import DesignProgress
from advmask.training.quiet import quiet_lightning
from advmask.training.run_folder import RunFolder
from advmask.training.settings import LoggerSettings, TrainSettings
from advmask.worn import WornPhotos

_FACES_SHOWN = 6


def fit(
    module: DesignModule,
    photos: WornPhotos,
    settings: TrainSettings,
    run: RunFolder,
    *,
    tell: Callable[[str], None],
) -> None:
    """Train the module from the run's last checkpoint, or from the start, to its last step.

    Args:
        module: Changed in place.
        photos: What it is trained on.
        settings: How long, and on what machine.
        run: Where checkpoints, the log and previews go.
        tell: Receives sentences for the user.

    Raises:
        ConfigError: This machine lacks what the settings ask for.
        RunError: The checkpoint is damaged.
        KeyboardInterrupt: The user stopped the run.
    """
    trainer_settings = settings.trainer
    resume = run.checkpoint if run.checkpoint.exists() else None
    resumed_at = _step_of(run.checkpoint) if resume else 0
    if resume:
        tell(f"Resuming {run.path} from step {resumed_at} of {trainer_settings.steps}.")
    callbacks: list[Callback] = [StretchCheckpoint(run.checkpoint)]
    if trainer_settings.progress:
        callbacks.append(DesignProgress(steps=trainer_settings.steps, batch=trainer_settings.batch))
    if trainer_settings.preview_every:
        shown = range(0, len(photos.crops), max(1, len(photos.crops) // _FACES_SHOWN))
        callbacks.append(
            PreviewPictures(
                run.previews,
                photos=photos,
                shown=list(shown)[:_FACES_SHOWN],
                every=trainer_settings.preview_every,
            )
        )
    data = StepData(
        photos,
        batch=trainer_settings.batch,
        seed=settings.seed,
        stretch=min(trainer_settings.checkpoint_every, trainer_settings.steps),
    )
    pl.seed_everything(settings.seed, workers=True, verbose=False)
    with quiet_lightning():
        try:
            trainer = pl.Trainer(
                max_steps=trainer_settings.steps,
                accelerator=trainer_settings.accelerator,
                devices=trainer_settings.devices,
                precision=trainer_settings.precision,
                logger=_loggers(settings.logger, run, resumed_at),
                callbacks=callbacks,
                plugins=[AsideCheckpointIO()],
                log_every_n_steps=1,
                num_sanity_val_steps=0,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                deterministic="warn",
                default_root_dir=run.path,
            )
        except (ValueError, MisconfigurationException) as error:  # its words for what this machine lacks
            reason = " ".join(str(error).split()).rstrip(".!")
            raise ConfigError(
                f"Cannot train with trainer.accelerator={trainer_settings.accelerator} and "
                f"trainer.devices={trainer_settings.devices}: {reason}."
            ) from error
        on_interrupt = signal.getsignal(signal.SIGINT)
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
            # Lightning turns Ctrl-C into exit(1) and leaves the signal ignored; a notebook goes on.
            signal.signal(signal.SIGINT, on_interrupt)
            raise KeyboardInterrupt from leaving
    if trainer.interrupted:
        raise KeyboardInterrupt


def _loggers(settings: LoggerSettings, run: RunFolder, resumed_at: int) -> list[Logger]:
    loggers: list[Logger] = [CsvLog(run.metrics, resumed_at=resumed_at)]
    if settings.kind == "wandb":
        from pytorch_lightning.loggers import WandbLogger

        loggers.append(WandbLogger(project=settings.project, offline=settings.offline, save_dir=run.path))
    return loggers


def _step_of(checkpoint: Path) -> int:
    try:
        return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])
    except Exception as error:  # reading damaged or foreign files may raise nearly anything
        raise RunError(
            f"{checkpoint} is damaged ({type(error).__name__}); delete it to start this run again."
        ) from error
