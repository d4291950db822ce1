"""`advmask reproduce`: make a run again from its folder, and say in plain words how it differs."""

from pathlib import Path

from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.commands.output import output_dir
from advmask.commands.settings import ReproduceCommand
from advmask.core.errors import ConfigError, RunError
from advmask.core.memory import keep_freed_memory
from advmask.training.reproduction import REPRODUCTION, reproduce
from advmask.training.run_folder import RunFolder


def run(config: DictConfig) -> None:
    """Make it again, compare, and print what came of it."""
    settings = ReproduceCommand.build(as_mapping(config))
    if settings.run is None:
        raise ConfigError("No run is named; write `advmask reproduce RUN`, the folder of a finished run.")
    path, folder = Path(settings.run).expanduser(), output_dir()
    objects = RunFolder(path).objects
    if objects.exists():
        raise RunError(
            f"{path} was given objects from Python ({objects}), which its folder does not hold; make it "
            "again from the same script, with advmask.reproduce(RUN, folder=..., ...)."
        )
    keep_freed_memory()
    found = reproduce(
        path,
        folder=folder,
        faces={key: path for key, path in dict(settings.faces).items() if path is not None},
        recognizers=settings.recognizers,
        bars=settings.progress,
    )
    if found is not None:  # the first of the processes that share it
        print(f"\n{found.text()}\n\nMade again in {folder}; this stands in {folder / REPRODUCTION}.")
