"""Rates and intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm as normal
from scipy.stats import t as student

FloatArray = NDArray[np.float64]
_LEVEL = 0.95
_AT_ONCE = 2**22  # numbers drawn at a time


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
    """Mean over probes, with a bootstrap over people.

    People are resampled with replacement and bring all their probes, because probes of one person are
    alike and do not count as independent. The interval lies between quantiles of the resampled means that are
    taken further out the fewer people there are: the plain 2.5 % and 97.5 % are too narrow below some fifty
    people, as a normal interval is beside Student's.

    Args:
        values: (n,) one per probe.
        people: The person of each probe.
        seed: Of the resampling.
        resamples: How many.

    Source:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; Hesterberg, "What Teachers
        Should Know About the Bootstrap", 2015, section 5.3 (expanded percentiles).
    """
    if len(values) == 0:
        return Estimate(float("nan"))
    names, person = np.unique(np.asarray(people), return_inverse=True)
    if len(names) < 2:
        return Estimate(float(values.mean()))
    total = np.bincount(person, weights=values, minlength=len(names))
    count = np.bincount(person, minlength=len(names))
    draws = np.random.default_rng(seed)
    means: list[FloatArray] = []
    rows = max(1, _AT_ONCE // len(names))
    for start in range(0, resamples, rows):
        chosen = draws.integers(len(names), size=(min(rows, resamples - start), len(names)))
        means.append(total[chosen].sum(axis=1) / count[chosen].sum(axis=1))
    outer = outer_share(len(names))
    low, high = np.quantile(np.concatenate(means), [outer, 1 - outer])
    return Estimate(float(values.mean()), float(low), float(high))


def rate_over_people(values: FloatArray, people: Sequence[str], *, seed: int = 0) -> Estimate:
    """A share with its interval over people: `mean_over_people`, but never certain of zero or of one.

    Where every probe gives the same answer, resampling can only repeat it. Then the end that is open is the
    exact binomial one for as many trials as there are people: twenty people without a match leave room for a
    rate of 17 %.

    Args:
        values: (n,) zeros and ones.
        people: The person of each probe.
        seed: Of the resampling.

    Source:
        Clopper and Pearson, "The use of confidence or fiducial limits", 1934.
    """
    found = mean_over_people(values, people, seed=seed)
    if found.low is None or found.high is None or found.low != found.high or found.value not in (0.0, 1.0):
        return found
    room = 1 - ((1 - _LEVEL) / 2) ** (1 / len(set(people)))
    return Estimate(0.0, 0.0, room) if found.value == 0 else Estimate(1.0, 1 - room, 1.0)


def outer_share(people: int) -> float:
    """Share of resamples beyond each end of a 95 % interval over this many people; 0.025 for very many."""
    half = (1 - _LEVEL) / 2
    return float(normal.cdf(math.sqrt(people / (people - 1)) * student.ppf(half, people - 1)))
