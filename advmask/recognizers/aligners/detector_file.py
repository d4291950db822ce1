"""Reading the ONNX file of a face detector: as a torch network with gradient, or else in onnxruntime."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.recognizers.aligners.detector import DetectorAligner
from advmask.recognizers.aligners.detector_layouts import LAYOUTS, layout_of
from advmask.recognizers.black_box import open_session
from advmask.recognizers.file_kinds import refuse_other_kind
from advmask.recognizers.installed import find_installed
from advmask.recognizers.onnx_file import first_line, read_onnx
from advmask.recognizers.onnx_graph import network_of
from advmask.recognizers.subnormal import zero_subnormals
from advmask.recognizers.weights_folder import checked_sha256

_TRIED = 640  # px, where the file leaves the size free


def detector_of_pack(name: str) -> tuple[str, Path]:
    """Family and file of the detector that an installed pack of InsightFace aligns by.

    Args:
        name: `insightface:PACK`.

    Raises:
        ConfigError: There is no such pack.
        WeightsError: It has no detector.
    """
    pack = find_installed(name)
    if pack.detector is None:
        raise WeightsError(f"There is no detector (det_*.onnx) next to {pack.path}; get the pack again.")
    return "scrfd", pack.detector


def load_detector(name: str, family: str | None = None, path: Path | None = None) -> DetectorAligner:
    """Build the aligner of a detector's file.

    Args:
        name: `scrfd:PATH`, `retinaface:PATH` or `yunet:PATH`.
        family: Of a detector whose name says neither that nor where it is.
        path: Its file.

    Raises:
        WeightsError: The file is missing, damaged, or not such a detector; the sentence says what it is.
        MissingPackageError: It needs onnx, or, where it cannot be converted to torch, onnxruntime.
    """
    if family is None or path is None:
        family, _, rest = name.partition(":")
        path = Path(rest).expanduser()
    if not path.is_file():
        raise WeightsError(f"There is no file {path}; give the detector's ONNX file, as {family}:PATH.")
    refuse_other_kind(path, "onnx")
    checked_sha256(path)
    model = read_onnx(path)
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in stored]
    if len(inputs) != 1:
        raise WeightsError(f"{path} has {len(inputs)} inputs; a detector has one, for the picture.")
    size = _size(inputs[0])
    outputs = tuple(each.name for each in model.graph.output)
    network, differentiable, shapes = _running(model, path, inputs[0].name, outputs, size or (_TRIED, _TRIED))
    found = layout_of([shape[-1] for shape in shapes if shape])
    if found != family:
        what = f"it is one of the family {found}: write {found}:{path}" if found else _unlike(shapes)
        raise WeightsError(f"{path} is not a detector as {family} has them; {what}.")
    if LAYOUTS[family].side is None and size is not None and _runs_at_any_size(network, size):
        size = None
    return DetectorAligner(name, network, family, size=size, differentiable=differentiable)


def _runs_at_any_size(network: nn.Module, size: tuple[int, int]) -> bool:
    """Whether a network does not mind what the file says of its size, as OpenCV does not."""
    try:
        with torch.no_grad():
            half, whole = (
                sum(int(each.numel()) for each in network(torch.zeros(1, 3, *sides)))
                for sides in ((size[0] // 2, size[1]), size)
            )
    except Exception:  # whatever a layer raises at another size
        return False
    return 2 * half == whole


def _unlike(shapes: list[tuple[int, ...]]) -> str:
    if {shape[-1] for shape in shapes if shape} == {1, 4}:
        return "it gives boxes and no landmarks, by which nothing can be aligned"
    return f"it gives arrays of the shapes {shapes}; the families known are {', '.join(LAYOUTS)}"


def _size(given: Any) -> tuple[int, int] | None:
    """Height and width of the input, where the file fixes both."""
    sides = [side.dim_value for side in given.type.tensor_type.shape.dim]
    return (sides[2], sides[3]) if len(sides) == 4 and min(sides[2:]) > 0 else None


def _running(
    model: Any, path: Path, takes: str, outputs: tuple[str, ...], size: tuple[int, int]
) -> tuple[nn.Module, bool, list[tuple[int, ...]]]:
    """The network, whether it carries a gradient, and the shapes that it gives for an empty picture."""
    blank = torch.zeros(1, 3, *size)
    try:
        network: nn.Module = network_of(model, takes=takes, gives=outputs, fixed={}, batch=None)
        zero_subnormals(network)
        network = network.eval().requires_grad_(False)
        with torch.no_grad():
            return network, True, [tuple(each.shape) for each in network(blank)]
    except Exception as error:  # an operator that is not known, or a size that the file builds in
        why = first_line(error)
    network = _Session(open_session(path), takes, outputs)
    try:
        return network, False, [tuple(each.shape) for each in network(blank)]
    except Exception as error:  # onnxruntime's own exceptions have no common base
        raise WeightsError(
            f"{path} runs neither in torch ({why}) nor in onnxruntime ({first_line(error)}); export or "
            "download it again."
        ) from error


class _Session(nn.Module):
    def __init__(self, session: Any, takes: str, outputs: tuple[str, ...]) -> None:
        super().__init__()
        self._session, self._takes, self._outputs = session, takes, list(outputs)

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        fed = {self._takes: pictures.detach().float().cpu().numpy()}
        found = self._session.run(self._outputs, fed)
        return tuple(torch.from_numpy(np.asarray(each, dtype=np.float32)).to(pictures) for each in found)
