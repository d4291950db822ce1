"""The words after `advmask COMMAND`, sorted into bare words, settings and options."""

import difflib
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from advmask.commands.quoting import PATH_KEYS, quote_overrides, quoted, quoted_path
from advmask.core.errors import ConfigError

FLAGS = ("--help", "--multirun", "--resolve")
VALUED = ("--cfg", "--package", "--config-dir", "--info")
_SHORT = {
    "-h": "--help",
    "-m": "--multirun",
    "-c": "--cfg",
    "-p": "--package",
    "-cd": "--config-dir",
    "-i": "--info",
}
_CHOICES = {
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
}
_MEANT = {"faces": "faces.root"}  # what an option named like a section stands for
_SETTING = re.compile(r"\+{0,2}[A-Za-z_][\w.@/]*=")


@dataclass(frozen=True)
class Arguments:
    """What the user asked for.

    Attributes:
        overrides: Settings in Hydra's grammar, quoted and complete.
        options: The options given, by their long names; `True` for those that take no value.
        dashed: Settings that were written as options, `--KEY VALUE`, by key, as typed.
        multirun: Whether settings with several values are run one by one.
    """

    overrides: tuple[str, ...]
    options: dict[str, str | bool] = field(default_factory=dict)
    dashed: dict[str, str] = field(default_factory=dict)
    multirun: bool = False

    def option(self, name: str) -> str | None:
        """The value of an option; None where it was not given."""
        value = self.options.get(name)
        return value if isinstance(value, str) else None


def parse(command: str, words: Sequence[str], positionals: Sequence[str]) -> Arguments:
    """Sort the words after the command.

    Args:
        command: Name of the command, for messages.
        words: Everything after it.
        positionals: Setting that each bare word fills, in order; a last one that ends in `...` takes all that
            remain, as a list.

    Raises:
        ConfigError: An option that cannot be one, or a bare word that has no place.
    """
    bare: list[str] = []
    settings: list[str] = []
    options: dict[str, str | bool] = {}
    dashed: dict[str, str] = {}
    queue = deque(words)
    while queue:
        word = queue.popleft()
        name, equals, value = word.partition("=")
        name = _SHORT.get(name, name)
        if not _is_option(word):
            (bare if _is_bare(word) else settings).append(word)
        elif name in FLAGS and not equals:
            options[name] = True
        elif name in VALUED:
            if not equals:
                value = queue.popleft() if queue and not _is_option(queue[0]) else ""
            options[name] = _checked(name, value or ("all" if name == "--info" else ""))
        elif name.startswith("--") and name not in FLAGS:
            key = name[2:].replace("-", "_")
            key = _MEANT.get(key, key)
            if not equals:
                value = queue.popleft() if queue and _is_value(queue[0]) else "true"
            settings.append(f"{key}={value}")
            dashed[key] = name
        else:
            raise ConfigError(unknown_option(word))
    _refuse_contradictions(options)
    multirun = "--multirun" in options or any(word.upper() == "HYDRA.MODE=MULTIRUN" for word in settings)
    return Arguments(
        overrides=(*_fill(command, bare, positionals), *quote_overrides(settings, multirun=multirun)),
        options=options,
        dashed=dashed,
        multirun=multirun,
    )


def unknown_option(word: str, *, near: str | None = None) -> str:
    """The sentence about an option that is none.

    Args:
        word: As typed, without a value.
        near: The setting that may have been meant, where it may have been one.
    """
    known = [*FLAGS, *VALUED, *_SHORT]
    meant = [*difflib.get_close_matches(word, known, n=1), *([f"--{near}"] if near else [])]
    hint = f"did you mean {meant[0]}?" if meant else f"the options are {', '.join(sorted(known))}."
    return f"Unknown option {word}; {hint}"


def _is_option(word: str) -> bool:
    return re.match(r"--?[A-Za-z]", word) is not None


def _is_bare(word: str) -> bool:
    # A word that begins like a path is one, even if it holds "=" (a setting) or begins with "~" (a removal).
    if word.startswith(("/", "./", "../", "~/")):
        return True
    return "=" not in word and not word.startswith(("+", "~"))


def _is_value(word: str) -> bool:
    return not _is_option(word) and (_is_bare(word) or _SETTING.match(word) is None)


def _checked(name: str, value: str) -> str:
    choices = _CHOICES.get(name)
    if not value or (choices and value not in choices):
        wanted = f"one of {', '.join(choices)}" if choices else "a value"
        raise ConfigError(f"Cannot read the options: {name} takes {wanted}, not {value!r}.")
    return value


def _fill(command: str, bare: list[str], positionals: Sequence[str]) -> list[str]:
    takes_rest = bool(positionals) and positionals[-1].endswith("...")
    if len(bare) > len(positionals) and not takes_rest:
        word = bare[len(positionals)]
        raise ConfigError(
            f"Cannot read {word!r}: {command} takes settings as KEY=VALUE here. A name with a space is "
            f"written in quotes: 'my drawing.png'; see advmask {command} --help."
        )
    filled: list[str] = []
    for position, key in enumerate(positionals[: len(bare)]):
        if key.endswith("..."):
            paths = ",".join(quoted_path(word) for word in bare[position:])
            filled.append(f"{key.removesuffix('...')}=[{paths}]")
        else:
            filled.append(f"{key}={(quoted_path if key in PATH_KEYS else quoted)(bare[position])}")
    return filled


def _refuse_contradictions(options: dict[str, str | bool]) -> None:
    chosen = [name for name in ("--multirun", "--cfg", "--info") if name in options]
    if len(chosen) > 1:
        raise ConfigError(f"Give only one of {' and '.join(chosen)}.")
    for name in ("--resolve", "--package"):
        if name in options and "--cfg" not in options:
            raise ConfigError(f"{name} needs --cfg job.")
