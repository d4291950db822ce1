"""Networks that give embeddings and no gradient: ONNX files run by onnxruntime."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import ConfigError, MissingPackageError, WeightsError
from advmask.recognizers.network_fitting import ChannelsLast, InGroups, Rows
from advmask.recognizers.onnx_ends import Ends, ends_of_session
from advmask.recognizers.onnx_file import check_data_files
from advmask.recognizers.specification import NetworkSpecification

_KINDS = {"float": np.float32, "float16": np.float16, "double": np.float64}


class BlackBox(nn.Module):
    """An ONNX network in onnxruntime, on the CPU; it is given numbers of the type that it declares.

    Args:
        session: An `onnxruntime.InferenceSession`.
        ends: Which input and output of it are used.
        name: What to call it in errors.
    """

    def __init__(self, session: Any, ends: Ends, *, name: str) -> None:
        super().__init__()
        self._session, self._ends, self._name = session, ends, name

    def forward(self, pictures: Float[Tensor, "batch 3 height width"]) -> Tensor:
        """Embed normalised pictures; the result is on their device.

        Raises:
            ConfigError: A gradient is asked for.
        """
        if torch.is_grad_enabled() and pictures.requires_grad:
            raise ConfigError(
                f"{self._name} is a black box without gradient: it can be evaluated against, not trained "
                "against."
            )
        values = pictures.detach().float().cpu().numpy()
        ends = self._ends
        if ends.whole is not None:
            values = np.clip(np.rint(values), *ends.whole)
        kind = _KINDS.get(ends.pictures.kind, ends.pictures.kind)
        fed = {ends.pictures.name: np.ascontiguousarray(values, dtype=kind)}
        for each in ends.switches:
            fed[each.name] = np.zeros(
                [side if isinstance(side, int) else 1 for side in each.shape or []], bool
            )
        (found,) = self._session.run([ends.output], fed)
        return torch.from_numpy(np.asarray(found, dtype=np.float32)).to(pictures.device)


def open_session(path: Path) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU, with as many threads as torch has.

    Raises:
        MissingPackageError: onnxruntime is not installed.
        WeightsError: It cannot run the file.
    """
    try:
        onnxruntime = import_module("onnxruntime")
    except ImportError as error:
        raise MissingPackageError(
            "A network without gradient runs in the package onnxruntime; run: pip install onnxruntime"
        ) from error
    check_data_files(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        return onnxruntime.InferenceSession(
            str(path),
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # which would try again with a notice of its own
        )
    except Exception as error:  # onnxruntime's own exceptions have no common base
        reason = (str(error).strip().splitlines() or ["no reason given"])[0][:200]
        raise WeightsError(
            f"onnxruntime cannot run {path} ({reason}); export or download it again."
        ) from error


def load_black_box(path: Path, specification: NetworkSpecification | None = None) -> nn.Module:
    """Open an ONNX network in onnxruntime.

    Args:
        path: The .onnx file; its weights may lie in files next to it.
        specification: Says which of several outputs is the embedding.

    Returns:
        A network that takes any number of pictures (B, 3, H, W), with `declared`, what the file says of its
        input.

    Raises:
        MissingPackageError: onnxruntime is not installed.
        WeightsError: The file is missing, damaged, or its inputs and outputs do not fit.
    """
    if not path.is_file():
        raise WeightsError(f"There is no ONNX file {path}; check the path behind the colon.")
    session = open_session(path)
    try:
        ends = ends_of_session(session, path, specification)
    except UnicodeDecodeError as error:
        raise WeightsError(
            f"The names in {path} are no text; it is damaged. Export or download it again."
        ) from error
    network: nn.Module = BlackBox(session, ends, name=path.name)
    if ends.channels_last:
        network = ChannelsLast(network)
    if ends.batch is not None:
        network = InGroups(network, ends.batch)
    if specification is not None:
        network = Rows(network, specification.embedding)
    network.declared = ends.declared  # type: ignore[assignment]
    return network
