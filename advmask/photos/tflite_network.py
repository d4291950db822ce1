"""A .tflite network of plain convolutions as a differentiable torch module."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.photos.tflite_graph import Graph, Operation, read_tflite

_SUBNORMAL = float(np.finfo(np.float32).tiny)


class TfliteNetwork(nn.Module):
    """Runs the graph of a .tflite file in torch, in any floating type, frozen.

    Args:
        content: The file.
        name: What to call it in errors.

    Raises:
        WeightsError: The file is damaged, or holds other operations than convolution, depthwise convolution,
            parametric ReLU, sum, maximum pooling and padding.
    """

    def __init__(self, content: bytes, *, name: str) -> None:
        super().__init__()
        graph = read_tflite(content, name=name)
        if len(graph.inputs) != 1:
            raise WeightsError(
                f"{name} takes {len(graph.inputs)} inputs; a network of one picture is needed."
            )
        (self._input,), self._outputs = graph.inputs, graph.outputs
        self._steps = [step for step in graph.operations if step.name != "DEQUANTIZE"]
        self._paddings: dict[int, list[int]] = {}
        try:
            # Stored tensors are float16 and widened by an operation of their own; here by reading them.
            self._alias = {one.output: one.inputs[0] for one in graph.operations if one.name == "DEQUANTIZE"}
            for step in self._steps:
                self._keep(step, graph)
        except (KeyError, IndexError, ValueError, RuntimeError) as error:
            raise WeightsError(f"{name} is damaged: {error!r} at one of its operations.") from error
        self.requires_grad_(False)
        self.eval()
        self.to(memory_format=torch.channels_last)  # a quarter less time on a CPU

    def forward(self, pictures: Float[Tensor, "batch channels rows columns"]) -> list[Tensor]:
        """Give the outputs, each (batch, channels, rows, columns), in the file's order."""
        values = {self._input: pictures.contiguous(memory_format=torch.channels_last)}
        for step in self._steps:
            values[step.output] = self._run(step, values)
        return [values[output] for output in self._outputs]

    def _keep(self, step: Operation, graph: Graph) -> None:
        """Store the constants of a step in torch's order of axes."""
        if step.name == "PAD":
            pairs = graph.constants[step.inputs[1]].reshape(4, 2)[[0, 3, 1, 2]]  # to batch, channels, ...
            self._paddings[step.output] = pairs[::-1].ravel().tolist()  # torch wants the last axis first
        if step.name in ("PAD", "ADD"):
            return
        order = {"CONV_2D": (0, 3, 1, 2), "DEPTHWISE_CONV_2D": (3, 0, 1, 2)}.get(step.name)
        for place, number in enumerate(step.inputs[1:]):
            values = torch.from_numpy(np.array(graph.constants[self._alias.get(number, number)]))
            values = values.permute(order) if place == 0 and order is not None else values.flatten()
            values = torch.where(values.abs() < _SUBNORMAL, 0, values)
            self.register_buffer(f"constant_{step.output}_{place}", values.contiguous(), persistent=False)

    def _constant(self, step: Operation, place: int) -> Tensor:
        return self.get_buffer(f"constant_{step.output}_{place}")

    def _run(self, step: Operation, values: dict[int, Tensor]) -> Tensor:
        x = values[step.inputs[0]]
        match step.name:
            case "ADD":
                return x + values[step.inputs[1]]
            case "PAD":
                return F.pad(x, self._paddings[step.output])
            case "PRELU":
                return F.prelu(x, self._constant(step, 0))
            case "MAX_POOL_2D":
                size, stride = step.options["size"], step.options["stride"]
                x = _padded(x, step, (size, size), value=-torch.inf)
                return F.max_pool2d(x, size, stride)
        weight, bias = self._constant(step, 0), self._constant(step, 1)
        groups = x.shape[1] if step.name == "DEPTHWISE_CONV_2D" else 1
        x = _padded(x, step, (weight.shape[2], weight.shape[3]), value=0.0)
        return F.conv2d(x, weight, bias, stride=step.options["stride"], groups=groups)


def _padded(x: Tensor, step: Operation, kernel: tuple[int, int], *, value: float) -> Tensor:
    """Pad so that a stride gives one output per started input, the odd pixel at the end (SAME)."""
    if step.options["same"] != 0:
        return x
    stride = step.options["stride"]
    edges = []
    for extent, size in ((x.shape[3], kernel[1]), (x.shape[2], kernel[0])):
        total = max((-(-extent // stride) - 1) * stride + size - extent, 0)
        edges += [total // 2, total - total // 2]
    return F.pad(x, edges, value=value) if any(edges) else x
