"""An ONNX graph as a torch module: constants computed beforehand, layers joined, the rest run in order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from advmask.recognizers.onnx_joining import Step, joined
from advmask.recognizers.onnx_layers import LAYERS
from advmask.recognizers.onnx_node import Applied, Node, UnsupportedError
from advmask.recognizers.onnx_operators import OPERATORS
from advmask.recognizers.onnx_shapes import FLOATS, SHAPES

_BUILDERS = {**LAYERS, **OPERATORS, **SHAPES}
_DOMAINS = ("", "ai.onnx")


class OnnxNetwork(nn.Module):
    """Runs the steps of a graph in order and forgets each value after its last use.

    Args:
        steps: In order.
        takes: Name of the input.
        gives: Name of the output, or names of several.
    """

    def __init__(self, steps: Sequence[Step], *, takes: str, gives: str | tuple[str, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(step.layer for step in steps)
        self._takes, self._gives = takes, gives
        kept = _all(gives)
        last = {name: i for i, step in enumerate(steps) for name in step.takes}
        self._steps = [
            (step.takes, step.gives, [n for n in {*step.takes} if last[n] == i and n not in kept])
            for i, step in enumerate(steps)
        ]

    def forward(self, pictures: Tensor) -> Any:
        """Whatever the graph's output is for its input; a tuple of several."""
        values: dict[str, Any] = {self._takes: pictures}
        for layer, (takes, gives, done) in zip(self.layers, self._steps, strict=True):
            found = layer(*[values[name] for name in takes])
            for name in done:
                del values[name]
            if isinstance(found, tuple):
                values.update(zip(gives, found, strict=False))
            else:
                values[gives[0]] = found
        found = tuple(values[name] for name in _all(self._gives))
        return found[0] if isinstance(self._gives, str) else found


def unknown_operators(model: Any) -> list[str]:
    """The operators of a model that cannot be converted, in alphabetical order."""
    kinds = {
        str(node.op_type)  # bytes where a damaged file names no text
        for node in _all_nodes(model.graph)
        if node.domain not in _DOMAINS or node.op_type not in {*_BUILDERS, "Constant", "If"}
    }
    return sorted(kinds)


def network_of(
    model: Any, *, takes: str, gives: str | tuple[str, ...], fixed: Mapping[str, Tensor], batch: int | None
) -> OnnxNetwork:
    """Convert a model.

    Args:
        model: An onnx `ModelProto`, whole; its weights in any floating type are taken as float32.
        takes: The input that pictures are given to.
        gives: The output that is wanted, or several; what only others need is left out.
        fixed: Other inputs, with the values they have.
        batch: The number of pictures that the file declares where it is to run with any number, else None.

    Raises:
        UnsupportedError: An operator, or a way of using one, that is not known.
        Exception: The graph is damaged; anything that torch raises.
    """
    reader = _Reader(model, batch=batch)
    reader.constants.update(fixed)
    reader.read(model.graph)
    wanted = tuple(reader.name(each) for each in _all(gives))
    if any(each in reader.constants for each in wanted):
        raise UnsupportedError("an output that no picture changes")
    steps = joined(_needed(reader.steps, wanted), wanted)
    return OnnxNetwork(steps, takes=takes, gives=wanted[0] if isinstance(gives, str) else wanted)


def as_tensor(proto: Any) -> Tensor:
    """The values of a `TensorProto`; floats as float32, whole numbers that torch lacks as int64."""
    from onnx import numpy_helper

    values = np.asarray(numpy_helper.to_array(proto))
    if proto.data_type in FLOATS:
        most = float(np.finfo(np.float32).max)
        values = np.clip(values, -most, most) if proto.data_type == 11 else values  # double
        return torch.from_numpy(np.array(values, dtype=np.float32))
    if proto.data_type == 8:
        raise UnsupportedError("text")
    if values.dtype not in (np.uint8, np.int8, np.int16, np.int32, np.int64, np.bool_):
        values = values.astype(np.int64)
    return torch.from_numpy(np.array(values))


class _Reader:
    """Goes through a graph once."""

    def __init__(self, model: Any, *, batch: int | None) -> None:
        self.constants: dict[str, Tensor] = {}
        self.steps: list[Step] = []
        self._same: dict[str, str] = {}
        self._batch = batch
        self._opset = max((each.version for each in model.opset_import if each.domain in _DOMAINS), default=1)
        self._sides = _known_sides(model, batch)
        self._vectors: set[str] = set()  # names of sizes whose values stand in `_sides`

    def name(self, given: str) -> str:
        return self._same.get(given, given)

    def read(self, graph: Any) -> None:
        for proto in graph.initializer:
            self.constants[proto.name] = as_tensor(proto)
        for node in graph.node:
            self._node(node)

    def _node(self, proto: Any) -> None:
        attributes = {each.name: _attribute(each) for each in proto.attribute}
        inputs, outputs = [self.name(each) for each in proto.input], list(proto.output)
        if proto.op_type == "Constant":
            self.constants[outputs[0]] = _value(attributes)
            return
        if proto.op_type == "If":
            self._branch(inputs[0], attributes, outputs)
            return
        if proto.op_type in ("Shape", "Gather", "Slice") and self._side(
            proto.op_type, inputs, outputs, attributes
        ):
            return
        known = {each: self.constants[each] for each in inputs if each in self.constants}
        node = Node(proto.op_type, inputs, outputs, attributes, self._opset, known, self._batch)
        build = _BUILDERS.get(proto.op_type)
        if build is None or proto.domain not in _DOMAINS:
            raise UnsupportedError(proto.op_type)
        layer = build(node)
        places = node.handed()
        names = [inputs[place] for place in places]
        if all(not each or each in known for each in names):
            with torch.no_grad():
                found = layer(*[known.get(each) for each in names])
            found = found if isinstance(found, tuple) else (found,)
            self.constants.update(zip(outputs, found, strict=False))
            return
        held = {i: known.get(each) for i, each in enumerate(names) if not each or each in known}
        if held or not isinstance(layer, nn.Module):
            layer = Applied(proto.op_type, layer, held, len(names))
        self.steps.append(Step(layer, [each for i, each in enumerate(names) if i not in held], outputs))

    def _branch(self, chosen: str, attributes: Mapping[str, Any], outputs: Sequence[str]) -> None:
        if chosen not in self.constants:
            raise UnsupportedError("If with a computed condition")
        graph = attributes["then_branch" if bool(self.constants[chosen]) else "else_branch"]
        self.read(graph)
        for inner, outer in zip(graph.output, outputs, strict=True):
            self._same[outer] = self.name(inner.name)

    def _side(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Mapping[str, Any]
    ) -> bool:
        """Take a size that the file fixes as a constant, though others next to it are free."""
        if inputs[0] in self.constants or inputs[0] not in self._sides:
            return False
        sides = self._sides[inputs[0]]
        if kind == "Shape":
            found: Any = sides[slice(attributes.get("start", 0), attributes.get("end"))]
        elif inputs[0] not in self._vectors or not all(each in self.constants for each in inputs[1:] if each):
            return False
        elif kind == "Gather":
            index = self.constants[inputs[1]]
            found = sides[int(index)] if index.dim() == 0 else [sides[int(i)] for i in index.flatten()]
        else:
            numbers = [self.constants[each].tolist() for each in inputs[1:]]
            if len(numbers) > 3 or len(numbers[0]) != 1:
                return False
            found = sides[numbers[0][0] : numbers[1][0]]
        self._sides[outputs[0]] = found if isinstance(found, list) else [found]
        self._vectors.add(outputs[0])
        if None in self._sides[outputs[0]]:
            return False
        self.constants[outputs[0]] = torch.tensor(found, dtype=torch.int64)
        return True


def _all_nodes(graph: Any) -> Iterable[Any]:
    for node in graph.node:
        yield node
        for each in node.attribute:
            for inner in ([each.g] if each.HasField("g") else []) + list(each.graphs):
                yield from _all_nodes(inner)


def _attribute(proto: Any) -> Any:
    from onnx import TensorProto, helper

    value = helper.get_attribute_value(proto)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, TensorProto):
        return as_tensor(value)
    return value


def _value(attributes: Mapping[str, Any]) -> Tensor:
    for name, kind in (
        ("value", None),
        ("value_float", 0.0),
        ("value_floats", 0.0),
        ("value_int", 0),
        ("value_ints", 0),
    ):
        if name in attributes:
            given = attributes[name]
            if isinstance(given, Tensor):
                return given
            return torch.tensor(given, dtype=torch.float32 if isinstance(kind, float) else torch.int64)
    raise UnsupportedError("Constant of text")


def _known_sides(model: Any, batch: int | None) -> dict[str, list[int | None]]:
    """Sizes of values, as far as they follow from the declared input; free ones are None."""
    if not any(node.op_type == "Shape" for node in _all_nodes(model.graph)):
        return {}
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    for each in copy.graph.input:
        dims = each.type.tensor_type.shape.dim
        if batch is not None and dims and dims[0].dim_value == batch:
            dims[0].dim_param = "pictures"
    for each in copy.graph.output:
        each.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(copy)
    except Exception:  # of help only
        return {}
    return {
        each.name: [
            dim.dim_value if dim.HasField("dim_value") else None for dim in each.type.tensor_type.shape.dim
        ]
        for each in (*inferred.graph.input, *inferred.graph.value_info)
        if each.type.tensor_type.HasField("shape")
    }


def _all(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _needed(steps: Sequence[Step], gives: Sequence[str]) -> list[Step]:
    wanted, kept = {*gives}, []
    for step in reversed(steps):
        if wanted & set(step.gives):
            wanted |= set(step.takes)
            kept.append(step)
    return kept[::-1]
