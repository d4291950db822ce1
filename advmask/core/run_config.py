"""`config.yaml`: what a run was asked to do, read from its folder by each room for the settings it knows."""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any, TypeVar

import advmask
from advmask.core.data_files import read_yaml
from advmask.core.errors import ConfigError, RunError
from advmask.core.settings import Settings

CONFIG, TEXTURE, TEXTURE_PICTURE = "config.yaml", "texture.safetensors", "texture.png"
KEPT_FILES = {
    ("mask", "pattern"): "pattern",
    ("printer", "profile"): "printer",
    ("printer", "table"): "printer",
    ("texture", "start"): "started_from",
    ("objective.style", "picture"): "styled_after",
}
"""Settings that can name a file of the user's, and the folder in the run folder that holds a copy of it."""

S = TypeVar("S", bound=Settings)


def settings_of_run(folder: Path, kind: type[S], *, beside: Set[str] | None = None) -> S:
    """What a run was asked to do, as far as a kind of settings goes.

    Args:
        folder: The run folder.
        kind: The settings.
        beside: What else may stand there, which is left out; None leaves out all that `kind` has not.

    Raises:
        RunError: There is no run here, or its configuration cannot be read.
        ConfigError: It was written by another version, with other settings.
    """
    values = {
        key: value
        for key, value in read_config(folder).items()
        if key in kind.model_fields or not (beside is None or key in beside)
    }
    try:
        return kind.build(values)
    except ConfigError as error:
        raise ConfigError(
            f"{folder / CONFIG} does not fit advmask {advmask.__version__}: {error} If another version wrote "
            f"it, its design can still be used as a picture: design={folder / TEXTURE_PICTURE}."
        ) from error


def read_config(folder: Path) -> dict[str, Any]:
    """What a run was asked to do, as it stands there, whatever version wrote it.

    Raises:
        RunError: There is no run here, or its configuration cannot be read.
    """
    path = folder / CONFIG
    try:
        values = read_yaml(path)
    except FileNotFoundError as error:
        raise RunError(f"{folder} is not a run folder: it has no {CONFIG}.") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read; restore it or start a new run.") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} holds no settings; restore it or start a new run.")
    for (group, key), kept in KEPT_FILES.items():
        part = part_of(values, group)
        if str(part.get(key, "")).startswith(f"{kept}/"):
            part[key] = str(folder.absolute() / part[key])
    return values


def part_of(values: dict[str, Any], group: str) -> dict[str, Any]:
    """The settings of a group, itself and not a copy; its name may be dotted; empty where there are none."""
    part: Any = values
    for name in group.split("."):
        part = part.get(name) if isinstance(part, dict) else None
    return part if isinstance(part, dict) else {}


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by their dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
