"""The settings of a command with their defaults and comments: composed by Hydra, commented by the YAML."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from advmask.core.config_folders import register_resolvers, user_conf_dir

_PACKAGE_HEADER = re.compile(r"#\s*@package\s+(\S+)")


@dataclass(frozen=True)
class Setting:
    """One key that the command line can set: `default` is written as YAML, `comment` may be empty."""

    key: str
    default: str
    comment: str = ""


def settings(conf: Path, command: str, overrides: Sequence[str] = ()) -> list[Setting]:
    """Every setting of a command, the choices between files first.

    Args:
        conf: Folder of the YAML files.
        command: Name of the top-level file, without `.yaml`.
        overrides: Hydra overrides; the defaults are shown as they are after them.

    Raises:
        hydra.errors.HydraException: The files or the overrides do not compose.
    """
    config, choices = _composed(conf, command, overrides)
    comments = _comments(conf, command, choices)
    rows = [
        Setting(group, str(option), _choice_comment(conf, group, comments.get(group, "")))
        for group, option in choices.items()
    ]
    plain = OmegaConf.to_container(config, resolve=False)
    rows += [
        Setting(key, _as_yaml(value), comments.get(key, ""))
        for key, value in _leaves(plain)
        if key not in choices
    ]
    return rows


def known_keys(conf: Path, command: str, overrides: Sequence[str] = ()) -> list[str]:
    """All that can stand before a `=`: settings, the sections they are in, groups of files."""
    keys: dict[str, None] = {}
    for row in settings(conf, command, overrides):
        parts = row.key.split(".")
        keys.update({".".join(parts[:end]): None for end in range(len(parts), 0, -1)})
    return list(keys)


def group_options(conf: Path, group: str) -> list[str]:
    """Names of the files of a group, ours and the user's own, in alphabetical order."""
    folders = (conf, user_conf_dir())
    return sorted({path.stem for folder in folders for path in (folder / group).glob("*.yaml")})


def _composed(conf: Path, command: str, overrides: Sequence[str]) -> tuple[DictConfig, dict[str, str]]:
    register_resolvers()
    with initialize_config_dir(version_base="1.3", config_dir=str(conf)):
        full = compose(config_name=command, overrides=list(overrides), return_hydra_config=True)
    choices = {
        str(group): str(option)
        for group, option in full.hydra.runtime.choices.items()
        if not str(group).startswith("hydra/")
    }
    config = OmegaConf.masked_copy(full, [str(key) for key in full if key != "hydra"])
    return config, choices


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and (value or not prefix):
        for key, item in value.items():
            yield from _leaves(item, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _as_yaml(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _choice_comment(conf: Path, group: str, comment: str) -> str:
    folder, _, _ = group.partition("@")
    options = f"one of: {', '.join(group_options(conf, folder))}"
    return f"{comment} ({options})" if comment else options


def _comments(conf: Path, command: str, choices: Mapping[str, str]) -> dict[str, str]:
    """Comment of each key, from the text of the command's file and of the chosen files."""
    files = [(conf / group.partition("@")[0] / f"{option}.yaml", group) for group, option in choices.items()]
    found: dict[str, str] = {}
    for path, group in [*files, (conf / f"{command}.yaml", "")]:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        found |= _comments_in(text, _package(text, group))
    return found


def _package(text: str, group: str) -> str:
    folder, at, package = group.partition("@")
    header = _PACKAGE_HEADER.match(text)
    if at:
        named = package
    elif header is not None:
        named = header[1]
    else:
        named = folder.replace("/", ".")
    named = named.replace("_group_", folder.replace("/", "."))
    return "" if named == "_global_" else named.removeprefix("_global_.")


def _comments_in(text: str, package: str) -> dict[str, str]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    lines = text.splitlines()
    found: dict[str, str] = {}

    def visit(node: yaml.Node, prefix: str) -> None:
        if not isinstance(node, yaml.MappingNode):
            return
        for key, value in node.value:
            if prefix == package and key.value in {"defaults", "hydra"}:
                _note_choices(key.value, value, lines, found)
                continue
            name = f"{prefix}.{key.value}" if prefix else str(key.value)
            comment = _comment_of(key, value, lines)
            if comment:
                found[name] = comment
            visit(value, name)

    if root is not None:
        visit(root, package)
    return found


def _note_choices(name: str, defaults: yaml.Node, lines: list[str], found: dict[str, str]) -> None:
    if name != "defaults" or not isinstance(defaults, yaml.SequenceNode):
        return
    for item in defaults.value:
        if isinstance(item, yaml.MappingNode):
            for key, value in item.value:
                comment = _comment_of(key, value, lines)
                if comment:
                    found[key.value.removeprefix("override ").removeprefix("optional ").strip("/")] = comment


def _comment_of(key: yaml.Node, value: yaml.Node, lines: list[str]) -> str:
    """The comment behind the value, or behind the key of a section, or else on the line above."""
    # A block's end mark lies on the next key, so a section's comment is looked for behind its key.
    block = isinstance(value, yaml.CollectionNode) and not value.flow_style
    mark = key.end_mark if block else value.end_mark
    behind = lines[mark.line][mark.column :] if mark.line < len(lines) else ""
    match = re.match(r":?\s*#\s*(.*)", behind)
    if match is not None:
        return match[1].strip()
    above = lines[key.start_mark.line - 1].strip() if key.start_mark.line else ""
    return above.lstrip("# ") if above.startswith("#") and "@package" not in above else ""
