"""A figure with its interval, and how that was made: what every table, record and chart is filled with."""

import math
from dataclasses import dataclass
from typing import Literal

from scipy.optimize import brentq
from scipy.special import betainc

TAIL = 0.025  # beyond each end of a 95 % interval
_NOTHING = 1e-9  # hits or misses that are none

Method = Literal["bootstrap", "student", "binomial", "combined"]
MARKS: dict[Method | None, str] = {"student": "t", "binomial": "b", "combined": "c"}
MARKS_EXPLAINED = (
    "Intervals are by bootstrap; those marked b are binomial, as few stand behind the rarer outcome; c: put "
    "together from such intervals of both parts of a difference; t: Student's, of few people."
)


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval, which is none or has a width.

    Attributes:
        value: The mean over probes; NaN where there are none.
        low: Lower end, None where fewer than two people allow no interval.
        high: Upper end.
        method: How the interval was made: `bootstrap` over people; `binomial`, with people as trials;
            `combined` from the binomial ones of two shares; `student`. None without an interval.
    """

    value: float
    low: float | None = None
    high: float | None = None
    method: Method | None = None

    def text(self, digits: int, *, factor: float = 1.0) -> str:
        """Value, interval and mark of its method, as `0.12 [0.10, 0.15]b`; `factor` is 100 for percent."""
        if not math.isfinite(self.value):
            return "-"
        value, low, high = (
            "" if number is None else _rounded(number * factor, digits)
            for number in (self.value, self.low, self.high)
        )
        return f"{value} [{low}, {high}]{MARKS.get(self.method, '')}" if low and high else value


def binomial_estimate(value: float, trials: float) -> Estimate:
    """A mean of numbers between 0 and 1 as if each were one trial of a binomial.

    The mid-P interval, whose tails count half of what was found itself: the exact one is wider than need be.
    It is never narrower than the exact one of no hit at all, or of no miss: none of 20 leaves room for 17 %.
    For numbers other than 0 and 1 it is wider than it need be: nothing between 0 and 1 with this mean varies
    more than zeros and ones do.

    Args:
        value: The mean, in [0, 1]; times `trials` it need not be whole.
        trials: How many, at least one; need not be whole.

    Source:
        Berry and Armitage, "Mid-P confidence intervals: a brief review", 1995, and for the ends Clopper and
        Pearson, "The use of confidence or fiducial limits", 1934; both continued between whole counts.
    """
    room = room_for_unseen(trials)
    hits, misses = value * trials, (1 - value) * trials

    def more(rate: float) -> float:
        """Chance of more hits than these, and half of as many, at this rate."""
        as_many = 1.0 if hits <= _NOTHING else float(betainc(hits, misses + 1, rate))
        beyond = 0.0 if misses <= _NOTHING else float(betainc(hits + 1, misses, rate))
        return (as_many + beyond) / 2

    low = 0.0 if hits <= _NOTHING else float(brentq(lambda rate: more(rate) - TAIL, 0, 1))
    high = 1.0 if misses <= _NOTHING else float(brentq(lambda rate: more(rate) - 1 + TAIL, 0, 1))
    return Estimate(value, min(low, 1 - room, value), max(high, room, value), "binomial")


def combined(first: Estimate, second: Estimate, *, correlation: float = 0.0) -> Estimate:
    """Difference of two shares with an interval put together from theirs; none where one has none.

    Args:
        first: One share.
        second: It is taken away.
        correlation: Of the two.

    Source:
        Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 10;
        Zou and Donner, "Construction of confidence limits about effect measures", 2008.
    """
    value = first.value - second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(value)

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))

    low = value - reach(first.value - first.low, second.high - second.value)
    high = value + reach(first.high - first.value, second.value - second.low)
    return Estimate(value, max(low, -1.0), min(high, 1.0), "combined")


def room_for_unseen(trials: float) -> float:
    """Largest share, with 97.5 % confidence, of what so many trials did not show once: of 20, 17 %."""
    return 1 - float(TAIL ** (1 / trials))


def _rounded(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if not float(text) else text
