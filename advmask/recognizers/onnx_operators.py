"""ONNX operators that compute value by value, or reduce along axes, as torch runs them."""

import math
from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from advmask.recognizers.onnx_layers import Builder
from advmask.recognizers.onnx_node import Bounded, Node, Run, UnsupportedError


def together(*values: Any) -> tuple[Any, ...]:
    """Values on one device: whole numbers are kept on the CPU until they meet data."""
    places = {value.device for value in values if isinstance(value, Tensor)}
    if len(places) < 2:
        return values
    place = next(each for each in places if each.type != "cpu")
    return tuple(value.to(place) if isinstance(value, Tensor) else value for value in values)


def _plain(run: Run) -> Builder:
    return lambda _: run


def _pairwise(run: Run) -> Builder:
    """Of any number of values, two at a time; before opset 7 the second one names its first axis."""

    def build(node: Node) -> Run:
        axis = node.get("axis") if node.get("broadcast", 0) else None

        def both(first: Tensor, second: Tensor) -> Tensor:
            first, second = together(first, second)
            if axis is not None and second.dim() + axis < first.dim():
                second = second.reshape(*second.shape, *[1] * (first.dim() - axis - second.dim()))
            found: Tensor = run(first, second)
            return found

        return lambda *values: reduce(both, values)

    return build


def _divided(first: Tensor, second: Tensor) -> Tensor:
    whole = not (first.is_floating_point() or second.is_floating_point())
    return torch.div(first, second, rounding_mode="trunc" if whole else None)


def _extreme(node: Node) -> Run:
    """With one number on either side it is a bound, of which several are joined into one."""
    if len(node.inputs) == 2:
        for place in (0, 1):
            if node.known(place) and not node.known(1 - place):
                value = node.constants[node.inputs[place]]
                if value.numel() == 1 and value.is_floating_point() and value.dim() <= 1:
                    node.read.add(place)
                    bound = float(value)
                    return Bounded(bound, math.inf) if node.kind == "Max" else Bounded(-math.inf, bound)
    return _pairwise(torch.maximum if node.kind == "Max" else torch.minimum)(node)


def _mean(node: Node) -> Run:
    add = _pairwise(torch.add)(node)
    return lambda *values: add(*values) / len(values)


def _mod(node: Node) -> Run:
    return torch.fmod if node.get("fmod", 0) else torch.remainder


def _where(_: Node) -> Run:
    return lambda chosen, x, y: torch.where(*together(chosen.bool(), x, y))


def _clip(node: Node) -> Run:
    bounds = []
    for place, name, otherwise in ((1, "min", -math.inf), (2, "max", math.inf)):
        given = node.constant(place)
        value = node.get(name, otherwise) if given is None else float(given)
        # Files that know no infinity write the largest number for it.
        largest = torch.finfo(torch.float32).max
        bounds.append(otherwise if abs(value) >= largest else value)
    low, high = bounds
    return Bounded(min(low, high), high)


def _softmax(node: Node) -> Run:
    axis = node.get("axis", -1 if node.opset >= 13 else 1)
    apply = functional.softmax if node.kind == "Softmax" else functional.log_softmax
    if node.opset >= 13:
        return partial(apply, dim=axis)
    return lambda x: apply(x.flatten(axis % x.dim()), dim=-1).reshape(x.shape)


def _gelu(node: Node) -> Run:
    return partial(functional.gelu, approximate=node.get("approximate", "none"))


def _hard_sigmoid(node: Node) -> Run:
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    return lambda x: (x * alpha + beta).clamp(0, 1)


def _leaky(node: Node) -> Run:
    return partial(functional.leaky_relu, negative_slope=node.get("alpha", 0.01))


def _elu(node: Node) -> Run:
    return partial(functional.elu, alpha=node.get("alpha", 1.0))


def _celu(node: Node) -> Run:
    return partial(functional.celu, alpha=node.get("alpha", 1.0))


def _selu(node: Node) -> Run:
    alpha, gamma = node.get("alpha", 1.67326319217681884765625), node.get("gamma", 1.05070102214813232421875)
    return lambda x: gamma * functional.elu(x, alpha=alpha)


def _thresholded(node: Node) -> Run:
    alpha = node.get("alpha", 1.0)
    return lambda x: torch.where(x > alpha, x, torch.zeros_like(x))


def _swish(node: Node) -> Run:
    alpha = node.get("alpha", 1.0)
    return lambda x: x * torch.sigmoid(alpha * x)


def _prod(x: Tensor, dim: list[int], keepdim: bool) -> Tensor:
    for axis in sorted((each % x.dim() for each in dim), reverse=True):
        x = x.prod(axis, keepdim=keepdim)
    return x


_REDUCED: dict[str, Callable[..., Tensor]] = {
    "ReduceMean": torch.mean,
    "ReduceSum": torch.sum,
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
    "ReduceProd": _prod,
    "ReduceL1": lambda x, dim, keepdim: x.abs().sum(dim, keepdim=keepdim),
    "ReduceL2": lambda x, dim, keepdim: torch.linalg.vector_norm(x, dim=dim, keepdim=keepdim),
    "ReduceSumSquare": lambda x, dim, keepdim: x.square().sum(dim, keepdim=keepdim),
    "ReduceLogSum": lambda x, dim, keepdim: x.sum(dim, keepdim=keepdim).log(),
    "ReduceLogSumExp": torch.logsumexp,
}


def _reduction(node: Node) -> Run:
    if node.has(1) and not node.known(1):
        raise UnsupportedError(f"{node.kind} along computed axes")
    axes, run = node.ints(1, "axes"), _REDUCED[node.kind]
    keep = bool(node.get("keepdims", 1))
    if not axes and node.get("noop_with_empty_axes", 0):
        return lambda x: x
    return lambda x: run(x, dim=axes or list(range(x.dim())), keepdim=keep)


def _extremum(node: Node) -> Run:
    run = torch.argmax if node.kind == "ArgMax" else torch.argmin
    if node.get("select_last_index", 0):
        raise UnsupportedError(f"{node.kind} of the last of several")
    return lambda x: run(x, dim=node.get("axis", 0), keepdim=bool(node.get("keepdims", 1)))


def _cumulated(node: Node) -> Run:
    axis = node.ints(1)
    if axis is None or node.get("exclusive", 0) or node.get("reverse", 0):
        raise UnsupportedError("CumSum with options")
    return lambda x: x.cumsum(axis[0])


def _dequantized(node: Node) -> Run:
    axis = node.get("axis", 1)

    def run(x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
        shape = [-1 if i == axis % x.dim() else 1 for i in range(x.dim())] if scale.numel() > 1 else []
        shifted = x.float() - (0 if zero is None else zero.float().reshape(shape))
        return shifted * scale.reshape(shape)

    return run


_EACH: dict[str, Run] = {
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Exp": torch.exp,
    "Log": torch.log,
    "Sqrt": torch.sqrt,
    "Abs": torch.abs,
    "Neg": torch.neg,
    "Reciprocal": torch.reciprocal,
    "Erf": torch.erf,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
    "Sign": torch.sign,
    **{
        f"{arc}{name}{h}": getattr(torch, f"{arc.lower()}{name.lower()}{h}")
        for arc in ("", "A")
        for name in ("Sin", "Cos", "Tan")
        for h in ("", "h")
        if (arc, name, h) != ("", "Tan", "h")
    },
    "Softsign": functional.softsign,
    "Softplus": functional.softplus,
    "HardSwish": functional.hardswish,
    "Mish": functional.mish,
    "Not": torch.logical_not,
    "IsNaN": torch.isnan,
    "IsInf": torch.isinf,
}

OPERATORS: dict[str, Builder] = {
    **{kind: _plain(run) for kind, run in _EACH.items()},
    **dict.fromkeys(_REDUCED, _reduction),
    "Relu": lambda _: Bounded(0.0, math.inf),
    "Clip": _clip,
    "Add": _pairwise(torch.add),
    "Sub": _pairwise(torch.sub),
    "Mul": _pairwise(torch.mul),
    "Div": _pairwise(_divided),
    "Pow": _pairwise(lambda x, y: torch.pow(x, y).to(x.dtype)),
    "Sum": _pairwise(torch.add),
    "Max": _extreme,
    "Min": _extreme,
    "Mean": _mean,
    "Mod": _mod,
    "And": _pairwise(torch.logical_and),
    "Or": _pairwise(torch.logical_or),
    "Xor": _pairwise(torch.logical_xor),
    "Equal": _pairwise(torch.eq),
    "Less": _pairwise(torch.lt),
    "Greater": _pairwise(torch.gt),
    "LessOrEqual": _pairwise(torch.le),
    "GreaterOrEqual": _pairwise(torch.ge),
    "Where": _where,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "LeakyRelu": _leaky,
    "Elu": _elu,
    "Celu": _celu,
    "Selu": _selu,
    "ThresholdedRelu": _thresholded,
    "Swish": _swish,
    "ArgMax": _extremum,
    "ArgMin": _extremum,
    "CumSum": _cumulated,
    "DequantizeLinear": _dequantized,
}
"""Each makes of a node what runs it."""
