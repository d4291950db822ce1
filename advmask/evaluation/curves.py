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


def equal_error_rate(
    genuine: Float[np.ndarray, " g"],
    impostor: Float[np.ndarray, " i"],
    weights: tuple[Float[np.ndarray, " g"], Float[np.ndarray, " i"]] | None = None,
) -> float:
    """The rate at which as many of one person are refused as others are let in, between thresholds linearly.

    Args:
        genuine: Similarities of one person.
        impostor: Similarities of different people.
        weights: How much each counts; None counts each once.

    Returns:
        In [0, 1]; NaN where either weighs nothing.
    """
    return EqualErrorRate(genuine, impostor)(weights)


class EqualErrorRate:
    """`equal_error_rate` of the same similarities under many weights: they are sorted once.

    Args:
        genuine: Similarities of one person.
        impostor: Similarities of different people.
    """

    def __init__(self, genuine: Float[np.ndarray, " g"], impostor: Float[np.ndarray, " i"]) -> None:
        different, place = np.unique(
            np.concatenate([genuine, impostor]).astype(np.float64), return_inverse=True
        )
        self._steps = len(different)
        self._genuine, self._impostor = place[: len(genuine)], place[len(genuine) :]

    def __call__(
        self, weights: tuple[Float[np.ndarray, " g"], Float[np.ndarray, " i"]] | None = None
    ) -> float:
        """The rate under these weights."""
        below = [
            np.concatenate([[0.0], np.cumsum(np.bincount(places, each, minlength=self._steps))])
            for places, each in zip((self._genuine, self._impostor), weights or (None, None), strict=True)
        ]
        if not below[0][-1] > 0 or not below[1][-1] > 0:
            return float("nan")
        refused, let_in = below[0] / below[0][-1], 1 - below[1] / below[1][-1]
        after = int(np.argmax(refused >= let_in))  # the last threshold refuses everybody
        gap, before = refused[after] - let_in[after], let_in[after - 1] - refused[after - 1]
        share = before / (before + gap)
        return float(refused[after - 1] + share * (refused[after] - refused[after - 1]))
