"""From similarities to decisions: the threshold at a false match rate, and match confidence."""

import json
import math
from importlib import resources

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from advmask.core.errors import CalibrationError
from advmask.core.settings import Settings
from advmask.recognizers.threshold_interval import threshold_interval

CONFIDENCE_OF_MEDIAN_GENUINE = 0.95
COMPARISONS_PER_ERROR = 10  # an FMR f is claimed from at least 10 / f impostor comparisons


class Calibration(Settings):
    """How a recognizer's similarities become decisions.

    Attributes:
        fmr: False match rate at which the threshold was taken.
        threshold: Similarity above which a pair counts as a match.
        scale: Slope of the match confidence, per unit of similarity.
        threshold_low: Lower end of the 95 % interval of the threshold over people, where it was made.
        threshold_high: Upper end.
        impostor_comparisons: How many impostor comparisons stand behind the threshold; 0 if unknown.
        genuine_comparisons: How many genuine comparisons stand behind the scale; 0 if unknown.
        source: Where it comes from, in words.
    """

    fmr: float
    threshold: float
    scale: float
    threshold_low: float | None = None
    threshold_high: float | None = None
    impostor_comparisons: int = 0
    genuine_comparisons: int = 0
    source: str = ""

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the threshold over people; None where it is not known."""
        if self.threshold_low is None or self.threshold_high is None:
            return None
        return self.threshold_low, self.threshold_high

    def margin(self, similarity: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Log-odds of the match confidence: scale (similarity - threshold), above zero for a match."""
        return self.scale * (similarity - self.threshold)

    def confidence(self, similarity: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Match confidence in (0, 1): sigmoid(scale (similarity - threshold))."""
        return torch.sigmoid(self.margin(similarity))


def comparisons_needed(fmr: float) -> int:
    """Impostor comparisons from which a threshold at this false match rate may be claimed."""
    return math.ceil(COMPARISONS_PER_ERROR / fmr - 1e-9)


def threshold_at_fmr(impostor: NDArray[np.floating], fmr: float) -> float:
    """Smallest threshold at which at most a share `fmr` of impostor similarities reaches it.

    A pair matches when its similarity is at least the threshold. The threshold lies halfway between the
    last impostor that is let in and the first that is not, so that rounding does not decide.

    Args:
        impostor: Similarities of different people, any shape.
        fmr: In (0, 1).

    Raises:
        CalibrationError: Too few comparisons to support this FMR, or undefined ones.
    """
    _refuse_undefined(impostor)
    scores = np.sort(np.asarray(impostor, dtype=np.float64).ravel())[::-1]
    needed = comparisons_needed(fmr)
    if scores.size < needed:
        raise CalibrationError(
            f"FMR {fmr:g} needs at least {needed} impostor comparisons, but there are {scores.size}; "
            "add photos of more people, or evaluate at a larger one (protocol.fmr)."
        )
    allowed = math.floor(fmr * scores.size + 1e-9)
    first_refused = scores[allowed]
    let_in = scores[:allowed][scores[:allowed] > first_refused]
    if let_in.size == 0:
        return float(np.nextafter(first_refused, np.inf))
    # Between neighbouring numbers the mean rounds to either, and must not be the one that is refused.
    return float(max((let_in[-1] + first_refused) / 2, np.nextafter(first_refused, np.inf)))


def calibrate(
    genuine: NDArray[np.floating],
    impostor: NDArray[np.floating],
    *,
    fmr: float,
    source: str,
    people: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> Calibration:
    """Threshold from impostors; scale such that the median genuine pair has match confidence 0.95.

    Args:
        genuine: Similarities of one person, any shape.
        impostor: Similarities of different people, any shape.
        fmr: False match rate of the threshold.
        source: Where they come from, in words.
        people: Numbers of the two people of each impostor comparison; they give the threshold an interval.

    Raises:
        CalibrationError: Too few impostors for the FMR, or genuine pairs that do not exceed the threshold,
            which means that the network does not recognise anybody as it is fed; or undefined similarities.
    """
    threshold = threshold_at_fmr(impostor, fmr)
    if np.size(genuine) == 0:
        raise CalibrationError("Calibration needs at least one person with two photos.")
    _refuse_undefined(genuine)
    margin = float(np.median(genuine)) - threshold
    if margin <= 0:
        raise CalibrationError(
            f"The median genuine similarity lies {-margin:.3g} below the threshold at FMR {fmr:g}: this "
            "recognizer does not separate people as it is fed. Check size, channels, range and template."
        )
    interval = None
    if people is not None:
        interval = threshold_interval(np.asarray(impostor), *people, fmr=fmr)
    odds = math.log(CONFIDENCE_OF_MEDIAN_GENUINE / (1 - CONFIDENCE_OF_MEDIAN_GENUINE))
    return Calibration(
        fmr=fmr,
        threshold=threshold,
        scale=odds / margin,
        threshold_low=interval[0] if interval else None,
        threshold_high=interval[1] if interval else None,
        impostor_comparisons=int(np.size(impostor)),
        genuine_comparisons=int(np.size(genuine)),
        source=source,
    )


def _refuse_undefined(similarities: NDArray[np.floating]) -> None:
    if not np.isfinite(similarities).all():
        raise CalibrationError(
            "Some similarities are undefined or infinite, so no threshold can be computed; check the "
            "network's weights and its range, mean and std."
        )


def stored_calibration(name: str) -> Calibration | None:
    """The calibration that ships with the package for a recognizer, or None."""
    file = resources.files("advmask.recognizers") / "calibrations" / f"{name}.json"
    if not file.is_file():
        return None
    return Calibration.build(json.loads(file.read_text(encoding="utf-8")))
