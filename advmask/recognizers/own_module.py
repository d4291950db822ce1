"""A network that is at hand as an object, made a recognizer: fed, compared and checked like all others."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from torch import nn

from advmask.core.errors import ConfigError
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.network_check import carries_gradient
from advmask.recognizers.own_network import fitted_module, weights_checksum

MODULE = "module"
"""Scheme of networks that were given as objects: records call them `module:NAME`."""

_NAME = re.compile(r"[\w.-]+")


def as_recognizer_parts(module: nn.Module, name: str | None, feeding: Mapping[str, Any]) -> dict[str, Any]:
    """What a `Recognizer` is built from; see `Recognizer.from_module`, of which these are the arguments.

    Args:
        module: The network; a copy is taken.
        name: For tables and records; None takes that of its class.
        feeding: Keys of the specification; the embedding may be missing or None.

    Raises:
        ConfigError: It is not a module, or a value does not fit.
        WeightsError: It does not run as it is to be fed, or not as a recognizer must.
    """
    if not isinstance(module, nn.Module):
        raise ConfigError(f"Recognizer.from_module takes a torch.nn.Module, not {type(module).__name__}.")
    name = type(module).__name__ if name is None else name
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"A recognizer cannot be named {name!r}; letters, digits, '.', '-' and '_' were expected."
        )
    network = deepcopy(module).cpu()
    values = {key: value for key, value in feeding.items() if value is not None}
    try:
        network, specification = fitted_module(
            network, values, name=name, find_length="embedding" not in values
        )
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
    given = specification.calibration
    return {
        "name": f"{MODULE}:{name}",
        "network": network,
        "specification": specification,
        "calibration": None
        if given is None
        else Calibration(
            fmr=given.fmr, threshold=given.threshold, scale=given.scale, source=f"{name}, as it was given"
        ),
        "weights_sha256": weights_checksum(network),
        "why_no_gradient": "" if carries_gradient(network, specification) else "no gradient comes through it",
    }
