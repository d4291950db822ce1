"""Named choices of settings (presets): the files of `conf/`, composed as the command line does."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from advmask.core import config_folders
from advmask.core.errors import ConfigError
from advmask.core.settings import Settings

S = TypeVar("S", bound=Settings)
Values = dict[str, Any]

# Groups whose presets name values of several other groups; of two that differ the later wins.
WHOLE = ("ensemble", "experiment")
# Groups whose presets say what a machine wants, over what one of `WHOLE` brings.
LAST = ("trainer",)
_MISSING = "???"  # what stands in YAML for a value that only the user can give


def preset_groups() -> list[str]:
    """Groups that have presets, in alphabetical order."""
    return sorted(folder.name for folder in config_folders.conf_dir().iterdir() if folder.is_dir())


def preset_names(group: str) -> list[str]:
    """Names of the presets of a group, ours and the user's own, in alphabetical order."""
    return sorted({path.stem for path in _files(group)})


def preset_values(group: str, name: str) -> Values:
    """What a preset changes, nested from the root of the settings.

    Raises:
        ConfigError: There is no such group, or no such preset in it.
    """
    return _read(group, name)[0]


def bare_values(kind: type[Settings]) -> Values:
    """Defaults of settings as plain values, without the presets that are chosen by default.

    What has no default is `???`.
    """
    fields = kind.model_fields
    bare = {name: _bare(kind, name) for name, field in fields.items() if field.default_factory is not None}
    values = kind.model_construct(None, **bare).model_dump(mode="json", warnings=False)
    return {name: _MISSING if field.is_required() else values[name] for name, field in fields.items()}


def composed(kind: type[S], choices: Mapping[str, str], values: Mapping[str, Any]) -> S:
    """Settings from presets and further values.

    As on the command line values win over presets, presets that are named over those that another brings,
    and what a preset of `WHOLE` says over what the preset of a single group says, but for those of `LAST`.

    Args:
        kind: Class of the settings.
        choices: Name of a preset by its group.
        values: Nested values. Settings among them stand for all of their group.

    Raises:
        ConfigError: There is no such group or preset, or the settings do not fit.
    """
    chosen, read = dict(choices), {}
    waiting = sorted(choices, key=lambda group: group not in WHOLE)
    for group in waiting:  # which grows meanwhile
        read[group], brought = _read(group, chosen[group])
        waiting += [other for other in brought if other not in chosen]
        chosen = brought | chosen
    given = {
        key: value.model_dump(mode="json") if isinstance(value, Settings) else value
        for key, value in values.items()
    }
    bare = {group: _bare(kind, group) for group in chosen if group in kind.model_fields}
    start = kind.model_construct(None, **bare).model_dump(mode="json", warnings=False)
    order = [group for group in kind.model_fields if group not in LAST] + [*WHOLE, *LAST]
    parts = [read[group] for group in sorted(read, key=order.index)]
    return kind.build(_merged(start, *parts, given))


def known(word: str, names: Iterable[str], *, what: str) -> str:
    """The word, if it is one of the names.

    Args:
        word: As the user wrote it.
        names: Those that there are.
        what: What they name, for the message.

    Raises:
        ConfigError: It is none of them; with the nearest, or all.
    """
    names = list(names)
    if word in names:
        return word
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.7)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ConfigError(f"There is no {what} {word!r}; {hint}Known are {', '.join(names)}.")


def _files(group: str) -> list[Path]:
    folders = (config_folders.conf_dir(), config_folders.user_conf_dir())
    return [path for folder in folders for path in (folder / group).glob("*.yaml")]


def _bare(kind: type[Settings], group: str) -> Settings:
    """The settings of a group as their class has them, whatever `kind` chooses."""
    made: Settings = (kind.model_fields[group].annotation or Settings)()
    return made


def _read(group: str, name: str) -> tuple[Values, dict[str, str]]:
    """What a preset changes, nested from the root of the settings, and the presets it brings, by group."""
    from omegaconf import OmegaConf

    known(group, preset_groups(), what="group of presets")
    known(name, preset_names(group), what=f"preset of {group}")
    path = next(path for path in _files(group) if path.stem == name)
    own: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    own.pop("hydra", None)
    values: Values = {}
    brought: dict[str, str] = {}
    for entry in own.pop("defaults", []):
        if isinstance(entry, dict):  # {"override /GROUP@PACKAGE": NAME}
            brought |= {key.split("/")[-1].split("@")[0]: other for key, other in entry.items()}
        elif entry != "_self_":
            beneath, further = _read(group, entry.split("@")[0])
            values, brought = _merged(values, beneath), further | brought
    at_root = path.read_text(encoding="utf-8").startswith("# @package _global_")
    return _merged(values, own if at_root else {group: own}), brought


def _merged(*parts: Mapping[str, Any]) -> Values:
    """Nested values, of which the later win."""
    whole: Values = {}
    for part in parts:
        for key, value in part.items():
            nested = isinstance(value, Mapping) and isinstance(whole.get(key), Mapping)
            whole[key] = _merged(whole[key], value) if nested else value
    return whole
