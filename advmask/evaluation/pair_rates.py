"""Equal error rate of pairs of photos, with an interval over the people of both."""

from collections.abc import Sequence

import numpy as np

from advmask.evaluation.curves import EqualErrorRate
from advmask.evaluation.estimates import Estimate, binomial_estimate, room_for_unseen
from advmask.evaluation.metrics import FloatArray, outer_share

_FEW = 10  # people, with fewer of whom resampling knows too little
_RESAMPLES = 1000

People = tuple[Sequence[str], Sequence[str]]


def equal_error_over_people(
    genuine: FloatArray, people: Sequence[str], impostor: FloatArray, pairs: People, *, seed: int = 0
) -> Estimate:
    """Equal error rate with a bootstrap over people, never of zero width.

    A person that is drawn twice brings each own pair twice, and each pair with somebody who is drawn twice
    too four times: both people of a pair of strangers vary. The interval reaches at least as far as the rate
    would move if all those whom so few people may lack were mistaken; with fewer than ten people it is that
    of a binomial with as many trials as people.

    Args:
        genuine: Similarities of pairs of one person.
        people: The person of each.
        impostor: Similarities of pairs of two people.
        pairs: For each the person of the first photo, and of the second.
        seed: Of the resampling.

    Source:
        Schuckers, "Computational Methods in Biometric Authentication", 2010, chapter 3 (dependence of
        comparisons that share a person).
    """
    rate = EqualErrorRate(genuine, impostor)
    value = rate()
    names, place = np.unique([*people, *pairs[0], *pairs[1]], return_inverse=True)
    tried = len(set(people))
    if np.isnan(value) or tried < 2:
        return Estimate(value)
    if tried < _FEW:
        return binomial_estimate(value, tried)
    own, first, second = np.split(place, [len(people), len(people) + len(pairs[0])])
    draws = np.random.default_rng(seed)
    found = []
    for _ in range(_RESAMPLES):
        times = np.bincount(draws.integers(len(names), size=len(names)), minlength=len(names)).astype(float)
        found.append(rate((times[own], times[first] * times[second])))
    outer = outer_share(tried)
    low, high = (float(end) for end in np.nanquantile(found, [outer, 1 - outer]))
    room = room_for_unseen(tried)
    least, most = value - room * value, value + room * (1 - value)
    if low <= least and most <= high:
        return Estimate(value, low, high, "bootstrap")
    return Estimate(value, min(low, least), max(high, most), "binomial")
