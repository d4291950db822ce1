"""A range of a setting, given as its two ends."""

from typing import Annotated

from pydantic import AfterValidator


def _ordered(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] <= ends[1]:
        raise ValueError("a range is given as [low, high], the lower end first")
    return ends


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
