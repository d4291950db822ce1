"""Whether two designs differ beyond chance over people: a sign-flip test, and Holm's correction for many."""

import math
from collections.abc import Sequence

import numpy as np

from advmask.evaluation.metrics import FloatArray

_EXACT = 16  # people who differ, up to whom all flips are tried
_DRAWN = 99_999
_AT_ONCE = 2**20  # signs drawn at a time
_ROUNDING = 1e-9


def sign_flip_p(differences: FloatArray, people: Sequence[str], *, seed: int = 0) -> float:
    """Two-sided p of paired differences: how often chance alone moves their mean at least as far from zero.

    If two designs were alike, either could have been the first for any person, whose differences then change
    sign together: probes of one person are no independent trials. With up to 16 people who differ at all,
    every way to flip them is tried; with more, 99,999 are drawn, and what was found counts as one of them.

    Args:
        differences: (n,) one per probe: of the first design less of the second.
        people: The person of each probe.
        seed: Of the draws.

    Returns:
        In (0, 1]; NaN without a probe.

    Source:
        Fisher, "The Design of Experiments", 1935, section 21; Phipson and Smyth, "Permutation p-values should
        never be zero", 2010.
    """
    if not len(differences):
        return math.nan
    _, person = np.unique(np.asarray(people), return_inverse=True)
    total = np.bincount(person, weights=differences)
    total = total[np.abs(total) > _ROUNDING]
    found = abs(float(total.sum())) - _ROUNDING * float(np.abs(total).sum())
    if len(total) <= _EXACT:
        flips = np.arange(2 ** len(total))[:, None] >> np.arange(len(total)) & 1
        return float(np.mean(np.abs((1 - 2 * flips) @ total) >= found))
    draws = np.random.default_rng(seed)
    rows, as_far = max(1, _AT_ONCE // len(total)), 0
    for start in range(0, _DRAWN, rows):
        size = (min(rows, _DRAWN - start), len(total))
        signs = 1 - 2 * draws.integers(2, size=size, dtype=np.int8).astype(np.float64)
        as_far += int(np.count_nonzero(np.abs(signs @ total) >= found))
    return (1 + as_far) / (1 + _DRAWN)


def holm(values: Sequence[float]) -> list[float]:
    """Each p as large as it must be so that one error among all of them stays as rare as one alone.

    Args:
        values: In [0, 1], of tests that need not be independent; NaN is no test and stays so.

    Source:
        Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    order = sorted((value, place) for place, value in enumerate(values) if not math.isnan(value))
    adjusted, largest = [math.nan] * len(values), 0.0
    for rank, (value, place) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * value))
        adjusted[place] = largest
    return adjusted
