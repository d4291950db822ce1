"""Error rates over all thresholds: ROC and DET curves, the equal error rate."""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def rates_at(scores: Float[np.ndarray, " n"], thresholds: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Share of scores that reach each threshold; NaN where there are no scores."""
    if not len(scores):
        return np.full(len(thresholds), np.nan)
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    return np.asarray(1.0 - np.searchsorted(ordered, thresholds, side="left") / len(ordered))


def roc(
    genuine: Float[np.ndarray, " g"], impostor: Float[np.ndarray, " i"]
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """FMR and TAR at every threshold that makes a difference, from nobody let in to everybody.

    Scores that tie are let in together, so that no order among them is assumed.

    Args:
        genuine: Similarities of one person.
        impostor: Similarities of different people.

    Returns:
        FMR, rising from 0 to 1, and the TAR at it.
    """
    different = np.unique(np.concatenate([genuine, impostor]).astype(np.float64))[::-1]
    thresholds = np.concatenate([[np.inf], different])
    return rates_at(impostor, thresholds), rates_at(genuine, thresholds)


def thinned(
    fmr: Float[np.ndarray, " m"], tar: Float[np.ndarray, " m"], *, points: int = 200
) -> tuple[FloatArray, FloatArray]:
    """At most about `points` points of a curve for drawing: the corners of its steps, evenly over log FMR."""
    if len(fmr) <= points:
        return fmr, tar
    floor = max(float(fmr[fmr > 0].min(initial=1.0)), 1e-6)
    wanted = np.concatenate([[0.0], np.geomspace(floor, 1.0, points - 1)])
    rows = np.unique(np.clip(np.searchsorted(fmr, wanted, side="right") - 1, 0, len(fmr) - 1))
    return fmr[rows], tar[rows]
