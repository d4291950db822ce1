"""A training step on a GPU that is not there: devices and shapes are real, and no number is ever computed.

torch's fake tensors refuse to mix devices and to tell a number to the host. Their gradients cannot be taken
by torch's own engine, which asks for a driver, so the graph is walked here.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode

from advmask.core.constants import forget_constants
from advmask.effects.records import each_tensor

PACKAGE = Path(__file__).parents[1] / "advmask"


class HostWork(TorchDispatchMode):
    """Counts what a GPU would wait for: copies between host and device, by the line of ours that asks."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Note the call, if it is one, and make it."""
        if func is torch.ops.aten._local_scalar_dense.default and args[0].device.type != "cpu":
            self.copies[_line_of_ours()] += 1
        result = func(*args, **(kwargs or {}))
        flat = torch.utils._pytree.tree_leaves((args, kwargs, result))
        if len({each.device.type for each in flat if isinstance(each, Tensor) and each.dim()}) > 1:
            self.copies[_line_of_ours()] += 1
        return result


def _line_of_ours() -> str:
    for frame in reversed(traceback.extract_stack()):
        if frame.filename.startswith(str(PACKAGE)):
            return f"{Path(frame.filename).relative_to(PACKAGE.parent)}:{frame.name}"
    return "elsewhere"


class FakeGpu:
    """Moves things onto the GPU that is not there.

    Args:
        mode: In force.
    """

    def __init__(self, mode: FakeTensorMode) -> None:
        self._mode = mode

    def record(self, what: Any) -> Any:
        """A record, on the GPU."""
        return each_tensor(lambda one: self._mode.from_tensor(one[0]).to("cuda"), [what])

    def module(self, module: Any) -> Any:
        """A module, changed in place."""
        for each in module.modules():
            for name, value in each._parameters.items():
                if value is not None:
                    fake = self._mode.from_tensor(value).detach().to("cuda")
                    each._parameters[name] = nn.Parameter(fake, requires_grad=value.requires_grad)
            for name, buffer in each._buffers.items():
                if buffer is not None:
                    each._buffers[name] = self._mode.from_tensor(buffer).to("cuda")
        return module

    def by_host(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that the host runs on its own numbers, and whose tensors lie in its memory."""

        def run(*args: Any, **named: Any) -> Any:
            with unset_fake_temporarily():
                found = function(*args, **named)
            return each_tensor(lambda one: self._mode.from_tensor(one[0]), [found])

        return run


@contextmanager
def fake_gpu() -> Iterator[FakeGpu]:
    """Within this context a GPU seems to be there."""
    forget_constants()
    with FakeTensorMode() as mode:
        try:
            torch.ones(1, device="cuda") + 1
        except (RuntimeError, AssertionError):
            pytest.skip("this torch was built without CUDA")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(torch.autograd, "grad", gradients)
            patched.setattr(nn.Module, "to", lambda module, *_, **__: module)  # they are there already
            yield FakeGpu(mode)
    forget_constants()


def gradients(
    outputs: Tensor, inputs: Tensor | Sequence[Tensor], allow_unused: bool = False
) -> tuple[Tensor | None, ...]:
    """Gradients of a number in leaves, node by node from the last to the first."""
    leaves = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    found: dict[int, Tensor] = {}
    held: dict[Any, dict[int, Tensor]] = {outputs.grad_fn: {0: torch.ones_like(outputs)}}
    with torch.no_grad():
        for node in _sorted(outputs.grad_fn):
            given = held.pop(node, None)
            if given is None:
                continue
            if type(node).__name__ == "AccumulateGrad":
                found[id(node.variable)] = given[0]
                continue
            asked = [given.get(number) for number in range(max(given) + 1)]
            answered = node.apply(*asked) if hasattr(node, "apply") else node(*asked)
            for value, (following, number) in zip(_tuple(answered), node.next_functions, strict=False):
                if following is not None and value is not None:
                    value = value.sum_to_size(following._input_metadata[number].shape)  # noqa: PLW2901
                    before = held.setdefault(following, {})
                    before[number] = before[number] + value if number in before else value
    missing = [leaf for leaf in leaves if id(leaf) not in found]
    if missing and not allow_unused:
        raise RuntimeError("a leaf was not reached")
    for leaf in leaves:
        gradient = found.get(id(leaf))
        if gradient is not None:
            assert gradient.device == leaf.device
            assert gradient.shape == leaf.shape
    return tuple(found.get(id(leaf)) for leaf in leaves)


def _tuple(answered: Any) -> tuple[Any, ...]:
    return answered if isinstance(answered, tuple) else (answered,)


def _sorted(last: Any) -> list[Any]:
    """Nodes of the graph such that each comes before those it hands its gradients to."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack: list[tuple[Any, bool]] = [(last, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node is not None and node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(following, False) for following, _ in node.next_functions]
    return order[::-1]
