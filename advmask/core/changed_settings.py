"""Settings changed from Python: by the name of a preset, by some values, or by an object."""

from collections.abc import Mapping
from typing import Any, TypeVar

from advmask.core.errors import ConfigError
from advmask.core.presets import composed, preset_groups
from advmask.core.settings import Settings

S = TypeVar("S", bound=Settings)


def changed(base: S, given: Mapping[str, Any]) -> S:
    """Settings with other values where some are given.

    Args:
        base: What stays where nothing is given.
        given: By name of the setting. For a group that has presets the name of one, which takes the place of
            all the group, and of another group that the preset brings (`effects="print-inkjet"` a printer)
            where nothing else is given for it; for every group a mapping of the values to change, nested, or
            settings in its place.

    Raises:
        ConfigError: There is no such setting or preset, or the values do not fit.
    """
    kind, groups = type(base), preset_groups()
    names = {key: value for key, value in given.items() if isinstance(value, str) and key in groups}
    values = base.model_dump(mode="json")
    if names:
        chosen, plain = composed(kind, names, {}), kind()
        brought = {key for key in values if getattr(chosen, key) != getattr(plain, key)}
        values |= chosen.model_dump(mode="json", include=brought | names.keys())
    for key, value in given.items():
        if key in names:
            continue
        if isinstance(value, Settings):
            values[key] = value.model_dump(mode="json")
        elif isinstance(value, Mapping) and isinstance(values.get(key), dict):
            values[key] = _merged(values[key], value)
        elif isinstance(values.get(key), dict):
            raise ConfigError(
                f"Setting {key} is a group of values and is given as {value!r}; give a mapping."
            )
        else:
            values[key] = value
    return kind.build(values)


def _merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in given.items():
        inner = merged.get(key)
        nested = isinstance(value, Mapping) and isinstance(inner, Mapping)
        merged[key] = _merged(inner or {}, value) if nested else value
    return merged
