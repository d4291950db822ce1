"""The settings of a command with their defaults, composed by Hydra, and their help, from its class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from advmask.commands.composition import composed
from advmask.commands.settings import COMMAND_SETTINGS
from advmask.core.presets import preset_names
from advmask.core.settings_help import help_of

_OF_WHOLE = {
    "ensemble": "a list of recognizers by name, in place of recognizers",
    "experiment": "a whole task",
}


@dataclass(frozen=True)
class Setting:
    """One key that the command line can set: `default` is written as YAML, `comment` may be empty."""

    key: str
    default: str
    comment: str = ""


def settings(conf: Path, command: str, overrides: Sequence[str] = ()) -> list[Setting]:
    """Every setting of a command: the choices between files, then single values, then groups of values.

    Args:
        conf: Folder of the YAML files.
        command: Name of the top-level file, without `.yaml`.
        overrides: Hydra overrides; the defaults are shown as they are after them.

    Raises:
        hydra.errors.HydraException: The files or the overrides do not compose.
    """
    config, choices = composed(command, overrides, conf=conf)
    kind = COMMAND_SETTINGS[command]
    rows = [Setting(group, option or "null", _choice_help(kind, group)) for group, option in choices.items()]
    leaves = sorted(_leaves(OmegaConf.to_container(config)), key=lambda leaf: "." in leaf[0])
    return [*reversed(rows), *(Setting(key, _as_yaml(value), help_of(kind, key)) for key, value in leaves)]


def known_keys(conf: Path, command: str, overrides: Sequence[str] = ()) -> list[str]:
    """All that can stand before a `=`: settings, the sections they are in, groups of files."""
    keys: dict[str, None] = {}
    for row in settings(conf, command, overrides):
        parts = row.key.split(".")
        keys.update({".".join(parts[:end]): None for end in range(len(parts), 0, -1)})
    return list(keys)


def _choice_help(kind: Any, group: str) -> str:
    said = _OF_WHOLE.get(group) or help_of(kind, group)
    options = f"one of: {', '.join(preset_names(group))}"
    return f"{said} ({options})" if said else options


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and (value or not prefix):
        for key, item in value.items():
            yield from _leaves(item, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _as_yaml(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")
