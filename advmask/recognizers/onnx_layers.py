"""ONNX operators that are layers with weights, windows or statistics, as torch runs them."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from advmask.recognizers.onnx_node import Affine, Node, Run, UnsupportedError

Builder = Callable[[Node], Run]
_LARGEST_PAD = 128
_CONVOLUTIONS = {
    "Conv": (nn.Conv1d, nn.Conv2d, nn.Conv3d),
    "ConvTranspose": (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
}


class _Padded(nn.Module):
    """Pads as an ONNX window asks, also one side only, then runs the layer."""

    def __init__(self, layer: nn.Module, window: "_Window", value: float) -> None:
        super().__init__()
        self.layer, self.window, self.value = layer, window, value

    def forward(self, values: Tensor) -> Tensor:
        pads = self.window.pads_for(values.shape[2:])
        found: Tensor = self.layer(functional.pad(values, pads, value=self.value))
        return found


class _Window:
    """Size, step and padding of a window as a node states them."""

    def __init__(self, node: Node, kernel: Sequence[int]) -> None:
        rank = len(kernel)
        self.kernel = [int(each) for each in kernel]
        self.strides = list(node.get("strides", [1] * rank))
        self.dilations = list(node.get("dilations", [1] * rank))
        self.auto = node.get("auto_pad", "NOTSET")
        self.pads = list(node.get("pads", [0] * (2 * rank)))
        if self.auto == "VALID":
            self.pads = [0] * (2 * rank)
        if len(self.pads) != 2 * rank or self.auto not in ("NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER"):
            raise UnsupportedError(f"{node.kind} with unusual padding")
        if max(self.pads, default=0) > _LARGEST_PAD:  # as a damaged file may ask for
            raise UnsupportedError(f"{node.kind} with a padding of {max(self.pads)}")

    @property
    def even(self) -> bool:
        """Whether both sides are padded alike, by what is known beforehand, which torch's layers can do."""
        half = len(self.kernel)
        return not self.auto.startswith("SAME") and self.pads[:half] == self.pads[half:]

    def pads_for(self, size: Sequence[int]) -> list[int]:
        """Padding in torch's order for maps of a size."""
        half = len(self.kernel)
        begins, ends = self.pads[:half], self.pads[half:]
        if self.auto.startswith("SAME"):
            begins, ends = [], []
            for side, kernel, stride, dilation in zip(
                size, self.kernel, self.strides, self.dilations, strict=True
            ):
                reach = (math.ceil(side / stride) - 1) * stride + (kernel - 1) * dilation + 1
                total = max(reach - side, 0)
                less, more = total // 2, total - total // 2
                begins.append(less if self.auto == "SAME_UPPER" else more)
                ends.append(more if self.auto == "SAME_UPPER" else less)
        return [each for pair in list(zip(begins, ends, strict=True))[::-1] for each in pair]


def _convolution(node: Node) -> Run:
    weight, bias = node.weights(1), node.constant(2)
    rank = weight.dim() - 2
    if not 1 <= rank <= 3:
        raise UnsupportedError(f"{node.kind} in {rank} dimensions")
    window, groups = _Window(node, weight.shape[2:]), int(node.get("group", 1))
    even = window.even
    common: dict[str, Any] = {
        "kernel_size": tuple(window.kernel),
        "stride": tuple(window.strides),
        "dilation": tuple(window.dilations),
        "padding": tuple(window.pads[:rank]) if even else 0,
        "groups": groups,
        "bias": bias is not None,
    }
    if node.kind == "ConvTranspose":
        if not even or (node.has(2) and bias is None) or node.get("output_shape") is not None:
            raise UnsupportedError("ConvTranspose with uneven padding")
        common["output_padding"] = tuple(node.get("output_padding", [0] * rank))
        channels = weight.shape[0], weight.shape[1] * groups
    else:
        channels = weight.shape[1] * groups, weight.shape[0]
    layer = torch.nn.utils.skip_init(_CONVOLUTIONS[node.kind][rank - 1], *channels, **common)
    layer.weight = nn.Parameter(weight.float(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.float(), requires_grad=False)
    return layer if even else _Padded(layer, window, 0.0)


def _max_pool(node: Node) -> Run:
    window = _Window(node, node.get("kernel_shape"))
    rank = len(window.kernel)
    if len(node.outputs) > 1 or node.get("storage_order", 0):
        raise UnsupportedError("MaxPool that also gives places")
    layer = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[rank - 1](
        tuple(window.kernel),
        tuple(window.strides),
        tuple(window.pads[:rank]) if window.even else 0,
        tuple(window.dilations),
        ceil_mode=bool(node.get("ceil_mode", 0)),
    )
    return layer if window.even else _Padded(layer, window, -math.inf)


def _average_pool(node: Node) -> Run:
    window = _Window(node, node.get("kernel_shape"))
    if set(window.dilations) != {1}:
        raise UnsupportedError("AveragePool with dilations")
    rank, padded = len(window.kernel), bool(node.get("count_include_pad", 0))
    kind: Any = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[rank - 1]
    kernel, strides, ceil = tuple(window.kernel), tuple(window.strides), bool(node.get("ceil_mode", 0))
    if window.even:
        even: nn.Module = kind(kernel, strides, tuple(window.pads[:rank]), ceil, padded)
        return even
    plain = kind(kernel, strides, 0, ceil)

    def run(values: Tensor) -> Tensor:
        pads = window.pads_for(values.shape[2:])
        found: Tensor = plain(functional.pad(values, pads))
        if padded:
            return found
        counted: Tensor = plain(functional.pad(torch.ones_like(values[:1, :1]), pads))
        return found / counted

    return run


def _global(reduce: Callable[..., Tensor]) -> Builder:
    def build(_: Node) -> Run:
        return lambda values: reduce(values, dim=tuple(range(2, values.dim())), keepdim=True)

    return build


def _batch_norm(node: Node) -> Run:
    if node.get("spatial", 1) != 1 or node.get("training_mode", 0):
        raise UnsupportedError("BatchNormalization per value or in training mode")
    scale, shift, mean, var = (node.weights(i).double() for i in range(1, 5))
    factor = scale / torch.sqrt(var + node.get("epsilon", 1e-5))
    return Affine(factor, shift - mean * factor)


def _instance_norm(node: Node) -> Run:
    eps = node.get("epsilon", 1e-5)
    return lambda x, scale, shift: functional.instance_norm(x, weight=scale, bias=shift, eps=eps)


def _layer_norm(node: Node) -> Run:
    axis, eps = node.get("axis", -1), node.get("epsilon", 1e-5)

    def run(x: Tensor, scale: Tensor, shift: Tensor | None = None) -> Tensor:
        found: Tensor = functional.layer_norm(x, x.shape[axis:], eps=eps) * scale
        return found if shift is None else found + shift

    return run


def _group_norm(node: Node) -> Run:
    groups, eps = node.get("num_groups"), node.get("epsilon", 1e-5)

    def run(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        each = x.shape[1] // len(scale)  # opset 18 scales groups, opset 21 channels
        shape = (-1, *[1] * (x.dim() - 2))
        scales, shifts = (v.repeat_interleave(each).view(shape) for v in (scale, shift))
        found: Tensor = functional.group_norm(x, groups, eps=eps) * scales + shifts
        return found

    return run


def _response_norm(node: Node) -> Run:
    size, alpha, beta = node.get("size"), node.get("alpha", 1e-4), node.get("beta", 0.75)
    return lambda x: functional.local_response_norm(x, size, alpha, beta, node.get("bias", 1.0))


def _lp_norm(node: Node) -> Run:
    axis, p = node.get("axis", -1), node.get("p", 2)
    return lambda x: functional.normalize(x, p=p, dim=axis, eps=torch.finfo(x.dtype).tiny)


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Module:
    layer: nn.Module = torch.nn.utils.skip_init(
        nn.Linear, weight.shape[1], weight.shape[0], bias=bias is not None
    )
    layer.weight = nn.Parameter(weight.float().contiguous(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.float().contiguous(), requires_grad=False)
    return layer


def _gemm(node: Node) -> Run:
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    first, second = bool(node.get("transA", 0)), bool(node.get("transB", 0))
    held = node.known(1) and (not node.has(2) or node.known(2))
    rows = node.known(2) and node.constants[node.inputs[2]].dim() == 2
    if held and not first and not (rows and node.constants[node.inputs[2]].shape[0] > 1):
        weight, bias = node.weights(1), node.constant(2)
        weight = (weight if second else weight.T) * alpha
        layer = _linear(weight, None if bias is None else (bias * beta).flatten().expand(len(weight)))
        layer.of_rows = True  # type: ignore[assignment]  # its input is known to be a matrix
        return layer

    def run(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        found: Tensor = (a.mT if first else a) @ (b.mT if second else b) * alpha
        return found if c is None else torch.add(found, c * beta)

    return run


def _matmul(node: Node) -> Run:
    if node.known(1) and not node.known(0) and node.constants[node.inputs[1]].dim() == 2:
        return _linear(node.weights(1).T, None)
    return torch.matmul


def _prelu(_: Node) -> Run:
    def run(x: Tensor, slope: Tensor) -> Tensor:
        channels = x.shape[1] if x.dim() > 1 else 1
        per_channel = slope.dim() == x.dim() - 1 and slope.shape[0] == channels == slope.numel()
        if (
            slope.numel() == 1
            or per_channel
            or (slope.dim() == 1 and slope.shape[0] == channels != x.shape[-1])
        ):
            return functional.prelu(x, slope.flatten())
        if slope.dim() == x.dim() and slope.shape[1] == channels == slope.numel():
            return functional.prelu(x, slope.flatten())
        return torch.where(x >= 0, x, x * slope)

    return run


def _einsum(node: Node) -> Run:
    equation = node.get("equation")
    return lambda *values: torch.einsum(equation, *values)


LAYERS: dict[str, Builder] = {
    "Conv": _convolution,
    "ConvTranspose": _convolution,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global(torch.mean),
    "GlobalMaxPool": _global(torch.amax),
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "LRN": _response_norm,
    "LpNormalization": _lp_norm,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "PRelu": _prelu,
    "Einsum": _einsum,
}
"""Each makes of a node what runs it."""
