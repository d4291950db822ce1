"""The interval of a threshold, on simulated scores whose truth is known."""

import numpy as np
import pytest
from scipy.stats import norm

from advmask.recognizers.calibration import threshold_at_fmr
from advmask.recognizers.threshold_interval import threshold_interval


def simulated(seed: int, *, people: int, photos: int, of_person: float, of_pair: float):
    """Impostor scores with an effect of each person and of each pair of people, and noise of 1."""
    draws = np.random.default_rng(seed)
    person = draws.normal(0, of_person, people)
    pair = draws.normal(0, of_pair, (people, people))
    pair = (pair + pair.T) / np.sqrt(2)
    probe, gallery = np.meshgrid(np.repeat(np.arange(people), photos), np.arange(people), indexing="ij")
    scores = person[probe] + person[gallery] + pair[probe, gallery] + draws.normal(0, 1, probe.shape)
    kept = probe != gallery
    return scores[kept], probe[kept], gallery[kept]


@pytest.mark.parametrize(
    ("people", "photos", "of_person", "of_pair", "fmr"),
    [(40, 4, 0.0, 0.0, 0.01), (40, 4, 0.3, 0.3, 0.01), (20, 6, 0.3, 0.3, 0.01), (60, 4, 0.3, 0.3, 0.001)],
)
def test_covers_the_truth(people, photos, of_person, of_pair, fmr):
    truth = norm.isf(fmr) * np.sqrt(2 * of_person**2 + of_pair**2 + 1)
    covered = 0
    for seed in range(200):
        scores, probe, gallery = simulated(
            seed, people=people, photos=photos, of_person=of_person, of_pair=of_pair
        )
        found = threshold_interval(scores, probe, gallery, fmr=fmr, resamples=300, seed=seed)
        covered += found is not None and found[0] <= truth <= found[1]
    assert covered >= 0.93 * 200


def test_interval_holds_the_threshold_and_narrows_with_people():
    widths = []
    for people in (10, 40, 120):
        scores, probe, gallery = simulated(1, people=people, photos=3, of_person=0.2, of_pair=0.2)
        low, high = threshold_interval(scores, probe, gallery, fmr=0.05)
        assert low < threshold_at_fmr(scores, 0.05) < high
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2]


def test_resampling_photos_would_claim_too_much():
    """With effects of people, comparisons are not independent draws: a binomial interval is too narrow."""
    scores, probe, gallery = simulated(3, people=20, photos=20, of_person=0.5, of_pair=0.3)
    low, high = threshold_interval(scores, probe, gallery, fmr=0.01)
    ordered = np.sort(scores)[::-1]
    spread = 1.96 * np.sqrt(0.01 * 0.99 * len(scores))
    naive = ordered[int(0.01 * len(scores) - spread)] - ordered[int(0.01 * len(scores) + spread)]
    assert high - low > 2 * naive


def test_equal_scores_do_not_make_a_threshold_certain():
    probe, gallery = (each.ravel() for each in np.meshgrid(np.arange(8), np.arange(8), indexing="ij"))
    kept = probe != gallery
    assert threshold_interval(np.full(56, 0.3), probe[kept], gallery[kept], fmr=0.1, resamples=50) is None


def test_too_few_people_give_no_interval():
    assert (
        threshold_interval(np.zeros(6), np.array([0, 1, 2, 3, 0, 1]), np.array([1, 2, 3, 0, 2, 3]), fmr=0.1)
        is None
    )
    assert threshold_interval(np.zeros(0), np.zeros(0, int), np.zeros(0, int), fmr=0.1) is None
