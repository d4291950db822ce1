"""Intervals for a handful of people, who are what a physical test usually has."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from advmask.evaluation.metrics import Estimate, mean_over_people

_LEVEL = 0.95
# With less on either side, resampling knows too little of the rarer outcome.
_ENOUGH = 5.0


def binomial_estimate(value: float, trials: int) -> Estimate:
    """A mean of numbers between 0 and 1 as if each were one trial of a binomial.

    For numbers other than 0 and 1 the interval is wider than it need be: nothing between 0 and 1 with this
    mean varies more than zeros and ones do.

    Args:
        value: The mean, in [0, 1]; times `trials` it need not be whole.
        trials: How many, at least one.

    Source:
        Clopper and Pearson, "The use of confidence or fiducial limits", 1934, continued between whole counts.
    """
    hits, tail = value * trials, (1 - _LEVEL) / 2
    low = 0.0 if hits <= 0 else float(beta.ppf(tail, hits, trials - hits + 1))
    high = 1.0 if hits >= trials else float(beta.ppf(1 - tail, hits + 1, trials - hits))
    return Estimate(value, low, high)


def rate(values: NDArray[np.float64], *, seed: int = 0) -> Estimate:
    """A mean over people, or over the files of one person, with its interval.

    Args:
        values: (n,) in [0, 1], one per person or file.
        seed: Of the resampling, which needs five hits and five misses at least, in sum.
    """
    if len(values) == 0:
        return Estimate(math.nan)
    value = float(values.mean())
    if not _may_resample(values):
        return binomial_estimate(value, len(values))
    return mean_over_people(values, [str(place) for place in range(len(values))], seed=seed)


def difference(
    first: NDArray[np.float64], second: NDArray[np.float64], *, paired: bool, seed: int = 0
) -> Estimate:
    """Mean of the first less mean of the second, with its interval.

    Args:
        first: (n,) in [0, 1], one per person or file.
        second: (m,) likewise; of the same people in the same order, if `paired`.
        paired: Whether they belong together; then people are resampled where there are enough of them.
        seed: Of the resampling.

    Source:
        Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 10,
        on other intervals of the two rates.
    """
    if len(first) == 0 or len(second) == 0:
        return Estimate(math.nan)
    if paired and _may_resample(first) and _may_resample(second):
        return mean_over_people(first - second, [str(place) for place in range(len(first))], seed=seed)
    one, other = rate(first, seed=seed), rate(second, seed=seed)
    assert one.low is not None
    assert one.high is not None
    assert other.low is not None
    assert other.high is not None
    value = one.value - other.value
    return Estimate(
        value,
        value - math.hypot(one.value - one.low, other.high - other.value),
        value + math.hypot(one.high - one.value, other.value - other.low),
    )


def _may_resample(values: NDArray[np.float64]) -> bool:
    return bool(min(values.sum(), (1 - values).sum()) >= _ENOUGH)
