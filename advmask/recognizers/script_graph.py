"""A TorchScript network freed of the floating type and the device that it was made for."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

_HALF, _DOUBLE, _BFLOAT, _FLOAT = 5, 7, 15, 6  # numbers of torch's types in TorchScript
_TYPED = (
    "aten::to",
    "aten::zeros",
    "aten::ones",
    "aten::full",
    "aten::empty",
    "aten::arange",
    "aten::tensor",
    "aten::zeros_like",
    "aten::ones_like",
    "aten::full_like",
    "aten::new_zeros",
    "aten::new_ones",
    "aten::new_full",
    "aten::scalar_tensor",
    "aten::as_tensor",
    "aten::linspace",
    "aten::rand",
    "aten::mean",
    "aten::sum",
    "aten::softmax",
    "aten::log_softmax",
    "aten::_to_copy",
    "aten::eye",
    "aten::new_empty",
    "aten::empty_like",
    "aten::type_as",
    "aten::prod",
    "aten::linalg_vector_norm",
    "aten::norm",
    "aten::cumsum",
)


def in_float32_on_cpu(network: nn.Module) -> nn.Module:
    """Make a loaded network compute in float32 on the CPU, in place; before it runs for the first time.

    Its weights are cast; in its program, constants in other floating types are cast too, types asked for
    become float32, and devices that are not here become the CPU.

    Args:
        network: As `torch.jit.load` gives it.
    """
    graph = network.graph
    torch._C._jit_pass_inline(graph)  # what it calls is part of it then
    _change(graph)
    return network.float()


def _change(graph: Any) -> None:
    for node in _nodes(graph):
        if node.kind() == "prim::Constant" and node.hasAttribute("value"):
            if node.kindOf("value") == "t":
                values = node.t("value")
                if values.is_floating_point():
                    node.t_("value", values.detach().cpu().float())
            elif node.kindOf("value") == "s" and node.output().type().kind() == "DeviceObjType":
                node.s_("value", "cpu")
            elif node.kindOf("value") == "i" and node.i("value") in (_HALF, _DOUBLE, _BFLOAT):
                _retype(node)


def _retype(node: Any) -> None:
    """Set a type to float32 where all that use this number take it for a type."""
    uses = node.output().uses()
    if uses and all(use.user.kind() in _TYPED and _is_type(use) for use in uses):
        node.i_("value", _FLOAT)


def _is_type(use: Any) -> bool:
    schema = use.user.schema() if hasattr(use.user, "schema") else ""
    given = [part.strip() for part in str(schema).partition("(")[2].split(",")]
    return any("ScalarType" in part or "dtype" in part for part in given[use.offset : use.offset + 1])


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)
