"""Rates, differences and intervals against counting by hand, and on simulated people."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, ttest_1samp

from advmask.evaluation.estimates import Estimate, binomial_estimate, combined
from advmask.evaluation.metrics import (
    accepted,
    comparisons_over_people,
    difference_over_people,
    outer_share,
    rate_over_people,
    resampled_mean,
)

CROWD = "abcdefghijkl"
PROBES = st.lists(
    st.tuples(st.sampled_from(CROWD), st.floats(-5, 5, allow_subnormal=False)), max_size=25
).map(lambda more: [*zip(CROWD, np.arange(12.0) ** 2 / 30, strict=True), *more])
SHARES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=25
)


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


@given(values=st.lists(st.floats(-2, 2), max_size=30), threshold=st.floats(-2, 2))
def test_accepted_counts_what_reaches_the_threshold(values: list[float], threshold: float):
    found = accepted(np.array(values, dtype=np.float64), threshold)
    assert found.tolist() == [1.0 if value >= threshold else 0.0 for value in values]


def test_the_threshold_itself_is_accepted():
    assert accepted(np.array([0.3, np.nextafter(0.3, 0)]), 0.3).tolist() == [1.0, 0.0]


@given(probes=PROBES, seed=st.integers(0, 1000))
def test_the_mean_is_over_probes_and_the_interval_over_people(probes: list[tuple[str, float]], seed: int):
    people, values = [name for name, _ in probes], np.array([value for _, value in probes])
    found = resampled_mean(values, people, seed=seed, resamples=40)
    assert found.value == pytest.approx(sum(values) / len(values), abs=1e-12)
    names = list(CROWD)
    # The same resampling, person by person and probe by probe.
    chosen = np.random.default_rng(seed).integers(len(names), size=(40, len(names)))
    means = []
    for row in chosen:
        brought = [v for pick in row for name, v in zip(people, values, strict=True) if name == names[pick]]
        means.append(sum(brought) / len(brought))
    half = NormalDist().cdf(-math.sqrt(12 / 11) * 2.2010)  # Student's 97.5 % point, from a printed table
    assert found.low == pytest.approx(np.quantile(means, half), abs=1e-4)
    assert found.high == pytest.approx(np.quantile(means, 1 - half), abs=1e-4)


@pytest.mark.parametrize("people", [2, 3, 9])
def test_of_few_people_the_interval_is_students(people: int):
    """Resampling two people only shows what lies between them."""
    of_person = np.random.default_rng(people).normal(0, 3, people)
    found = resampled_mean(np.repeat(of_person, 5), [str(i) for i in range(people) for _ in range(5)])
    reference = ttest_1samp(of_person, 0).confidence_interval(0.95)
    assert ends(found) == pytest.approx((reference.low, reference.high))


def test_one_person_gives_no_interval_and_nobody_gives_nothing():
    assert resampled_mean(np.array([0.0, 1.0]), ["a", "a"]) == Estimate(0.5, None, None)
    nothing = resampled_mean(np.array([]), [])
    assert math.isnan(nothing.value)
    assert nothing.low is None
    assert nothing.high is None


def test_the_interval_is_as_wide_as_the_spread_between_people():
    """Many people with one value each: the bootstrap agrees with mean plus or minus 1.96 standard errors."""
    draws = np.random.default_rng(0)
    of_person = draws.normal(0.4, 0.2, 150)
    people = [f"{i:03}" for i in range(150) for _ in range(8)]
    found = resampled_mean(np.repeat(of_person, 8), people)
    assert found.low is not None
    assert found.high is not None
    half = NormalDist().inv_cdf(0.975) * of_person.std() / math.sqrt(150)
    assert found.high - found.value == pytest.approx(half, rel=0.15)
    assert found.value - found.low == pytest.approx(half, rel=0.15)


def test_more_probes_of_the_same_people_do_not_narrow_the_interval():
    values = np.array([0.1, 0.5, 0.6, 0.9])
    people = ["a", "b", "c", "d"]
    once = resampled_mean(values, people, seed=3)
    often = resampled_mean(np.tile(values, 50), people * 50, seed=3)
    assert once.low == pytest.approx(often.low)
    assert once.high == pytest.approx(often.high)


def test_the_true_mean_lies_in_most_intervals():
    draws = np.random.default_rng(1)
    people = [str(i) for i in range(40) for _ in range(3)]
    covered = 0
    for _ in range(200):
        values = np.repeat(draws.random(40), 3)
        found = resampled_mean(values, people, resamples=300)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.5 <= found.high
    assert 0.88 * 200 <= covered <= 0.99 * 200


def test_the_seed_decides():
    values, people = np.arange(26) ** 2 / 676, list("abcdefghijklmnopqrstuvwxyz")
    assert resampled_mean(values, people, seed=1) == resampled_mean(values, people, seed=1)
    assert resampled_mean(values, people, seed=1) != resampled_mean(values, people, seed=2)


def test_quantiles_move_outwards_for_few_people_and_back_for_many():
    assert outer_share(2) < outer_share(8) < outer_share(20) < outer_share(1000) < 0.025
    assert outer_share(10**6) == pytest.approx(0.025, abs=1e-6)
    # 20 people: sqrt(20/19) times Student's 2.093.
    assert outer_share(20) == pytest.approx(NormalDist().cdf(-math.sqrt(20 / 19) * 2.0930), abs=1e-5)


@pytest.mark.parametrize("people", [1, 2, 20, 200])
@pytest.mark.parametrize("probes", [1, 3])
def test_a_rate_of_zero_is_not_certain(people: int, probes: int):
    names = [str(i) for i in range(people) for _ in range(probes)]
    none, every = (rate_over_people(np.full(len(names), value), names) for value in (0.0, 1.0))
    if people == 1:
        assert (none.low, none.high) == (None, None)
        return
    low, high = ends(none)
    assert none.value == low == 0.0
    assert (1 - high) ** people == pytest.approx(0.025)  # that nobody of so many is matched
    assert ends(every) == pytest.approx((1 - high, 1.0))
    if people == 20:
        assert high == pytest.approx(binomtest(0, 20).proportion_ci(0.95, "exact").high)
        assert high == pytest.approx(0.17, abs=0.005)


@pytest.mark.parametrize(("hits", "trials"), [(1, 20), (3, 5), (4, 20), (7, 40), (39, 40)])
def test_the_tails_of_a_binomial_count_half_of_what_was_found(hits: int, trials: int):
    low, high = ends(binomial_estimate(hits / trials, trials))
    half = 0.5 * binom.pmf(hits, trials, [low, high])
    assert binom.sf(hits, trials, low) + half[0] == pytest.approx(0.025)
    assert binom.cdf(hits - 1, trials, high) + half[1] == pytest.approx(0.025)
    exact = binomtest(hits, trials).proportion_ci(0.95, "exact")
    assert exact.low < low < hits / trials < high < exact.high


@given(value=st.floats(0, 1), trials=st.floats(1, 300))
def test_a_binomial_holds_its_value_and_turned_round_is_its_mirror(value: float, trials: float):
    low, high = ends(binomial_estimate(value, trials))
    assert 0 <= low <= value <= high <= 1
    assert high - low > 0.5 / trials
    assert ends(binomial_estimate(1 - value, trials)) == pytest.approx((1 - high, 1 - low), abs=1e-6)


@pytest.mark.parametrize("people", [20, 50])
def test_with_one_probe_each_few_hits_are_a_binomial_of_people(people: int):
    names = [str(i) for i in range(people)]
    for hits in range(9):
        values = (np.arange(people) < hits).astype(np.float64)
        found = rate_over_people(values, names)
        assert ends(found) == pytest.approx(ends(binomial_estimate(hits / people, people)))


def test_many_hits_and_misses_are_resampled():
    values = np.tile([0.0, 1.0, 1.0], 20)
    names = [str(i) for i in range(60)]
    assert rate_over_people(values, names, seed=4) == resampled_mean(values, names, seed=4)


def test_more_probes_of_people_who_are_alike_make_a_rate_more_certain():
    one = rate_over_people(np.tile([1.0, 0.0, 0.0, 0.0], 2), list("abcdefgh"))
    several = rate_over_people(
        np.tile([1.0, 0.0, 0.0, 0.0], 8), [name for name in "abcdefgh" for _ in "1234"]
    )
    assert several.value == one.value
    assert ends(one)[0] < ends(several)[0] < 0.25 < ends(several)[1] < ends(one)[1]


@given(probes=SHARES, seed=st.integers(0, 3))
def test_rates_and_differences_lie_in_intervals_that_have_a_width(
    probes: list[tuple[str, float, float]], seed: int
):
    people = [name for name, _, _ in probes]
    first, second = (np.array([one[i] for one in probes]) for i in (1, 2))
    rate, less = (
        rate_over_people(first, people, seed=seed),
        difference_over_people(first, second, people, seed=seed),
    )
    assert rate.value == pytest.approx(first.mean())
    assert less.value == pytest.approx(first.mean() - second.mean(), abs=1e-9)
    if len(set(people)) < 2:
        assert rate.low is rate.high is less.low is less.high is None
        return
    for found, least in ((rate, 0), (less, -1)):
        low, high = ends(found)
        assert least <= low <= found.value + 1e-9
        assert found.value - 1e-9 <= high <= 1
        assert high - low > 0.1
    turned = difference_over_people(second, first, people, seed=seed)
    assert ends(turned) == pytest.approx((-ends(less)[1], -ends(less)[0]), abs=1e-9)


@pytest.mark.parametrize("every", [-1.0, -0.25, 0.0, 0.5, 1.0])
@pytest.mark.parametrize("people", [2, 12, 60])
def test_equal_differences_are_not_certain(every: float, people: int):
    names = [str(i) for i in range(people) for _ in range(2)]
    first, second = np.full(len(names), max(every, 0.0)), np.full(len(names), max(-every, 0.0))
    found = difference_over_people(first, second, names)
    low, high = ends(found)
    assert found.value == every
    assert low <= every <= high
    assert high - low > 1 / people
    if every == 0:
        room = 1 - 0.025 ** (1 / people)
        assert (low, high) == pytest.approx((-room, room))


def test_pairs_make_a_difference_more_certain():
    plain = np.tile([1.0, 0.0, 1.0, 0.0], 10)
    design = plain * (np.arange(40) > 3)  # two fewer, which by themselves are lost in the spread
    names = [str(i) for i in range(40)]
    low, high = ends(difference_over_people(plain, design, names))
    rates = [ends(rate_over_people(one, names)) for one in (plain, design)]
    assert -0.1 < low < 0.05 < high < 0.2
    assert high - low < rates[0][1] - rates[0][0]


@pytest.mark.parametrize(
    ("people", "turns"),
    [
        *((2, 200), (3, 200), (20, 400), (50, 400)),
        pytest.param(100, 300, marks=pytest.mark.slow),
        pytest.param(200, 200, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("probes", [1, 4])
def test_rates_are_covered_as_often_as_is_said(people: int, turns: int, probes: int):
    """Simulated people, each with a rate of their own: 93 % of intervals or more hold the true mean.

    Those of 30 and 50 % with fifty people or more hold it in 97 % or less. Among the rest some hold it more
    often: hits are whole, and where they are few nothing can be known of how they spread over people.
    """
    draws = np.random.default_rng(people)
    names = [str(i) for i in range(people) for _ in range(probes)]
    for truth in (0.01, 0.03, 0.1, 0.3, 0.5):
        covered = 0
        for turn in range(turns):
            rates = draws.beta(2 * truth, 2 * (1 - truth), (people, 1))
            values = (draws.random((people, probes)) < rates).ravel().astype(np.float64)
            low, high = ends(rate_over_people(values, names, seed=turn))
            covered += low <= truth <= high
        chance = 2 * math.sqrt(0.95 * 0.05 / turns)  # of a simulation so short
        assert covered / turns >= 0.94 - chance, truth
        if people >= 50 and truth >= 0.3:
            assert covered / turns <= 0.96 + chance, truth


@pytest.mark.parametrize(("plain", "design", "alike"), [(0.6, 0.6, 0.2), (0.9, 0.1, 0.8), (0.05, 0.02, 0.8)])
@pytest.mark.parametrize(("people", "probes"), [(3, 4), (20, 1), (50, 4)])
def test_differences_are_covered(plain: float, design: float, alike: float, people: int, probes: int):
    """Probes whose luck is the same under both masks, in so large a share of them."""
    draws = np.random.default_rng(people)
    names = [str(i) for i in range(people) for _ in range(probes)]
    covered = 0
    for turn in range(200):
        rates = draws.beta(2 * plain, 2 * (1 - plain), (people, 1))
        luck = draws.random((people, probes))
        other = np.where(draws.random(luck.shape) < alike, luck, draws.random(luck.shape))
        first, second = luck < rates, other < rates * design / plain
        found = difference_over_people(first.ravel() * 1.0, second.ravel() * 1.0, names, seed=turn)
        covered += ends(found)[0] - 1e-9 <= plain - design <= ends(found)[1] + 1e-9
    assert covered >= 0.92 * 200


def test_many_people_are_resampled_in_pieces():
    values = np.random.default_rng(0).random(100_000)
    people = [str(i // 5) for i in range(100_000)]
    found = resampled_mean(values, people, resamples=300)
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * math.sqrt(1 / 12 / 100_000), rel=0.2)


@given(
    probes=st.lists(
        st.tuples(st.sampled_from("abcdefghijklmnopqrst"), st.sampled_from([0.0, 0.3, 0.3000001, 1.0])),
        min_size=1,
        max_size=60,
    ),
    other=st.sampled_from([None, 0.0, 0.3, 1.0]),
    of_people=st.booleans(),
)
def test_no_estimator_gives_an_interval_without_width(
    probes: list[tuple[str, float]], other: float | None, of_people: bool
):
    """Whatever is asked, of people who are all alike too: an interval says how it was made and has room."""
    people = [name for name, _ in probes] if of_people else None
    values = np.array([value for _, value in probes])
    second = np.roll(values, 1) if other is None else np.full(len(values), other)
    count = len(set(people)) if people else len(values)
    shares = [rate_over_people(values, people), difference_over_people(values, second, people)]
    unpaired = combined(rate_over_people(values), rate_over_people(second))
    for found in (*shares, unpaired, resampled_mean(values, people or [str(i) for i in range(len(values))])):
        assert (found.low is None) == (found.high is None) == (found.method is None)
        if found.low is not None and found.high is not None:
            assert found.low <= found.value + 1e-9
            assert found.value - 1e-9 <= found.high
            assert found.high - found.low > 1e-9 * max(1, abs(found.value))
    if count > 1:  # who are missing may be as unlike as can be
        room = 1 - 0.025 ** (1 / count)
        for found, least in ((shares[0], 0), (shares[1], -1)):
            assert ends(found)[0] <= found.value - room * (found.value - least) + 1e-9
            assert ends(found)[1] >= found.value + room * (1 - found.value) - 1e-9


def seldom(draws: np.random.Generator, share: float, people: int) -> np.ndarray:
    """Match confidences: near 0 for most people, near 1 for a share of them."""
    near_one = draws.random(people) < share
    return np.where(near_one, draws.uniform(0.8, 1.0, people), draws.uniform(0.0, 0.02, people))


@pytest.mark.parametrize("share", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("people", [3, 10, 20, 50])
def test_confidences_are_covered_where_most_are_alike(share: float, people: int):
    """Twenty people may all be unlike the few who are matched: resampling them would be sure of nothing."""
    draws = np.random.default_rng(people)
    truth = 0.9 * share + 0.01 * (1 - share)
    names = [str(i) for i in range(people)]
    rates = differences = 0
    for turn in range(200):
        values, other = seldom(draws, share, people), draws.uniform(0.0, 0.02, people)
        low, high = ends(rate_over_people(values, names, seed=turn))
        rates += low <= truth <= high
        low, high = ends(difference_over_people(values, other, names, seed=turn))
        differences += low <= truth - 0.01 <= high
    assert rates >= 0.92 * 200
    assert differences >= 0.92 * 200


@pytest.mark.parametrize(("probed", "gallery"), [(12, 30), (20, 72), (40, 40)])
def test_false_matches_are_covered_though_some_people_are_mistaken_for_many(probed: int, gallery: int):
    """Scores with an effect of each person, on the probe or in the gallery, and of each pair."""
    draws = np.random.default_rng(probed)
    rate, held, probed_alone = 0.03, 0, 0
    threshold = NormalDist().inv_cdf(1 - rate) * math.sqrt(3 * 0.3**2 + 1)
    names = [str(i) for i in range(probed) for _ in range(3)]
    for turn in range(150):
        person, pair = draws.normal(0, 0.3, gallery), draws.normal(0, 0.3, (probed, gallery))
        likeness = person[:probed, None] + person + pair
        hit = likeness[:, None] + draws.normal(0, 1, (probed, 3, gallery)) >= threshold
        hit[np.arange(probed), :, np.arange(probed)] = False
        shares = hit.sum(axis=2).ravel() / (gallery - 1)
        low, high = ends(comparisons_over_people(shares, names, gallery=gallery, seed=turn))
        held += low <= rate <= high
        alone = resampled_mean(shares, names, seed=turn)
        probed_alone += ends(alone)[0] <= rate <= ends(alone)[1]
    assert held >= 0.92 * 150
    assert held >= probed_alone
    none = comparisons_over_people(np.zeros(len(names)), names, gallery=gallery)
    assert (none.value, none.low, none.high, none.method) == (0.0, None, None, None)
