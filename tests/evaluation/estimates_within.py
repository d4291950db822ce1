"""A check of every estimate in a result: its interval has a width, holds the value and names its method."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from advmask.evaluation.estimates import Estimate


def estimates(found: Any) -> Iterator[Estimate]:
    """All estimates in a result, however deep."""
    if isinstance(found, Estimate):
        yield found
    elif is_dataclass(found):
        for one in fields(found):
            yield from estimates(getattr(found, one.name))
    elif isinstance(found, dict):
        for value in found.values():
            yield from estimates(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from estimates(value)


def check_estimates(found: Any) -> None:
    """Of a result, comparison or judgement."""
    there = list(estimates(found))
    assert there
    for one in there:
        assert (one.low is None) == (one.high is None) == (one.method is None)
        if one.low is not None and one.high is not None:
            assert one.high - one.low > 1e-6
            assert -1 <= one.low <= one.value + 1e-9
            assert one.value - 1e-9 <= one.high <= 1
