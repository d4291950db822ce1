"""Rates and intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval.

    Attributes:
        value: The mean over probes; NaN where there are none.
        low: Lower end, None where fewer than two people allow no interval.
        high: Upper end.
    """

    value: float
    low: float | None = None
    high: float | None = None


def accepted(similarity: FloatArray, threshold: float) -> FloatArray:
    """One where a probe's similarity reaches the threshold, else zero; its mean is the TAR."""
    return (similarity >= threshold).astype(np.float64)


def mean_over_people(
    values: FloatArray, people: Sequence[str], *, seed: int = 0, resamples: int = 2000
) -> Estimate:
    """Mean over probes, with a percentile bootstrap over people.

    People are resampled with replacement and bring all their probes, because probes of one person are
    alike and do not count as independent.

    Args:
        values: (n,) one per probe.
        people: The person of each probe.
        seed: Of the resampling.
        resamples: How many.

    Source:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    if len(values) == 0:
        return Estimate(float("nan"))
    names, person = np.unique(np.asarray(people), return_inverse=True)
    if len(names) < 2:
        return Estimate(float(values.mean()))
    total = np.bincount(person, weights=values, minlength=len(names))
    count = np.bincount(person, minlength=len(names))
    chosen = np.random.default_rng(seed).integers(len(names), size=(resamples, len(names)))
    means = total[chosen].sum(axis=1) / count[chosen].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high))
