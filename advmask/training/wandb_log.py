"""Weights & Biases: one record there for each run, however often it is resumed; faces only where asked."""

import json
import logging
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from advmask.core.config_folders import has_home
from advmask.core.data_files import read_json
from advmask.core.errors import ConfigError, RunError
from advmask.core.files import write_text
from advmask.training.run_folder import RunFolder
from advmask.training.settings import LoggerSettings, TrainSettings

_log = logging.getLogger(__name__)

_ID = "wandb.json"
# Not the user's to give away unasked: what is printed, their git remote, host, user and words typed.
_QUIET = {"console": "off", "silent": True, "disable_git": True, "save_code": False}
_NEWER = {"x_disable_meta": True, "x_disable_stats": True}  # as versions from 0.19 on call them
_OLDER = {"_disable_meta": True, "_disable_stats": True}


class WandbLog(Logger):
    """Sends each step's values, under the number of the step, to the run's record at Weights & Biases.

    Args:
        settings: Of the run; they become its configuration there, with the names of folders alone.
        run: The run folder, which keeps the id.

    Raises:
        ConfigError: There is no home folder, or the service refuses.
    """

    def __init__(self, settings: TrainSettings, run: RunFolder) -> None:
        super().__init__()
        self._settings = settings
        self._folder = run
        self._run: Any = None

    @property
    def name(self) -> str:
        """Of the logger."""
        return "wandb"

    @property
    def version(self) -> str:
        """The id of the record."""
        return _id_of(self._folder)

    @property
    def experiment(self) -> Any:
        """The record, open; of the `wandb` package."""
        if self._run is None:
            self._run = _opened(self._settings, self._folder)
        return self._run

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """The settings are its configuration from the start."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Send a step's values."""
        self.experiment.log({k: v for k, v in metrics.items() if k != "epoch"} | {"step": step})

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the record; `tell_wandb` opens it again."""
        if self._run is not None:
            self._run.finish(exit_code=0 if status == "success" else 1)
            self._run = None


@rank_zero_only
def tell_wandb(
    settings: TrainSettings,
    run: RunFolder,
    *,
    pictures: Mapping[str, Path] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> None:
    """Add pictures and final figures to the record of a run, if it has one; which is closed again.

    Args:
        settings: Of the run.
        run: Its folder.
        pictures: Files by name; those that are not there are left out.
        figures: Of the summary, by name.
    """
    if settings.logger.kind != "wandb":
        return
    import wandb

    record = _opened(settings, run)
    shown = {name: wandb.Image(str(path)) for name, path in (pictures or {}).items() if path.is_file()}
    if shown:
        record.log(shown)
    record.summary.update(dict(figures or {}))
    record.finish()


def tell_wandb_after(
    settings: TrainSettings, run: RunFolder, *, here_only: bool = False, **told: Mapping[str, Any]
) -> None:
    """As `tell_wandb`, after work that must not end in an error: why nothing was told is logged.

    Args:
        settings: Of the run.
        run: Its folder.
        here_only: Keep what is told on this machine, whatever the settings say.
        told: `pictures` and `figures`.
    """
    if here_only and settings.logger.kind == "wandb" and not settings.logger.offline:
        logger = settings.logger.model_copy(update={"offline": True})
        settings = settings.model_copy(update={"logger": logger})
        _log.info("These figures are kept in %s; wandb sync sends them.", run.path / "wandb")
    try:
        tell_wandb(settings, run, **told)
    except Exception as error:  # whatever a service, or the lack of its package, comes to
        _log.warning("The record at Weights & Biases lacks this: %s", " ".join(str(error).split()))


def design_pictures(settings: LoggerSettings, run: RunFolder) -> dict[str, Path]:
    """What is sent of a design: the texture, its course, and faces that wear it only if asked."""
    pictures = {"texture": run.path / "texture.png", "progress": run.plot}
    worn = sorted(run.previews.glob("step_*.png"))
    if settings.faces and worn:
        pictures["faces"] = worn[-1]
    return pictures


def _id_of(run: RunFolder) -> str:
    path = run.path / _ID
    try:
        return str(read_json(path)["id"])
    except FileNotFoundError:
        new = secrets.token_hex(4)
        write_text(path, json.dumps({"id": new}) + "\n")
        return new
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{path} is damaged; delete it to have a new record at Weights & Biases from here on."
        ) from error


def _opened(settings: TrainSettings, run: RunFolder) -> Any:
    if not has_home():
        raise ConfigError("logger=wandb needs a home folder, and there is none; set HOME.")
    import wandb

    asked = settings.logger
    if wandb.run is not None:
        raise ConfigError(
            "Another record of Weights & Biases is open in this process; close it first, by wandb.finish()."
        )
    known = {key for one in wandb.Settings.__mro__ for key in getattr(one, "__annotations__", {})}
    quiet = _QUIET | {key: value for key, value in (_NEWER | _OLDER).items() if key in known}
    place = run.path.absolute()
    place.mkdir(parents=True, exist_ok=True)
    # Each time it is opened its part lies in a folder named by the second: two of one second would be one.
    if any(time.time() - part.stat().st_mtime < 1 for part in (place / "wandb").glob("*run-*")):
        time.sleep(1)
    try:
        record = wandb.init(
            project=asked.project,
            name=asked.name or place.name,
            group=asked.group or place.parent.name or None,
            id=_id_of(run),
            resume="allow",
            mode="offline" if asked.offline else "online",
            dir=str(place),
            config=_config(settings),
            settings=wandb.Settings(**quiet),
        )
    except wandb.errors.Error as error:
        raise ConfigError(
            f"Weights & Biases refused: {' '.join(str(error).split())} Log in with `wandb login`, or keep "
            "its records on this machine with logger.offline=true."
        ) from error
    record.define_metric("step")
    record.define_metric("*", step_metric="step")
    return record


def _config(settings: TrainSettings) -> dict[str, Any]:
    """The settings with folders and files of this machine by their names alone."""
    values: dict[str, Any] = _named(settings.model_dump(mode="json"))
    return values


def _named(value: Any) -> Any:
    """Values, and names of values, in which of every path the last part is left: `onnx:/a/b.onnx`, too."""
    if isinstance(value, Mapping):
        return {_named(key): _named(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_named(one) for one in value]
    if not isinstance(value, str) or not (parts := re.split(r"[/\\]", value.rstrip("/\\")))[1:]:
        return value
    kind, colon, _ = parts[0].rpartition(":")
    return f"{kind}{colon}{parts[-1]}"
