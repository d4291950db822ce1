"""How often 95 % intervals hold the truth, on people who are made up.

    python benchmarks/intervals.py [rounds=200] [people=2,3,5,12,20,50,100]

*Rates*: each person has a rate of their own (a beta distribution of standard deviation 0.2, less at the ends)
and one or four probes that match or not. *Confidences*: of most people near 0, of a share of them near 1. In
each round people are drawn anew; the share of rounds in which the true mean lies in the interval of
`advmask evaluate` is printed, and beside it that of plain resampling of people (2.5 and 97.5 % quantiles).
"""

import numpy as np
from _common import own_options, words_of
from numpy.random import Generator
from numpy.typing import NDArray

from advmask.evaluation.metrics import rate_over_people

FloatArray = NDArray[np.float64]
MEANS = (0.01, 0.03, 0.1, 0.3, 0.5)
SHARES = (0.03, 0.1, 0.3)


def rates(draw: Generator, people: int, probes: int, mean: float) -> FloatArray:
    """Hits (people, probes)."""
    spread = max(mean * (1 - mean) / 0.2**2 - 1, 1.0)
    own = draw.beta(mean * spread, (1 - mean) * spread, people)
    return (draw.random((people, probes)) < own[:, None]).astype(float)


def confidences(draw: Generator, people: int, share: float) -> FloatArray:
    """Match confidences (people, 1): of mean 0.03 or, for a share of people, 0.97."""
    low = draw.beta(3, 97, people)
    return np.where(draw.random(people) < share, 1 - low, low)[:, None]


def held(values: FloatArray, truth: float, draw: Generator) -> tuple[bool, bool]:
    """Whether the interval holds the truth, and whether plain resampling does."""
    people, probes = values.shape
    names = [str(i) for i in range(people) for _ in range(probes)]
    found = rate_over_people(values.ravel(), names)
    drawn = values.mean(axis=1)[draw.integers(people, size=(1000, people))].mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high, bool(low <= truth <= high)


def main() -> None:
    words = words_of(__doc__, at_least=0)
    asked = own_options(words, {"rounds": "200", "people": "2,3,5,12,20,50,100"})
    rounds, sizes = int(asked["rounds"]), [int(one) for one in asked["people"].split(",")]
    print("Held in % of rounds: the interval / plain resampling\n")
    print("| people | probes | mean | the interval | plain resampling |")
    print("|---|---|---|---|---|")
    kinds = [("1", mean, 1) for mean in MEANS] + [("4", mean, 4) for mean in MEANS]
    kinds += [("confidence", 0.03 + 0.94 * share, 0) for share in SHARES]
    for people in sizes:
        for name, mean, probes in kinds:
            draw = np.random.default_rng(people)
            results = []
            for _ in range(rounds):
                if probes:
                    values = rates(draw, people, probes, mean)
                else:
                    values = confidences(draw, people, (mean - 0.03) / 0.94)
                results.append(held(values, mean, draw))
            ours, plain = 100 * np.mean(results, axis=0)
            print(f"| {people} | {name} | {mean:.3g} | {ours:.1f} | {plain:.1f} |", flush=True)


if __name__ == "__main__":
    main()
