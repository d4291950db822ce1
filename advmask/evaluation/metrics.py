"""Rates, differences of rates, and their intervals over people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc
from scipy.stats import norm as normal
from scipy.stats import t as student

FloatArray = NDArray[np.float64]
_LEVEL = 0.95
_TAIL = (1 - _LEVEL) / 2
_AT_ONCE = 2**22  # numbers drawn at a time
_NOTHING = 1e-9  # hits or misses that are none
_FEW = 10  # people, with fewer of whom resampling knows too little


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

    def text(self, digits: int, *, factor: float = 1.0) -> str:
        """Value and interval in words, as `0.123 [0.100, 0.150]`; `factor` is 100 for percent."""
        value = f"{self.value * factor:.{digits}f}"
        if self.low is None or self.high is None:
            return value
        return f"{value} [{self.low * factor:.{digits}f}, {self.high * factor:.{digits}f}]"


def accepted(similarity: FloatArray, threshold: float) -> FloatArray:
    """One where a probe's similarity reaches the threshold, else zero; its mean is the TAR."""
    return (similarity >= threshold).astype(np.float64)


def mean_over_people(
    values: FloatArray, people: Sequence[str], *, seed: int = 0, resamples: int = 2000
) -> Estimate:
    """Mean over probes of any numbers, with a bootstrap over people.

    People are resampled with replacement and bring all their probes, because probes of one person are
    alike and do not count as independent. The interval lies between quantiles of the resampled means that are
    taken further out the fewer people there are: the plain 2.5 % and 97.5 % are too narrow below some fifty
    people, as a normal interval is beside Student's. Fewer than ten people get Student's interval itself: of
    two or three, resampling can only show what lies between them. Shares of something have
    `rate_over_people`, differences of shares `difference_over_people`.

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
    value = float(values.mean())
    total, count = _by_person(values, people)
    if len(total) < 2:
        return Estimate(value)
    if len(total) < _FEW:
        rest = total - value * count
        error = math.sqrt(len(total) / (len(total) - 1) * float(rest @ rest)) / float(count.sum())
        half = float(student.ppf(1 - _TAIL, len(total) - 1)) * error
        return Estimate(value, value - half, value + half)
    draws = np.random.default_rng(seed)
    means: list[FloatArray] = []
    rows = max(1, _AT_ONCE // len(total))
    for start in range(0, resamples, rows):
        chosen = draws.integers(len(total), size=(min(rows, resamples - start), len(total)))
        means.append(total[chosen].sum(axis=1) / count[chosen].sum(axis=1))
    outer = outer_share(len(total))
    low, high = np.quantile(np.concatenate(means), [outer, 1 - outer])
    return Estimate(value, float(low), float(high))


def rate_over_people(values: FloatArray, people: Sequence[str], *, seed: int = 0) -> Estimate:
    """A share with its interval over people, never of zero width.

    Where ten people or more stand behind the hits, and behind the misses, people are resampled
    (`mean_over_people`). With fewer, resampling knows too little of the rarer outcome, and the interval is
    that of a binomial (`binomial_estimate`). It has as many trials as there are people; more, where people
    with several probes are seen to differ less from each other than zeros and ones would. That is judged with
    one imagined person more, who differs as much as can be, and by Student's factor for as many people as
    stand behind the rarer outcome. How many stand behind something is Kish's effective number: the square of
    the sum of what each person brings, over the sum of the squares.

    Args:
        values: (n,) in [0, 1], one per probe: zeros and ones, or shares such as match confidence.
        people: The person of each probe.
        seed: Of the resampling.

    Source:
        Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data", 1998 (effective trials); Kish, "Survey Sampling", 1965. The limits are
        ours, by simulation: see "Intervals" in docs/results.md.
    """
    if len(values) == 0:
        return Estimate(float("nan"))
    total, count = _by_person(values, people)
    value = min(max(float(values.mean()), 0.0), 1.0)
    if len(total) < 2:
        return Estimate(value)
    behind = min(_effective(total), _effective(count - total))
    if behind >= _FEW:
        found = mean_over_people(values, people, seed=seed)
        if found.low != found.high:
            return found
    if min(value, 1 - value) * len(total) <= _NOTHING:
        return binomial_estimate(value, len(total))
    least, rest = _effective(count), total - value * count
    most_varied = value * (1 - value)
    variance = float(rest @ rest) / float(count.sum()) ** 2 + most_varied / (least * len(total))
    factor = float(normal.ppf(_TAIL)) / float(student.ppf(_TAIL, max(behind, 1.0)))
    return binomial_estimate(value, max(least, factor**2 * most_varied / variance))


def difference_over_people(
    first: FloatArray, second: FloatArray, people: Sequence[str], *, seed: int = 0
) -> Estimate:
    """Mean of the first less mean of the second, paired probe by probe, never of zero width.

    Where ten people or more stand behind what differs, and behind what does not, people are resampled.
    Otherwise the difference is taken apart into what is gained and what is lost. Each is a share with an
    interval of its own (`rate_over_people`), and the two are put together again by the squares of the
    distances to their ends, with the correlation they are seen to have. Where no probe differs, that leaves
    as much room on either side as none of so many people does.

    Args:
        first: (n,) in [0, 1], one per probe.
        second: (n,) likewise, of the same probes.
        people: The person of each probe.
        seed: Of the resampling.

    Source:
        Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
        paired data", 1998; Zou and Donner, "Construction of confidence limits about effect measures", 2008.
    """
    values = first - second
    if len(values) == 0:
        return Estimate(float("nan"))
    total, count = _by_person(np.abs(values), people)
    value = float(values.mean())
    if len(total) < 2:
        return Estimate(value)
    if min(_effective(total), _effective(count - total)) >= _FEW:
        found = mean_over_people(values, people, seed=seed)
        if found.low != found.high:
            return found
    gained, lost = np.maximum(values, 0), np.maximum(-values, 0)
    rests = [_by_person(one - one.mean(), people)[0] for one in (gained, lost)]
    spread = math.sqrt(float((rests[0] @ rests[0]) * (rests[1] @ rests[1])))
    together = float(rests[0] @ rests[1]) / spread if spread > 0 else 0.0
    ends = (rate_over_people(one, people, seed=seed) for one in (gained, lost))
    return combined(*ends, correlation=together)


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
    room = 1 - _TAIL ** (1 / trials)
    hits, misses = value * trials, (1 - value) * trials

    def more(rate: float) -> float:
        """Chance of more hits than these, and half of as many, at this rate."""
        as_many = 1.0 if hits <= _NOTHING else float(betainc(hits, misses + 1, rate))
        beyond = 0.0 if misses <= _NOTHING else float(betainc(hits + 1, misses, rate))
        return (as_many + beyond) / 2

    low = 0.0 if hits <= _NOTHING else float(brentq(lambda rate: more(rate) - _TAIL, 0, 1))
    high = 1.0 if misses <= _NOTHING else float(brentq(lambda rate: more(rate) - 1 + _TAIL, 0, 1))
    return Estimate(value, min(low, 1 - room, value), max(high, room, value))


def combined(first: Estimate, second: Estimate, *, correlation: float = 0.0) -> Estimate:
    """Difference of two shares with an interval put together from theirs.

    Args:
        first: With an interval.
        second: With an interval; it is taken away.
        correlation: Of the two.

    Raises:
        ValueError: One has no interval.

    Source:
        Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 10;
        Zou and Donner, "Construction of confidence limits about effect measures", 2008.
    """
    if first.low is None or first.high is None or second.low is None or second.high is None:
        raise ValueError("a difference needs two shares with intervals")
    value = first.value - second.value

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))

    low = value - reach(first.value - first.low, second.high - second.value)
    high = value + reach(first.high - first.value, second.value - second.low)
    return Estimate(value, max(low, -1.0), min(high, 1.0))


def outer_share(people: int) -> float:
    """Share of resamples beyond each end of a 95 % interval over this many people; 0.025 for very many."""
    return float(normal.cdf(math.sqrt(people / (people - 1)) * student.ppf(_TAIL, people - 1)))


def _by_person(values: FloatArray, people: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Sum and number of each person's probes, people in the order of their names."""
    names, person = np.unique(np.asarray(people), return_inverse=True)
    count = np.bincount(person, minlength=len(names)).astype(np.float64)
    total = np.bincount(person, weights=values, minlength=len(names)).astype(np.float64)
    return total, count


def _effective(brought: FloatArray) -> float:
    """Of how many people a sum is: all of them where each brings as much, one where one brings all."""
    squares = float(brought @ brought)
    return float(brought.sum()) ** 2 / squares if squares > 0 else 0.0
