"""Rates, differences of rates, and their intervals over people: one function for each question.

A share has `rate_over_people`, a paired difference of shares `difference_over_people`, a difference of shares
that are not pairs `combined`, a share of comparisons of different people `comparisons_over_people`;
`resampled_mean` is the bootstrap behind them. No interval has zero width.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from advmask.evaluation.estimates import TAIL, Estimate, binomial_estimate, combined, room_for_unseen

FloatArray = NDArray[np.float64]
_AT_ONCE = 2**16  # numbers drawn at a time, few enough to stay in a processor's cache
_NOTHING = 1e-9  # hits or misses that are none
_FEW = 10  # people, with fewer of whom resampling knows too little


def accepted(similarity: FloatArray, threshold: float) -> FloatArray:
    """One where a probe's similarity reaches the threshold, else zero; its mean is the TAR."""
    return (similarity >= threshold).astype(np.float64)


def resampled_mean(
    values: FloatArray, people: Sequence[str], *, seed: int = 0, resamples: int = 2000
) -> Estimate:
    """Mean over probes of numbers without bounds, with a bootstrap over people.

    People are resampled with replacement and bring all their probes, because probes of one person are
    alike and do not count as independent. The interval lies between quantiles of the resampled means that are
    taken further out the fewer people there are: the plain 2.5 % and 97.5 % are too narrow below some fifty
    people, as a normal interval is compared with Student's. Fewer than ten people get Student's interval
    itself: of two or three, resampling can only show what lies between them. Where all are equal nothing is
    known of how much such numbers vary, and there is no interval. Shares of something, match confidence too,
    have `rate_over_people`, differences of shares `difference_over_people`: their bounds are known.

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
        half = float(stdtrit(len(total) - 1, 1 - TAIL)) * error
        return _unless_equal(Estimate(value, value - half, value + half, "student"))
    draws = np.random.default_rng(seed)
    means: list[FloatArray] = []
    rows = max(1, _AT_ONCE // len(total))
    for start in range(0, resamples, rows):
        chosen = draws.integers(len(total), size=(min(rows, resamples - start), len(total)))
        means.append(total[chosen].sum(axis=1) / count[chosen].sum(axis=1))
    outer = outer_share(len(total))
    low, high = np.quantile(np.concatenate(means), [outer, 1 - outer])
    return _unless_equal(Estimate(value, float(low), float(high), "bootstrap"))


def rate_over_people(values: FloatArray, people: Sequence[str] | None = None, *, seed: int = 0) -> Estimate:
    """A share with its interval over people, never of zero width.

    Where ten people or more stand behind the hits, and behind the misses, people are resampled
    (`resampled_mean`). With fewer, resampling knows too little of the rarer outcome, and the interval is
    that of a binomial (`binomial_estimate`). It has as many trials as there are people; more, where people
    with several probes are seen to differ less from each other than zeros and ones would. That is judged with
    one imagined person more, who differs as much as can be, and by Student's factor for as many people as
    stand behind the rarer outcome. How many stand behind something is Kish's effective number: the square of
    the sum of what each person brings, over the sum of the squares.

    However alike people are, some who are unlike all of them may have been missed by chance: of twenty, up to
    17 % of everybody. The interval reaches as far as the mean would move if all of these matched, or none.

    Args:
        values: (n,) in [0, 1], one per probe: zeros and ones, or shares such as match confidence.
        people: The person of each probe, of whom one alone gives no interval; None where each value is of a
            person (or file) of its own, and a single one counts as one trial.
        seed: Of the resampling.

    Source:
        Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data", 1998 (effective trials); Kish, "Survey Sampling", 1965; Learned-Miller
        and Thomas, "A new confidence interval for the mean of a bounded random variable", 2019 (which for
        people who are all alike is that reach). The limits are ours, by simulation: "Intervals" in
        docs/results.md.
    """
    if len(values) == 0:
        return Estimate(float("nan"))
    value = min(max(float(values.mean()), 0.0), 1.0)
    if people is None:
        if len(values) == 1:
            return binomial_estimate(value, 1)
        people = _each(values)
    total, count = _by_person(values, people)
    if len(total) < 2:
        return Estimate(value)
    behind = min(_effective(total), _effective(count - total))
    if behind >= _FEW:
        return _with_room(resampled_mean(values, people, seed=seed), len(total), least=0.0)
    if min(value, 1 - value) * len(total) <= _NOTHING:
        return binomial_estimate(value, len(total))
    least, rest = _effective(count), total - value * count
    most_varied = value * (1 - value)
    variance = float(rest @ rest) / float(count.sum()) ** 2 + most_varied / (least * len(total))
    factor = float(ndtri(TAIL)) / float(stdtrit(max(behind, 1.0), TAIL))
    trials = max(least, factor**2 * most_varied / variance)
    return _with_room(binomial_estimate(value, trials), len(total), least=0.0)


def difference_over_people(
    first: FloatArray, second: FloatArray, people: Sequence[str] | None = None, *, seed: int = 0
) -> Estimate:
    """Mean of the first less mean of the second, paired probe by probe, never of zero width.

    Where ten people or more stand behind what differs, and behind what does not, people are resampled.
    Otherwise the difference is taken apart into what is gained and what is lost. Each is a share with an
    interval of its own (`rate_over_people`), and the two are put together again by the squares of the
    distances to their ends, with the correlation they are seen to have. People who were missed by chance may
    differ as much as can be: where no probe differs, that leaves as much room on either side as none of so
    many people does.

    Args:
        first: (n,) in [0, 1], one per probe.
        second: (n,) the same, of the same probes.
        people: The person of each probe; None where each pair is of a person of its own, and a single one
            counts as two trials that are no pair.
        seed: Of the resampling.

    Source:
        Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
        paired data", 1998; Zou and Donner, "Construction of confidence limits about effect measures", 2008.
    """
    values = first - second
    if len(values) == 0:
        return Estimate(float("nan"))
    if people is None:
        if len(values) == 1:
            return combined(rate_over_people(first), rate_over_people(second))
        people = _each(values)
    total, count = _by_person(np.abs(values), people)
    value = float(values.mean())
    if len(total) < 2:
        return Estimate(value)
    if min(_effective(total), _effective(count - total)) >= _FEW:
        return _with_room(resampled_mean(values, people, seed=seed), len(total), least=-1.0)
    gained, lost = np.maximum(values, 0), np.maximum(-values, 0)
    rests = [_by_person(one - one.mean(), people)[0] for one in (gained, lost)]
    spread = math.sqrt(float((rests[0] @ rests[0]) * (rests[1] @ rests[1])))
    together = float(rests[0] @ rests[1]) / spread if spread > 0 else 0.0
    ends = (rate_over_people(one, people, seed=seed) for one in (gained, lost))
    return _with_room(combined(*ends, correlation=together), len(total), least=-1.0)


def comparisons_over_people(
    values: FloatArray, people: Sequence[str], *, gallery: int, seed: int = 0
) -> Estimate:
    """Share of comparisons of different people that match, with an interval over both people of each.

    Those who are probed are resampled. Those whom they are compared with are people too, and vary as much;
    who is probed is among them. So the interval reaches further than that of the probed alone, by the square
    root of 1 + 3 n / gallery: twice as far where everybody is probed. Where all shares are equal, zero for
    instance, there is none: as any share of so few people it would reach to many times such a rate.

    Args:
        values: (n,) one per probe: the share of others that it matches.
        people: The person of each probe.
        gallery: Of how many people the gallery is, those probed among them.
        seed: Of the resampling.

    Source:
        Hoeffding, "A class of statistics with asymptotically normal distribution", 1948 (variance of means
        over pairs).
    """
    found = resampled_mean(values, people, seed=seed)
    if found.low is None or found.high is None:
        return found
    reach = math.sqrt(1 + 3 * len(set(people)) / gallery)
    low = found.value - reach * (found.value - found.low)
    high = found.value + reach * (found.high - found.value)
    return replace(found, low=max(low, 0.0), high=min(high, 1.0))


def outer_share(people: int) -> float:
    """Share of resamples beyond each end of a 95 % interval over this many people; 0.025 for very many."""
    return float(ndtr(math.sqrt(people / (people - 1)) * stdtrit(people - 1, TAIL)))


def _with_room(found: Estimate, people: int, *, least: float) -> Estimate:
    """Reach as far as the mean would move if those whom so many people may lack were at one of its bounds."""
    room = room_for_unseen(people)
    low, high = found.value - room * (found.value - least), found.value + room * (1 - found.value)
    if found.low is not None and found.high is not None:
        if found.low <= low and high <= found.high:
            return found
        low, high = min(low, found.low), max(high, found.high)
    return Estimate(found.value, low, high, "combined" if least < 0 else "binomial")


def _unless_equal(found: Estimate) -> Estimate:
    """Without the interval where it has no width but that of rounding."""
    if found.low is None or found.high is None:
        return found
    return Estimate(found.value) if found.high - found.low <= _NOTHING * max(1, abs(found.value)) else found


def _each(values: FloatArray) -> list[str]:
    return [str(place) for place in range(len(values))]


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
