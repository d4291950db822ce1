"""Networks that give embeddings and no gradient: ONNX files run by onnxruntime."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import ConfigError, MissingPackageError, WeightsError


class BlackBox(nn.Module):
    """An ONNX network in onnxruntime, on the CPU.

    Args:
        session: An `onnxruntime.InferenceSession` with one input and one output.
        name: What to call it in errors.
        one_by_one: The network takes one picture at a time.
    """

    def __init__(self, session: Any, *, name: str, one_by_one: bool) -> None:
        super().__init__()
        self._session, self._name, self._one_by_one = session, name, one_by_one

    def forward(self, pictures: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim"]:
        """Embed normalised pictures; the result is on their device.

        Raises:
            ConfigError: A gradient is asked for.
        """
        if torch.is_grad_enabled() and pictures.requires_grad:
            raise ConfigError(
                f"{self._name} is a black box without gradient: it can be evaluated against, not trained "
                "against."
            )
        values = np.ascontiguousarray(pictures.detach().float().cpu().numpy())
        parts = np.split(values, len(values)) if self._one_by_one and len(values) > 1 else [values]
        (given,) = self._session.get_inputs()
        found = [self._session.run(None, {given.name: part})[0] for part in parts]
        return torch.from_numpy(np.concatenate(found)).to(pictures.device)


def load_black_box(path: Path) -> BlackBox:
    """Open an ONNX network in onnxruntime.

    Args:
        path: The .onnx file, with one input and one output of float32.

    Raises:
        MissingPackageError: onnxruntime is not installed.
        WeightsError: The file is missing, damaged, or has other than one input and one output.
    """
    if not path.is_file():
        raise WeightsError(f"There is no ONNX file {path}; check the path behind the colon.")
    try:
        onnxruntime = import_module("onnxruntime")
    except ImportError as error:
        raise MissingPackageError(
            "A network without gradient runs in the package onnxruntime; run: pip install onnxruntime"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        session = onnxruntime.InferenceSession(
            str(path),
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # which would try again with a notice of its own
        )
        ends = len(session.get_inputs()), len(session.get_outputs())
        shape = session.get_inputs()[0].shape if ends[0] else []
    except Exception as error:  # onnxruntime's own exceptions have no common base
        reason = (str(error).strip().splitlines() or ["no reason given"])[0][:200]
        raise WeightsError(
            f"onnxruntime cannot run {path} ({reason}); export or download it again."
        ) from error
    if ends != (1, 1):
        raise WeightsError(
            f"{path} has {ends[0]} inputs and {ends[1]} outputs; one of each was expected. Export it so."
        )
    return BlackBox(session, name=path.name, one_by_one=bool(shape) and shape[0] == 1)
