"""Simulated scores with a known drop, columns by family, and breakdowns."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_specification import tiny_specification
from torch import nn

from advmask.evaluation.columns import columns_of
from advmask.evaluation.probe_scores import Scores
from advmask.evaluation.summary import summarise
from advmask.evaluation.traits import Trait, break_down
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.recognizer import Recognizer

THRESHOLD = Calibration(fmr=0.01, threshold=0.5, scale=9.0, source="planted")


def network(name: str, family: str = "user", *, checksum: str = "", eyes: bool = False) -> Recognizer:
    specification = tiny_specification(family=family)
    return Recognizer(name, nn.Identity(), specification, weights_sha256=checksum, eyes_only=eyes)


def planted(people: int, probes: int, drop: float, *, seed: int) -> Scores:
    """Probes that match with 70 % under the plain mask, and with so much less under the design.

    The drop differs from person to person by up to 0.3, and is the one asked for in the mean.
    """
    draws = np.random.default_rng(seed)
    names = tuple(f"{i:04}" for i in range(people) for _ in range(probes))
    shift = np.repeat(draws.uniform(-0.3, 0.3, people), probes)
    lucky = draws.random(len(names))

    def similarity(rate: float | np.ndarray) -> np.ndarray:
        return np.where(lucky < rate, 0.8, 0.2)

    return Scores(
        "mine",
        "bare",
        "bare",
        {"bare": similarity(1.0), "white": similarity(0.7), "design": similarity(0.7 - drop - shift)},
        names,
    )


def share_that_holds(drop: float, *, people_told: bool, seeds: int) -> float:
    """The share of intervals that hold the planted drop; else each photo is taken for a person of its own."""
    held = 0
    for seed in range(seeds):
        scores = planted(20, 30, drop, seed=seed)
        if not people_told:
            scores = replace(scores, people=tuple(f"{i:04}" for i in range(len(scores.people))))
        interval = summarise(scores, network("mine"), THRESHOLD, seed=seed).conditions["design"].drop
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        held += interval.low <= drop <= interval.high
    return held / seeds


@pytest.mark.parametrize("drop", [0.0, 0.1, 0.4])
def test_a_known_drop_lies_in_most_intervals(drop: float):
    assert share_that_holds(drop, people_told=True, seeds=60) >= 0.9


def test_intervals_that_take_photos_for_people_are_too_narrow():
    assert share_that_holds(0.1, people_told=False, seeds=20) < 0.75


def test_a_hundred_thousand_scores():
    found = summarise(planted(20_000, 5, 0.3, seed=0), network("mine"), THRESHOLD)
    drop = found.conditions["design"].drop
    assert drop is not None
    assert drop.value == pytest.approx(0.3, abs=0.01)
    assert found.probes == 100_000


def test_columns_tell_how_far_a_network_is_from_those_trained_on():
    trained = [network("onnx:a.onnx", "iresnet", checksum="1"), network("dlib", "dlib", checksum="2")]
    judges = [
        network("onnx:copy_of_a.onnx", "iresnet", checksum="1"),
        network("onnx:b.onnx", "iresnet", checksum="3"),
        network("onnx:c.onnx", "mobilefacenet", checksum="4"),
        network("onnx:d.onnx", checksum="5"),
        network("eyes:dlib", "dlib", checksum="2", eyes=True),
    ]
    assert list(columns_of(judges, trained).values()) == [
        "trained on",
        "same family",
        "other family",
        "family not known",
        "eyes only",
    ]
    assert set(columns_of(judges[:4], None).values()) == {"not known"}
    assert columns_of(judges[2:3], [network("onnx:e.onnx")]) == {"c": "family not known"}


def test_bins_are_thirds_and_small_ones_are_left_out():
    scores = planted(10, 4, 0.2, seed=0)
    turn = Trait("turn", "degrees", np.arange(40.0))
    bins = break_down(scores, [turn], ("white", "design"), threshold=0.5, seed=0)
    assert [(one.low, one.high, one.probes) for one in bins] == [(0, 13, 14), (14, 26, 13), (27, 39, 13)]
    for one in bins:
        inside = (turn.values >= one.low) & (turn.values <= one.high)
        expected = (scores.similarity["design"][inside] >= 0.5).mean()
        assert one.tar["design"].value == pytest.approx(expected)
    few = planted(5, 4, 0.2, seed=0)
    assert (
        break_down(few, [Trait("turn", "degrees", np.arange(20.0))], ("white",), threshold=0.5, seed=0) == []
    )
