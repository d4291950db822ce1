"""Running a command under Hydra: composition and sweeps are Hydra's, the words and the folder are ours."""

import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from advmask.commands.arguments import Arguments
from advmask.commands.composition import register
from advmask.commands.given_settings import as_mapping
from advmask.commands.output import (
    folder_of_first_process,
    is_extra_process,
    shared_output,
    unwritable,
)
from advmask.commands.quoting import escaped, quoted
from advmask.commands.settings import COMMAND_SETTINGS, TrainCommand
from advmask.core.config_folders import user_conf_dir
from advmask.core.errors import NO_ROOM, AdvmaskError, ConfigError, RunError
from advmask.core.settings import Settings


def launch(command: str, arguments: Arguments, *, module: str, conf: Path, typed: Sequence[str]) -> None:
    """Compose the configuration of a command and let the command's module run it, or show it.

    Args:
        command: Name of the command and of its top-level YAML file.
        arguments: What the user asked for.
        module: Import path of the module whose `run(config)` does the work; imported only now.
        conf: Absolute folder of the YAML files.
        typed: The words after the command, as the user typed them.

    Raises:
        RunError: The run folder cannot be made or written to.
        hydra.errors.HydraException: The configuration does not compose.
        KeyboardInterrupt: The user stopped the command; with the command that resumes it, for a training run.
        Exception: Whatever the command raised, as it was.
    """
    register(command)
    overrides = [*_search_path(arguments), *arguments.overrides]
    with initialize_config_dir(version_base="1.3", config_dir=str(conf), job_name=command):
        hydra, info = GlobalHydra.instance().hydra, arguments.option("--info")
        assert hydra is not None  # the object that `compose` asks too; sweeps have no other door but sys.argv
        if arguments.multirun:
            task = partial(_perform, command=command, module=module)
            hydra.multirun(command, task, [*overrides, "hydra.mode=MULTIRUN"], with_log_configuration=False)
            return
        if info is not None:
            hydra.show_info(info, command, overrides)
            return
        full = compose(command, overrides, return_hydra_config=True)
    if arguments.option("--cfg"):
        print(_shown(full, arguments), end="")
        return
    settings = check_settings(command, _without_hydra(full))
    if isinstance(settings, TrainCommand) and not (Path(full.hydra.run.dir) / "run.json").exists():
        settings.trainer.check_gpu()
    made = _make_folder(full)
    HydraConfig.instance().set_config(full)
    try:
        _perform(_without_hydra(full), command=command, module=module, typed=typed)
    except AdvmaskError:
        _take_away(made, of_training=isinstance(settings, TrainCommand))
        raise
    finally:
        HydraConfig.instance().cfg = None


def check_settings(command: str, config: DictConfig) -> Settings:
    """The settings of a command, checked before its module is imported, which takes seconds.

    Raises:
        ConfigError: One of them does not fit.
        omegaconf.errors.MissingMandatoryValue: One is missing.
    """
    return COMMAND_SETTINGS[command].build(as_mapping(config))


def _search_path(arguments: Arguments) -> list[str]:
    """The word that lets Hydra find the user's own choices in addition to ours, if there are any."""
    given = arguments.option("--config-dir")
    if given is not None and not Path(given).is_dir():
        raise ConfigError(f"There is no folder {given}; check --config-dir.")
    folders = [*([Path(given).absolute()] if given else []), user_conf_dir()]
    paths = ",".join(quoted(f"file://{folder}") for folder in folders if folder.is_dir())
    return [f"hydra.searchpath=[{paths}]"] if paths else []


def _without_hydra(full: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(full, [str(key) for key in full if key != "hydra"])


def _shown(full: DictConfig, arguments: Arguments) -> str:
    kind, package = arguments.option("--cfg"), arguments.option("--package")
    shown = {"job": _without_hydra(full), "hydra": OmegaConf.masked_copy(full, ["hydra"]), "all": full}
    chosen = shown[str(kind)]
    if package is not None:
        chosen = OmegaConf.select(chosen, package, throw_on_missing=False)
        if not OmegaConf.is_config(chosen):
            return f"{chosen}\n"
    return OmegaConf.to_yaml(chosen, resolve="--resolve" in arguments.options)


def _make_folder(full: DictConfig) -> list[Path]:
    """Make the run folder; gives what was not there before, the innermost first."""
    folder = Path(folder_of_first_process() or full.hydra.run.dir)
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(unwritable(folder, error.strerror or str(error))) from error
    with read_write(full.hydra.runtime), open_dict(full.hydra.runtime):
        full.hydra.runtime.output_dir = escaped(str(folder.absolute()))
    return missing


def _take_away(made: Sequence[Path], *, of_training: bool) -> None:
    """What failed at once leaves no folder that it made, but for one that holds anything else."""
    if made and of_training and not is_extra_process():
        from advmask.training.run_folder import take_away_unbegun

        take_away_unbegun(made[0])
    for folder in made:
        with suppress(OSError):
            folder.rmdir()


def _perform(config: DictConfig, *, command: str, module: str, typed: Sequence[str] | None = None) -> None:
    """Run the command, in a process whose words are those of this run alone.

    Lightning starts one more process per device with `sys.argv`; there is no other way to tell it the words.
    """
    words = list(HydraConfig.get().overrides.task if typed is None else typed)
    before, sys.argv = sys.argv, [sys.argv[0], command, *words]
    try:
        with shared_output() as folder:
            _run(module, config, folder, again=_again(command, words, folder))
    finally:
        sys.argv = before


def _run(module: str, config: DictConfig, folder: Path, *, again: str) -> None:
    try:
        import_module(module).run(config)
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(again) from stopped
    except SystemExit as leaving:
        if isinstance(leaving.__context__, KeyboardInterrupt):  # Lightning turns Ctrl-C into exit(1)
            raise KeyboardInterrupt(again) from leaving
        raise
    except OSError as error:
        if not _is_about(error, folder):
            raise
        # The system names no file where a stream is full: one of this folder, or what is printed.
        place = folder if error.filename else f"{folder}, or what is printed here"
        raise RunError(unwritable(place, error.strerror or str(error))) from error


def _again(command: str, words: Sequence[str], folder: Path) -> str:
    """The command that resumes a training run; empty for what cannot be resumed."""
    if command != "train" or is_extra_process():
        return ""
    here = Path.cwd()
    place = folder.relative_to(here) if folder.is_relative_to(here) else folder
    kept = [word for word in words if not word.startswith("hydra.run.dir=")]
    return shlex.join(["advmask", command, *kept, f"hydra.run.dir={place}"])


def _is_about(error: OSError, folder: Path) -> bool:
    if error.errno in NO_ROOM:
        return True
    if isinstance(error, FileNotFoundError) or not isinstance(error.filename, str):
        return False
    return Path(error.filename).absolute().is_relative_to(folder)
