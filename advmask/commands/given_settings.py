"""Which settings the user gave, as against those that merely have defaults."""

from collections.abc import Sequence
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from advmask.core.errors import ConfigError
from advmask.core.settings import Settings


def as_mapping(config: DictConfig) -> dict[str, Any]:
    """The composed configuration as plain, resolved values."""
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def given_keys() -> list[str]:
    """Dotted names of the settings that the user gave on the command line."""
    keys = [
        override.split("=", 1)[0].lstrip("+~").split("@")[0].replace("/", ".")
        for override in HydraConfig.get().overrides.task
    ]
    # The print-* presets of effects bring a printer.
    if "effects" in keys and HydraConfig.get().runtime.choices.get("printer", "none") != "none":
        keys.append("printer")
    # ensemble=NAME is another way to write recognizers=[...].
    return ["recognizers" if key == "ensemble" else key for key in keys]


def refuse_beside_run(names: Sequence[str]) -> None:
    """Refuse settings that the run behind `design=` brings itself.

    Raises:
        ConfigError: One of them was given.
    """
    given = [key for key in given_keys() if key.split(".")[0] in names]
    if given:
        raise ConfigError(
            f"{given[0]} comes from the run that design= names; give it with a picture file only."
        )


def over(base: dict[str, Any], config: DictConfig) -> dict[str, Any]:
    """The values of `base`, with those in their place that the user gave on the command line.

    Args:
        base: Nested settings, such as those of the run that a design comes from.
        config: The composed configuration of this command.
    """
    given = as_mapping(config)
    result = {key: base.get(key, value) for key, value in given.items()}
    for key in given_keys():
        path = key.split(".")
        source: Any = given
        target: Any = result
        for part in path[:-1]:
            target[part] = dict(target[part])
            source, target = source[part], target[part]
        if path[-1] in source:
            target[path[-1]] = source[path[-1]]
    return result


def beside_run(
    config: DictConfig, run: Settings | None, *, texels_per_mm: float, only: Sequence[str] | None = None
) -> dict[str, Any]:
    """Settings of a command that works on a design: the run's own, unless the user gave others.

    Args:
        config: The composed configuration of this command.
        run: Settings of the run that the design comes from; None for a picture file.
        texels_per_mm: Of the design.
        only: The settings to take from the run; None for all that this command knows.

    Raises:
        ConfigError: The user gave what the design brings with it.
    """
    if run is None:
        return as_mapping(config)
    refuse_beside_run(["mask", "texels_per_mm", "fit", "copy_mm"])
    of_run = run.model_dump(mode="json")
    base = of_run if only is None else {key: of_run[key] for key in only}
    return over(base, config) | {"texels_per_mm": texels_per_mm, "mask": of_run["mask"]}
