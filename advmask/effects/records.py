"""Records of what was drawn: tensors with the photos first, in whatever holds them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

Record = TypeVar("Record")


def moved(record: Record, device: torch.device | str, *, non_blocking: bool = False) -> Record:
    """A record on another device."""
    return each_tensor(lambda one: one[0].to(device, non_blocking=non_blocking), [record])


def part_of(record: Record, *, first: int, count: int) -> Record:
    """What of a record belongs to `count` photos from the `first` on."""
    return each_tensor(lambda one: one[0].narrow(0, first, count), [record])


def joined(records: Sequence[Record]) -> Record:
    """One record of several, photos after photos."""
    return each_tensor(torch.cat, records)


def each_tensor(change: Callable[[list[Tensor]], Tensor], records: Sequence[Record]) -> Record:
    """A record of what is made of the tensors that stand at one place in all records.

    Args:
        change: Makes one tensor of them.
        records: Alike but for their tensors: a tensor, or a list, tuple, mapping or dataclass of such; what
            else they hold, such as a number or a name, is taken from the first.
    """

    def within(parts: list[Any]) -> Any:
        one = parts[0]
        if isinstance(one, Tensor):
            return change(parts)
        if isinstance(one, Mapping):
            return {key: within([part[key] for part in parts]) for key in one}
        if isinstance(one, list | tuple):
            values = [within(list(column)) for column in zip(*parts, strict=True)]
            return type(one)(*values) if hasattr(one, "_fields") else type(one)(values)
        if is_dataclass(one) and not isinstance(one, type):
            names = [each.name for each in fields(one) if each.init]
            return replace(one, **{name: within([getattr(part, name) for part in parts]) for name in names})
        return one

    result: Record = within(list(records))
    return result
