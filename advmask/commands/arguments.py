"""The words after `advmask COMMAND`, sorted into positionals, settings and Hydra's own options."""

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from advmask.commands.quoting import PATH_KEYS, quote_overrides, quoted, quoted_path
from advmask.core.errors import ConfigError


@dataclass(frozen=True)
class Arguments:
    """What the user asked for; `overrides` are quoted and complete, `options` are Hydra's."""

    overrides: tuple[str, ...]
    options: tuple[str, ...]
    help: bool = False
    multirun: bool = False


def parse(command: str, words: Sequence[str], positionals: Sequence[str]) -> Arguments:
    """Sort the words after the command.

    Args:
        command: Name of the command, for messages.
        words: Everything after it.
        positionals: Setting that each leading bare word fills, in order; a last one that ends in `...`
            takes all that remain, as a list.

    Raises:
        ConfigError: An unknown option, or a bare word that has no place.
    """
    bare, rest = _leading_bare_words(words)
    filled = _fill(command, bare, positionals)
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    known = parser.parse_intermixed_args(rest)  # options may stand between settings
    _refuse_contradictions(known)
    for word in known.overrides:
        if "=" not in word and not word.startswith("~"):
            raise ConfigError(f"Cannot read {word!r}: a setting is written KEY=VALUE; see {_help(command)}.")
    multirun = known.multirun or any(word.upper() == "HYDRA.MODE=MULTIRUN" for word in known.overrides)
    return Arguments(
        overrides=(*filled, *quote_overrides(known.overrides, multirun=multirun)),
        options=_spelled(known),
        help=known.help,
        multirun=multirun,
    )


def _leading_bare_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    count = 0
    while count < len(words) and _is_bare(words[count]):
        count += 1
    return list(words[:count]), list(words[count:])


def _is_bare(word: str) -> bool:
    # A word that begins like a path is one, even if it holds "=" (a setting) or begins with "~" (a removal).
    if word.startswith(("/", "./", "../", "~/")):
        return True
    return "=" not in word and not word.startswith(("-", "+", "~"))


def _fill(command: str, bare: list[str], positionals: Sequence[str]) -> list[str]:
    takes_rest = bool(positionals) and positionals[-1].endswith("...")
    if len(bare) > len(positionals) and not takes_rest:
        word = bare[len(positionals)]
        raise ConfigError(
            f"Cannot read {word!r}: {command} takes settings as KEY=VALUE here; see {_help(command)}."
        )
    filled: list[str] = []
    for position, key in enumerate(positionals[: len(bare)]):
        if key.endswith("..."):
            paths = ",".join(quoted_path(word) for word in bare[position:])
            filled.append(f"{key.removesuffix('...')}=[{paths}]")
        else:
            filled.append(f"{key}={(quoted_path if key in PATH_KEYS else quoted)(bare[position])}")
    return filled


def _refuse_contradictions(known: argparse.Namespace) -> None:
    modes = {"--run": known.run, "--multirun": known.multirun, "--cfg": known.cfg, "--info": known.info}
    chosen = [name for name, value in modes.items() if value]
    if len(chosen) > 1:
        raise ConfigError(f"Give only one of {' and '.join(chosen)}.")
    if known.resolve and not known.cfg:
        raise ConfigError("--resolve needs --cfg job.")


def _spelled(known: argparse.Namespace) -> tuple[str, ...]:
    """Hydra's options again as words: all but the help, which is ours."""
    words: list[str] = []
    for name, value in vars(known).items():
        if name in {"overrides", "help"} or value is None or value is False:
            continue
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            words.append(value)
    return tuple(words)


def _refuse(message: str) -> NoReturn:
    unknown = message.removeprefix("unrecognized arguments: ")
    if unknown == message:
        raise ConfigError(f"Cannot read the options: {message}.")
    word = unknown.split()[0]
    known = [option for action in get_args_parser()._actions for option in action.option_strings]
    near = difflib.get_close_matches(word, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the options are {', '.join(sorted(known))}."
    raise ConfigError(f"Unknown option {word}; {hint}")


def _help(command: str) -> str:
    return f"advmask {command} --help"
