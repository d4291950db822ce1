"""What records say of recognizers, designs and packages."""

import hashlib
import logging
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from advmask import __version__
from advmask.core.errors import AdvmaskError
from advmask.evaluation.columns import columns_of
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers

_log = logging.getLogger(__name__)

_PACKAGES = ("kornia", "facenet-pytorch", "numpy", "pillow")


def about_recognizers(
    recognizers: Sequence[Recognizer], trained: Sequence[str] | None
) -> dict[str, dict[str, Any]]:
    """By label what recognizers are, and how far from those a design was trained against.

    Where one of those cannot be opened, that is logged, and the columns are not known.

    Args:
        recognizers: Those that judge.
        trained: Names of those that a design was trained against; None where they are not known.
    """
    columns = columns_of(recognizers, _opened(recognizers, trained))
    return {
        one.label: {
            "name": one.name,
            "family": one.family,
            "column": columns[one.label],
            "licence": one.licence,
            "source": one.source,
            "weights_sha256": one.weights_sha256,
        }
        for one in recognizers
    }


def package_versions() -> dict[str, str]:
    """Versions of advmask and of the installed packages that figures depend on."""
    found = {"advmask": __version__, "torch": str(torch.__version__)}  # torch's tells which build it is
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def texels_sha256(texels: Float[Tensor, "3 height width"]) -> str:
    """Hexadecimal SHA-256 of a design's texels as float32, channel by channel."""
    return hashlib.sha256(texels.detach().float().cpu().contiguous().numpy().tobytes()).hexdigest()


def _opened(recognizers: Sequence[Recognizer], names: Sequence[str] | None) -> list[Recognizer] | None:
    """The networks a design was trained against; None where that is not known or one of them is gone."""
    if names is None:
        return None
    here = {one.name: one for one in recognizers}
    try:
        return [here[name] if name in here else build_recognizers([name])[0] for name in names]
    except AdvmaskError as error:
        _log.warning(
            "A network the design was trained against cannot be opened, so columns are unknown: %s", error
        )
        return None
