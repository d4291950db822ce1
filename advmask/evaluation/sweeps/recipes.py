"""Runs that differ in nothing but their seed are one recipe; what recipes differ in is found here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from advmask.core.errors import ConfigError
from advmask.evaluation.sweeps.measured_runs import RECORD, Run

SEED = "seed"
# What changes nothing of a design but its rounding, or where it is kept.
_NO_RECIPE = frozenset(
    {
        *("faces.cache", "faces.cache_gb", "trainer.progress", "trainer.threads", "trainer.preview_every"),
        *("trainer.workers", "trainer.checkpoint_every", "export", "check"),
    }
)
_NO_PART = ("logger.", "printing.")


@dataclass(frozen=True, eq=False)
class Recipe:
    """Runs with the same settings but for the seed.

    Attributes:
        name: What sets it apart from the others, as `texture.kind=pyramid`.
        settings: The settings in which recipes differ, with their values here.
        runs: By seed, one of each.
        again: Further runs of these seeds, as a reproduction is, which count for nothing.
    """

    name: str
    settings: Mapping[str, Any]
    runs: tuple[Run, ...]
    again: tuple[Run, ...] = ()


def differing(runs: Sequence[Run]) -> list[str]:
    """Settings that are not the same in all runs, but for the seed and what changes no design."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    return [key for key in keys if _of_a_recipe(key) and len({_value(run, key) for run in runs}) > 1]


def telling(runs: Sequence[Run], keys: Sequence[str]) -> list[str]:
    """Those of some settings that tell runs apart which the ones before them leave together."""
    told: list[str] = []
    groups = 1
    for key in keys:
        more = len({tuple(_value(run, each) for each in (*told, key)) for run in runs})
        if more > groups:
            told.append(key)
            groups = more
    return told


def recipes(runs: Sequence[Run], columns: Sequence[str] | None = None) -> list[Recipe]:
    """Runs grouped by their settings, in the order of the first of each.

    Args:
        runs: All.
        columns: Settings to name recipes by; None takes those that tell them apart.

    Raises:
        ConfigError: No run has such a setting.
    """
    keys = differing(runs)
    unknown = [key for key in columns or () if not any(key in run.settings for run in runs)]
    if unknown:
        differ = f"; these differ: {', '.join(keys)}" if keys else "; none differs but the seed"
        raise ConfigError(f"No run has a setting {unknown[0]}{differ}.")
    named = telling(runs, keys) if columns is None else list(columns)
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(_value(run, key) for key in keys), []).append(run)
    names = [_named(group[0], named) for group in groups.values()]
    return [
        Recipe(
            name if names.count(name) == 1 else f"{name} ({number})".strip(),
            {key: _told(group[0], key) for key in named},
            *_by_seed(group),
        )
        for number, (name, group) in enumerate(zip(names, groups.values(), strict=True), 1)
    ]


def as_text(value: Any) -> str:
    """A setting's value as it is written on the command line; lists by the last parts of their names."""
    if isinstance(value, list):
        return "+".join(as_text(each) for each in value) or "[]"
    if isinstance(value, str):
        return value.rsplit("/", 1)[-1]
    return json.dumps(value) if value is None or isinstance(value, bool) else f"{value}"


def _by_seed(group: Sequence[Run]) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """The runs by seed, of each the first that was measured; and the others of the same seeds."""
    kept: dict[Any, Run] = {}
    for run in sorted(group, key=lambda run: (run.by != RECORD, not run.results)):
        seed = run.settings.get(SEED)
        kept.setdefault(run if seed is None else seed, run)
    ordered = sorted(group, key=lambda run: run.settings.get(SEED) or 0)
    counted = [*kept.values()]
    return tuple(run for run in ordered if run in counted), tuple(run for run in group if run not in counted)


def _named(run: Run, keys: Sequence[str]) -> str:
    return ", ".join(f"{key}={as_text(run.settings.get(key))}" for key in keys) or "all runs"


def _told(run: Run, key: str) -> Any:
    """A value as it is written down: a kept file by its name below the run folder."""
    return run.kept[key].split("\n")[0] if key in run.kept else run.settings.get(key)


def _of_a_recipe(key: str) -> bool:
    return key != SEED and key not in _NO_RECIPE and not key.startswith(_NO_PART)


def _value(run: Run, key: str) -> str:
    return json.dumps(run.meant(key, run.settings.get(key)), sort_keys=True, default=str)
