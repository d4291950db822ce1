"""How well a threshold is known: an interval that allows for people who appear in many comparisons."""

import math

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtri, stdtrit

FloatArray = NDArray[np.float64]
_TAIL = 12  # multiples of the FMR: thresholds beyond this many times the FMR are not met in resampling
_AT_ONCE = 2**16  # comparisons counted at a time, few enough to stay in a processor's cache


def threshold_interval(
    impostor: Float[np.ndarray, " n"],
    probe: Int[np.ndarray, " n"],
    gallery: Int[np.ndarray, " n"],
    *,
    fmr: float,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Interval of the threshold at a false match rate, by resampling people.

    Every resample draws people with replacement; a comparison counts as often as its two people were drawn,
    their counts multiplied. That allows for both ends of a comparison: some people are mistaken for many
    others, and 1,000 comparisons of 12 people know less than 1,000 of 500. The interval lies between the
    outer quantiles of the resampled thresholds.

    Args:
        impostor: Similarities of different people.
        probe: Number of the person on the probe of each comparison.
        gallery: Number of the person it is compared with.
        fmr: In (0, 1).
        level: Of the interval.
        resamples: How many.
        seed: Of the resampling.

    Returns:
        Lower and upper end; None where resampling says nothing: with fewer than five people, or where every
        resample gives the same threshold.

    Source:
        Owen, "The pigeonhole bootstrap", 2007.
    """
    people = np.union1d(probe, gallery)
    if len(people) < 5 or len(impostor) == 0:
        return None
    # Where many photos are compared with many people, each copy of such an array takes much memory.
    row = np.zeros(people[-1] + 1, dtype=np.int64)
    row[people] = np.arange(len(people))
    pairs = row[probe] * len(people) + row[gallery]
    counts = (np.ones(len(pairs)), np.divmod(pairs, len(people)))
    counted = csr_array(counts, shape=(len(people), len(people)))  # adds up those of the same two people
    # Only the highest scores can become a threshold; of the others the number suffices.
    kept = min(len(impostor), max(200, math.ceil(_TAIL * fmr * len(impostor))))
    order = np.argsort(-np.asarray(impostor), kind="stable")[:kept]
    scores, (first, second) = np.asarray(impostor)[order], np.divmod(pairs[order], len(people))
    draws = np.random.default_rng(seed)
    found = np.full(resamples, np.nan)
    rows = max(1, _AT_ONCE // kept)
    for start in range(0, resamples, rows):
        turns = np.arange(min(rows, resamples - start))[:, None]
        chosen = draws.integers(len(people), size=(len(turns), len(people)))
        times = np.zeros(chosen.shape, dtype=np.int64)
        np.add.at(times, (turns, chosen), 1)
        total = ((times @ counted) * times).sum(axis=1, keepdims=True)
        let_in = (
            np.cumsum(times.take(first, axis=1) * times.take(second, axis=1), axis=1) <= fmr * total + 1e-9
        )
        place = np.count_nonzero(let_in, axis=1)  # cumulated counts never fall
        found[start : start + rows] = np.where(total[:, 0] > 0, scores[np.minimum(place, kept - 1)], np.nan)
    half = (1 - level) / 2
    low, middle, high = np.nanquantile(found, [half, 0.5, 1 - half])
    if low == high:
        return None
    # Few people: Student's factor for the normal one, and the spread that resampling n people loses.
    n = len(people)
    wider = float(stdtrit(n - 1, half) / ndtri(half)) * math.sqrt(n / (n - 1))
    return float(middle + wider * (low - middle)), float(middle + wider * (high - middle))
