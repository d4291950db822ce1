"""A line of help for each setting, from the class that has it: its docstring, its bounds and its choices."""

import re
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from advmask.core.settings import Settings

_ENTRY = re.compile(r"^        (\w+): ", re.MULTILINE)
_BOUNDS = {"ge": "at least {:g}", "gt": "above {:g}", "le": "at most {:g}", "lt": "below {:g}"}


@cache
def documented(kind: type[Settings]) -> dict[str, str]:
    """A line for each attribute: what the docstrings of a class and of those it extends say of it."""
    lines: dict[str, str] = {}
    for base in [base for base in reversed(kind.__mro__) if issubclass(base, Settings)]:
        _, _, section = (base.__doc__ or "").partition("    Attributes:\n")
        parts = _ENTRY.split(section.split("\n\n")[0])
        lines |= {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    return lines


def help_of(kind: type[Settings], key: str) -> str:
    """The line of help of a setting, with its bounds and choices; empty where there is no such setting.

    Args:
        kind: Class of the settings.
        key: Dotted name.
    """
    name, _, rest = key.partition(".")
    field = kind.model_fields.get(name)
    if field is None:
        return ""
    if rest:
        inner = next(
            (option for option in _options(field.annotation) if hasattr(option, "model_fields")), None
        )
        return help_of(inner, rest) if inner is not None else ""
    said = _as_typed(documented(kind).get(name, "")).rstrip(".")
    allowed = [text for text in (_bounds(field), _choices(field, said)) if text]
    return f"{said} ({'; '.join(allowed)})" if allowed else said


def _as_typed(text: str) -> str:
    """As the command line has it: null for None, and no marks of code."""
    return re.sub(r"\bNone\b", "null", text.replace("`", ""))


def _options(annotation: Any) -> tuple[Any, ...]:
    """The types that a union joins, without None; or the one type itself."""
    origin = get_origin(annotation)
    if origin is None or origin in (Literal, tuple, list, dict):
        return (annotation,)
    inner = [option for part in get_args(annotation) for option in _options(part)]
    return tuple(option for option in inner if option is not type(None))


def _bounds(field: FieldInfo) -> str:
    marks = [*field.metadata]
    for option in get_args(field.annotation):
        marks += getattr(option, "__metadata__", ())
    flat = [mark for each in marks for mark in getattr(each, "metadata", [each])]
    found = {side: getattr(mark, side) for mark in flat for side in _BOUNDS if hasattr(mark, side)}
    if found.keys() == {"ge", "le"}:
        return f"{found['ge']:g} to {found['le']:g}"
    return ", ".join(_BOUNDS[side].format(bound) for side, bound in found.items())


def _choices(field: FieldInfo, said: str) -> str:
    names = [
        str(name)
        for one in _options(field.annotation)
        if get_origin(one) is Literal
        for name in get_args(one)
    ]
    untold = [name for name in names if not re.search(rf"\b{re.escape(name)}\b", said)]
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 and untold else ""
