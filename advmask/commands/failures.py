"""What the user reads when something goes wrong: one sentence for what is his to mend, else a bug report."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from advmask.commands.settings_text import known_keys
from advmask.core.errors import AdvmaskError, ConfigError

_UNKNOWN = re.compile(r"Could not override '([^']+)'|Could not delete from config. '([^']+)' does not exist")
_AMBIGUOUS = re.compile(r"Ambiguous value for argument '(?P<key>[^=]*)=(?P<value>.*)'\n\s*1\.", re.DOTALL)
_SENTENCES = (
    (
        re.compile(r"An item is already at '(?P<key>[^']+)'"),
        "Setting {key} exists; write it without the plus sign.",
    ),
    (
        re.compile(r"Sweep parameters '(?P<word>.*)' requires", re.DOTALL),
        "Setting {word} is a sweep: add -m to run each value.",
    ),
    (
        re.compile(r"Error merging override (?P<word>.*)", re.DOTALL),
        "Setting {word} does not fit: {reason}.",
    ),
)


def explained(error: Exception, *, command: str, conf: Path, overrides: Sequence[str]) -> AdvmaskError | None:
    """The error with its sentence and exit code, or None for a bug of ours.

    Args:
        error: What came out of composing or of running the command.
        command: Name of the command.
        conf: Folder of the YAML files.
        overrides: The settings given, quoted.
    """
    sentence: str | None = None
    if isinstance(error, AdvmaskError):
        return error
    if isinstance(error, OverrideParseException):
        sentence = _unreadable(error)
    elif isinstance(error, MissingConfigException):
        sentence = _missing_option(error)
    elif isinstance(error, HydraException):
        sentence = _composition(error, command=command, conf=conf, overrides=overrides)
    elif isinstance(error, ValueError) and str(error).startswith("Config group override must be"):
        sentence = "A choice between files is written GROUP=NAME, and a number is no name of a file."
    # A key that is not there, outside composition, is one that the command's own code asked for: a bug.
    elif isinstance(error, OmegaConfBaseException) and not isinstance(
        error, (ConfigAttributeError, ConfigKeyError)
    ):
        sentence = _omegaconf(error)
    return None if sentence is None else ConfigError(sentence)


def _composition(error: HydraException, *, command: str, conf: Path, overrides: Sequence[str]) -> str:
    text = str(error)
    ambiguous = _AMBIGUOUS.search(text)
    if ambiguous is not None:
        return _ambiguous(ambiguous["key"], ambiguous["value"], conf=conf)
    unknown = _UNKNOWN.search(text)
    if unknown is not None:
        return _unknown_setting(unknown[1] or unknown[2], command=command, conf=conf, overrides=overrides)
    for pattern, sentence in _SENTENCES:
        match = pattern.search(text)
        if match is not None:
            return sentence.format(**match.groupdict(), reason=_first_reason(str(error.__cause__)))
    if isinstance(error.__cause__, OmegaConfBaseException):
        return _omegaconf(error.__cause__)
    return f"The configuration does not compose: {_one_line(text)}"


def _unreadable(error: OverrideParseException) -> str:
    key, equals, _ = error.override.partition("=")
    reason = _first_reason(error.message)
    if "NoViableAlt" in reason or reason.startswith("no viable"):
        reason = "a quote or a bracket is not closed, or a character needs quotes"
    advice = f"; a text is quoted so: '{key}=\"TEXT\"'" if equals else ""
    return f"Cannot read {error.override!r}: {reason}{advice}."


def _ambiguous(key: str, value: str, *, conf: Path) -> str:
    if (conf / key).is_dir():
        return f"Only one {key} can be chosen, not {value}; add -m to run each."
    return (
        f"Setting {key}={value} holds a comma: write {key}=[{value}] for a list, or add -m to run each value."
    )


def _unknown_setting(key: str, *, command: str, conf: Path, overrides: Sequence[str]) -> str:
    near = _nearest(key, [*_keys(command, conf, overrides), "hydra.run.dir", "hydra.sweep.dir"])
    hint = f"did you mean {near}?" if near else f"advmask {command} --help lists the settings."
    return f"Unknown setting {key}; {hint}"


def _keys(command: str, conf: Path, overrides: Sequence[str]) -> list[str]:
    """The keys under the choices the user made, or, where these do not compose either, under the defaults."""
    choices = [word for word in overrides if (conf / word.partition("=")[0]).is_dir()]
    for tried in (choices, []):
        try:
            return known_keys(conf, command, tried)
        except HydraException:
            continue
    return []


def _nearest(key: str, known: Sequence[str]) -> str | None:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
    if close:
        return close[0]
    # The section was left out or is another: compare the last part alone.
    last = key.rpartition(".")[2]
    for name in difflib.get_close_matches(last, [name.rpartition(".")[2] for name in known], n=1, cutoff=0.8):
        return next(whole for whole in known if whole.rpartition(".")[2] == name)
    return None


def _missing_option(error: MissingConfigException) -> str:
    wanted = error.missing_cfg_file or ""
    group, slash, option = wanted.rpartition("/")
    if not slash or not error.options:
        return f"The configuration does not compose: {_one_line(str(error))}"
    near = difflib.get_close_matches(option, error.options, n=1)
    hint = f" Did you mean {group}={near[0]}?" if near else ""
    return f"Unknown choice {group}={option}; {group} is one of: {', '.join(error.options)}.{hint}"


def _omegaconf(error: OmegaConfBaseException) -> str:
    text = str(error)
    if match := re.search(r"Missing mandatory value: ([\w.]+)", text):
        return f"Setting {match[1]} is missing; give it as {match[1]}=VALUE."
    key = getattr(error, "full_key", None)
    if isinstance(error, MissingMandatoryValue) and key:
        return f"Setting {key} is missing; give it as {key}=VALUE."
    return f"Setting {key} does not fit: {_first_reason(text)}." if key else f"{_first_reason(text)}."


def _first_reason(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # Hydra's first line repeats the override; what is wrong stands on the second.
    if len(lines) > 1 and lines[0].startswith("Error parsing override"):
        lines = lines[1:]
    return lines[0].rstrip(".") if lines else "no reason given"


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".") + "."
