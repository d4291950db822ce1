"""Intervals for a handful of people, who are what a physical test usually has."""

import math

import numpy as np
from numpy.typing import NDArray

from advmask.evaluation.estimates import Estimate, binomial_estimate, combined
from advmask.evaluation.metrics import difference_over_people, rate_over_people


def rate(values: NDArray[np.float64], *, seed: int = 0) -> Estimate:
    """A mean over people, or over the files of one person, with its interval; see `rate_over_people`.

    Args:
        values: (n,) in [0, 1], one per person or file. A single one counts as one trial.
        seed: Of the resampling, if there is any.
    """
    if len(values) == 0:
        return Estimate(math.nan)
    if len(values) == 1:
        return binomial_estimate(float(values[0]), 1)
    return rate_over_people(values, _each(values), seed=seed)


def difference(
    first: NDArray[np.float64], second: NDArray[np.float64], *, paired: bool, seed: int = 0
) -> Estimate:
    """Mean of the first less mean of the second, with its interval.

    Args:
        first: (n,) in [0, 1], one per person or file.
        second: (m,) likewise; of the same people in the same order, if `paired`.
        paired: Whether they belong together; see `difference_over_people`. Otherwise the interval is put
            together from those of the two means, as if they were independent.
        seed: Of the resampling, if there is any.
    """
    if len(first) == 0 or len(second) == 0:
        return Estimate(math.nan)
    if paired and len(first) > 1:
        return difference_over_people(first, second, _each(first), seed=seed)
    return combined(rate(first, seed=seed), rate(second, seed=seed))


def _each(values: NDArray[np.float64]) -> list[str]:
    return [str(place) for place in range(len(values))]
