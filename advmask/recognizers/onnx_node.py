"""A node of an ONNX graph as its operator is built from, and a layer of plain torch that runs it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

Run = Callable[..., Any]


class UnsupportedError(Exception):
    """An operator, or a way of using it, that is not converted; the text names it."""


@dataclass
class Node:
    """One node; what its builder reads of the inputs need not be handed to what it builds.

    Attributes:
        kind: The operator.
        inputs: Names, empty where left out.
        outputs: Names.
        attributes: As Python numbers, lists, text and tensors.
        opset: The version whose meaning it has.
        constants: All values known before the network runs, by name.
        batch: The number of pictures that the file declares where it is to be freed of it.
        read: Numbers of the inputs that were read.
    """

    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Any]
    opset: int
    constants: Mapping[str, Tensor]
    batch: int | None = None
    read: set[int] = field(default_factory=set)

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or what stands for it where it is left out."""
        return self.attributes.get(name, default)

    def has(self, number: int) -> bool:
        """Whether an input is given."""
        return number < len(self.inputs) and self.inputs[number] != ""

    def known(self, number: int) -> bool:
        """Whether an input is given and constant."""
        return self.has(number) and self.inputs[number] in self.constants

    def constant(self, number: int) -> Tensor | None:
        """A constant input, or None where it is left out.

        Raises:
            UnsupportedError: It is computed while the network runs.
        """
        if not self.has(number):
            return None
        if not self.known(number):
            raise UnsupportedError(f"{self.kind} with a computed input {number + 1}")
        self.read.add(number)
        return self.constants[self.inputs[number]]

    def weights(self, number: int) -> Tensor:
        """A constant input that must be given."""
        found = self.constant(number)
        if found is None:
            raise UnsupportedError(f"{self.kind} without input {number + 1}")
        return found

    def ints(self, number: int, name: str = "") -> list[int] | None:
        """Whole numbers that newer opsets take as an input and older ones as an attribute.

        Returns:
            None where they are left out, or computed while the network runs.
        """
        if self.known(number):
            found = self.weights(number).flatten().tolist()
            return [int(each) for each in found]
        given = None if self.has(number) else self.get(name)
        return None if given is None else [int(each) for each in given]

    def handed(self) -> list[int]:
        """Numbers of the inputs that the layer is handed, in order."""
        count = max((i + 1 for i in range(len(self.inputs)) if self.has(i)), default=0)
        return [i for i in range(count) if i not in self.read]


class Applied(nn.Module):
    """A function of some computed values and some constants.

    Args:
        kind: The operator it stands for.
        run: Takes all values in order.
        held: Constants by their place; floats move and change precision with the module, whole numbers stay
            on the CPU, for they are shapes and indices more often than data.
        count: Of values in all.
    """

    def __init__(self, kind: str, run: Run, held: Mapping[int, Tensor | None], count: int) -> None:
        super().__init__()
        self.kind, self.run, self.count = kind, run, count
        self._plain: dict[int, Tensor | None] = {}
        for place, value in held.items():
            if value is not None and value.is_floating_point():
                self.register_buffer(f"constant_{place}", value.clone())
            else:
                self._plain[place] = value

    def held(self, place: int) -> Tensor | None:
        """The constant of a place, if there is one."""
        if place in self._plain:
            return self._plain[place]
        found: Tensor | None = getattr(self, f"constant_{place}", None)
        return found

    def forward(self, *values: Any) -> Any:
        """Run the function; `values` are those that are computed."""
        if len(values) == self.count:
            return self.run(*values)
        given = iter(values)
        free = set(range(self.count)) - set(self._plain)
        all_ = []
        for place in range(self.count):
            buffered = getattr(self, f"constant_{place}", None) if place in free else None
            if place not in free:
                all_.append(self._plain[place])
            else:
                all_.append(next(given) if buffered is None else buffered)
        return self.run(*all_)

    def extra_repr(self) -> str:
        """The operator."""
        return self.kind


class Affine(nn.Module):
    """A scale and a shift per channel: batch norm in evaluation mode, and what is like it."""

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale.float())
        self.register_buffer("shift", shift.float())

    def forward(self, values: Tensor) -> Tensor:
        """Values (B, C, ...), scaled and shifted."""
        shape = (-1, *[1] * (values.dim() - 2))
        return torch.addcmul(self.shift.view(shape), values, self.scale.view(shape))


class Bounded(nn.Module):
    """Values cut at a lowest and a highest one; the gradient is that of torch's own layers."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low, self.high = low, high

    def forward(self, values: Tensor) -> Tensor:
        """Cut values."""
        if self.high == float("inf"):
            return values.relu() if self.low == 0 else values.clamp(min=self.low)
        if self.low == float("-inf"):
            return values.clamp(max=self.high)
        return nn.functional.hardtanh(values, self.low, self.high)

    def extra_repr(self) -> str:
        """The bounds."""
        return f"{self.low:g}, {self.high:g}"
