"""What the user reads when something goes wrong: one sentence for what is his to mend, else a bug report.

What Hydra raises says by its class and attributes what kind of fault there is; which word has it is found by
looking at the words again, never by reading Hydra's messages.
"""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from advmask.commands.arguments import Arguments, unknown_option
from advmask.commands.settings_text import known_keys
from advmask.core.config_folders import user_conf_dir
from advmask.core.data_files import read_yaml
from advmask.core.errors import AdvmaskError, ConfigError, MissingPackageError

_FOLDERS_OF_HYDRA = ("hydra.run.dir", "hydra.sweep.dir")
# What a YAML file that is none comes to, deep in Hydra.
_OF_A_FILE = (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError, HydraException, OSError)
_LAUNCHERS = ("joblib", "submitit_local", "submitit_slurm")  # what advmask[sweep] brings


def explained(error: Exception, *, command: str, conf: Path, arguments: Arguments) -> AdvmaskError | None:
    """The error with its sentence and exit code, or None for a bug of ours.

    Args:
        error: What came out of composing or of running the command.
        command: Name of the command.
        conf: Folder of the YAML files.
        arguments: What the user asked for.
    """
    sentence: str | None = None
    if isinstance(error, AdvmaskError):
        return error
    if isinstance(error, _OF_A_FILE) and (damaged := _damaged_choice(arguments)):
        return ConfigError(damaged)
    if isinstance(error, OverrideParseException):
        key, equals, _ = error.override.partition("=")
        advice = f"; a text is quoted so: '{key}=\"TEXT\"'" if equals else ""
        sentence = (
            f"Cannot read {error.override!r}: a quote or a bracket is not closed, or a character needs "
            f"quotes{advice}."
        )
    elif isinstance(error, MissingConfigException) and error.options:
        return _missing_choice(error.missing_cfg_file or "", error.options)
    elif isinstance(error, InterpolationKeyError) and (named := _interpolated(arguments)):
        sentence = (
            f"{named} asks for the value of a setting by ${{...}}, and there is none of that name; a folder "
            "that is called so is written with a backslash before the $."
        )
    elif isinstance(error, (HydraException, ValueError)):
        sentence = _first_fault(command, conf, arguments)
        if sentence is None and isinstance(error, OmegaConfBaseException):
            sentence = _omegaconf(error)
        if sentence is None and isinstance(error.__cause__, OmegaConfBaseException):
            sentence = _omegaconf(error.__cause__)
        if sentence is None and isinstance(error, HydraException):
            sentence = f"The configuration does not compose: {' '.join(str(error).split()).rstrip('.')}."
    elif isinstance(error, RuntimeError) and "home directory" in str(error):  # of pathlib, for ~ and ~name
        sentence = "A path begins with ~, and that home folder is not known; write the folder out."
    # A key that is not there, outside composition, is one that the command's own code asked for: a bug.
    elif isinstance(error, OmegaConfBaseException) and not isinstance(
        error, (ConfigAttributeError, ConfigKeyError)
    ):
        sentence = _omegaconf(error)
    return None if sentence is None else ConfigError(sentence)


def _damaged_choice(arguments: Arguments) -> str | None:
    """What is wrong with the first of the user's own YAML files that a word chooses; None where none is."""
    given = arguments.option("--config-dir")
    folders = [*([Path(given)] if given else []), user_conf_dir()]
    for word in arguments.overrides:
        group, _, choice = word.partition("=")
        for path in (folder / group / f"{choice}.yaml" for folder in folders):
            try:
                values = read_yaml(path) or {}
                sound = isinstance(values, dict) and isinstance(values.get("defaults", []), list)
                reason = "" if sound else "lines of the form KEY: VALUE were expected"
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                reason = next(iter(str(error).splitlines()), "damaged")
            if reason:
                return f"{path} cannot be read ({reason.rstrip('.')}); mend it or make it anew."
    return None


def _interpolated(arguments: Arguments) -> str | None:
    """The first word that holds an interpolation which is not escaped."""
    return next((word for word in arguments.overrides if re.search(r"(?<!\\)\$\{", word)), None)


def _first_fault(command: str, conf: Path, arguments: Arguments) -> str | None:
    """What is wrong with the first setting that cannot be as it is; None where all can."""
    known = [*_keys(command, conf, arguments.overrides), *_FOLDERS_OF_HYDRA]
    parser = OverridesParser.create()
    for word in arguments.overrides:
        override = parser.parse_override(word)
        fault = _fault(override, known, conf=conf, multirun=arguments.multirun)
        if fault is not None:
            return fault
        key = override.key_or_group.replace("/", ".")
        if key in known or (key.startswith("hydra.") and _nearest(key, _FOLDERS_OF_HYDRA) is None):
            continue
        if override.is_add() or override.is_force_add() or _is_group(conf, override):
            continue
        if key in arguments.dashed:
            return unknown_option(arguments.dashed[key], near=_nearest(key, known))
        near = _nearest(key, known)
        hint = f"did you mean {near}?" if near else f"advmask {command} --help lists the settings."
        return f"Unknown setting {key}; {hint}"
    return None


def _fault(override: Override, known: Sequence[str], *, conf: Path, multirun: bool) -> str | None:
    key, value = override.key_or_group, (override.input_line or "").partition("=")[2]
    sweep, group = override.is_sweep_override(), _is_group(conf, override)
    if sweep and not multirun:
        if group:
            return f"Only one {key} can be chosen, not {value}; add -m to run each."
        if override.value_type == ValueType.SIMPLE_CHOICE_SWEEP:
            instead = f"write {key}=[{value}] for a list, or add -m to run each value."
            return f"Setting {key}={value} holds a comma: {instead}"
        return f"Setting {key}={value} is a sweep: add -m to run each value."
    if group and not (sweep or override.is_delete() or isinstance(override.value(), (str, list, type(None)))):
        return "A choice between files is written GROUP=NAME, and a number is not a name of a file."
    if override.is_add() and key in known:
        return f"Setting {key} exists; write it without the plus sign."
    return None


def _is_group(conf: Path, override: Override) -> bool:
    return (conf / override.key_or_group).is_dir()


def _keys(command: str, conf: Path, overrides: Sequence[str]) -> list[str]:
    """The keys under the choices the user made, or, where these do not compose either, under the defaults."""
    choices = [word for word in overrides if (conf / word.partition("=")[0]).is_dir()]
    for tried in (choices, []):
        try:
            return known_keys(conf, command, tried)
        except (HydraException, ValueError):
            continue
    return []


def _nearest(key: str, known: Sequence[str]) -> str | None:
    """The known key that may have been meant: its first unknown part is replaced, or its section."""
    parts = key.split(".")
    for place, part in enumerate(parts):
        above = "".join(f"{each}." for each in parts[:place])
        here = {name.removeprefix(above).split(".")[0] for name in known if name.startswith(above)}
        if part in here:
            continue
        near = difflib.get_close_matches(part, sorted(here), n=1, cutoff=0.65)
        if not near:
            break
        whole = ".".join([*parts[:place], near[0], *parts[place + 1 :]])
        return whole if whole in known else _nearest(whole, known) or f"{above}{near[0]}"
    # The section was left out or is another: compare the last part alone.
    last = parts[-1]
    for name in difflib.get_close_matches(last, [name.rpartition(".")[2] for name in known], n=1, cutoff=0.8):
        return next(whole for whole in known if whole.rpartition(".")[2] == name)
    return None


def _missing_choice(wanted: str, options: Sequence[str]) -> AdvmaskError:
    group, _, option = wanted.rpartition("/")
    if group == "hydra/launcher" and option in _LAUNCHERS:
        return MissingPackageError(
            f"{group}={option} needs a package that is not installed; run: pip install 'advmask[sweep]'"
        )
    near = difflib.get_close_matches(option, options, n=1, cutoff=0.7)  # cotton is no contour
    hint = f" Did you mean {group}={near[0]}?" if near else ""
    return ConfigError(f"Unknown choice {group}={option}; {group} is one of: {', '.join(options)}.{hint}")


def _omegaconf(error: OmegaConfBaseException) -> str:
    key = error.full_key or ""
    if isinstance(error, MissingMandatoryValue) and key:
        return f"Setting {key} is missing; give it as {key}=VALUE."
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
    return f"Setting {key} does not fit: {reason.rstrip('.')}." if key else f"{reason.rstrip('.')}."
