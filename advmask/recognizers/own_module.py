"""A network that is at hand as an object, made a recognizer: fed, compared and checked like all others."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from advmask.core.errors import ConfigError
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.network_check import carries_gradient, check_network
from advmask.recognizers.own_network import weights_checksum
from advmask.recognizers.specification import NetworkSpecification
from advmask.recognizers.subnormal import zero_subnormals

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
        ConfigError: It is no module, or a value does not fit.
        WeightsError: It does not run as it is to be fed, or not as a recognizer must.
    """
    if not isinstance(module, nn.Module):
        raise ConfigError(f"Recognizer.from_module takes a torch.nn.Module, not {type(module).__name__}.")
    name = type(module).__name__ if name is None else name
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"A recognizer cannot be named {name!r}; letters, digits, '.', '-' and '_' were expected."
        )
    network = deepcopy(module).cpu().eval().requires_grad_(False)
    zero_subnormals(network)
    values = {key: value for key, value in feeding.items() if value is not None}
    try:
        if "embedding" not in values:
            values["embedding"] = 2  # for the shape of the input, which is what the length is found by
            values["embedding"] = _embedding(network, NetworkSpecification.build(values))
        specification = NetworkSpecification.build(values)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
    check_network(network, specification, name=name)
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


@torch.no_grad()
def _embedding(network: nn.Module, specification: NetworkSpecification) -> int:
    """Length of what the network gives; where it gives something else, `check_network` says so."""
    like = next((each for each in network.parameters() if each.is_floating_point()), torch.empty(0))
    try:
        return int(network(torch.zeros(2, 3, *specification.size).to(like)).shape[1])
    except Exception:
        return specification.embedding
