"""What every settings class of the rooms shares, and how a bad setting is reported."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from advmask.core.errors import ConfigError

_LONGEST_VALUE = 200  # that is repeated in a sentence


class Settings(BaseModel):
    """Base of all settings: immutable, checked on entry, unknown keys refused.

    A room's settings are subclasses with typed, documented fields; the command line builds them from the
    composed configuration and nothing further down ever sees that configuration.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, arbitrary_types_allowed=True)

    @classmethod
    def build(cls, values: Mapping[str, Any]) -> Self:
        """Check `values` and build the settings.

        Args:
            values: Nested mapping, as composed from YAML and the command line.

        Raises:
            ConfigError: One sentence per bad setting, each naming the key and, for an unknown key, the
                nearest known ones.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise ConfigError(" ".join(_sentence(cls, problem) for problem in error.errors())) from error


def _sentence(root: type[BaseModel], problem: Any) -> str:
    path = [str(part) for part in problem["loc"]]
    key = ".".join(path)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(root, path[:-1])
        near = get_close_matches(path[-1], known, n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known here: {', '.join(sorted(known))}."
        return f"Unknown setting {key}; {hint}"
    if problem["type"] == "missing":
        return f"Setting {key} is missing."
    if problem["type"] == "model_type":
        own = _known_keys(root, path)
        given = problem["input"]
        advice = f"write {key}.root={given}" if "root" in own else f"write one as {key}.{own[0]}=VALUE"
        return f"Setting {key}={given} does not fit: {key} has settings of its own; {advice}."
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if not path:  # a contradiction between settings, which names them itself
        return f"{message[:1].upper()}{message[1:]}."
    if problem["type"] == "value_error" and isinstance(problem["input"], Mapping):  # said by the group itself
        return f"Setting {key} does not fit: {message[:1].lower()}{message[1:]}."
    return f"Setting {key}={_short(problem['input'])} does not fit: {message[:1].lower()}{message[1:]}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _known_keys(root: type[BaseModel], path: list[str]) -> list[str]:
    model: Any = root
    for part in path:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is None:
            return []
        options = [field.annotation, *get_args(field.annotation)]  # X | None is a union
        model = next((option for option in options if hasattr(option, "model_fields")), None)
    return list(getattr(model, "model_fields", {}))
