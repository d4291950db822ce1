"""Records: moved, cut and joined, whatever holds their tensors."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from advmask.effects.records import joined, moved, part_of


@dataclass(frozen=True)
class Held:
    values: Tensor
    name: str
    nothing: Tensor | None = None


class Pair(NamedTuple):
    left: Tensor
    right: list[Tensor]


def record(start: int, count: int) -> dict[str, Any]:
    photos = torch.arange(start, start + count)
    return {"held": Held(photos, "all"), "pair": Pair(photos + 100, [photos[:, None] + 200]), "number": 3}


def test_parts_of_a_record_are_joined_to_the_whole() -> None:
    whole = record(0, 7)
    again = joined([part_of(whole, first=first, count=count) for first, count in ((0, 2), (2, 4), (6, 1))])
    for found in (again, moved(whole, "cpu", non_blocking=True)):
        assert torch.equal(found["held"].values, whole["held"].values)
        assert torch.equal(found["pair"].right[0], whole["pair"].right[0])
        assert isinstance(found["pair"], Pair)
        assert (found["held"].name, found["held"].nothing, found["number"]) == ("all", None, 3)
    part = part_of(whole, first=3, count=2)
    assert part["pair"].left.tolist() == [103, 104]


def test_a_record_is_moved_to_another_device() -> None:
    assert moved(record(0, 2), "meta")["pair"].right[0].device.type == "meta"
