"""Whatever the scores are, no figure of a result or comparison claims to be certain."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from estimates_within import check_estimates
from hypothesis import given
from hypothesis import strategies as st
from tiny_specification import tiny_specification
from torch import nn

from advmask.evaluation.comparing import side_by_side
from advmask.evaluation.probe_scores import Scores
from advmask.evaluation.protocol import JudgedScores
from advmask.evaluation.summary import summarise
from advmask.evaluation.traits import Trait, break_down
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.recognizer import Recognizer

THRESHOLD = Calibration(fmr=0.01, threshold=0.5, scale=9.0, source="made up")
SIMILARITY = st.sampled_from([0.1, 0.1, 0.1, 0.4999, 0.5, 0.9, float("nan")])


@given(
    probes=st.lists(st.tuples(st.sampled_from("abcdefghijklmn"), *[SIMILARITY] * 3), min_size=1, max_size=60),
    matched=st.sampled_from([0, 0, 1, 3]),
)
def test_no_interval_is_certain(probes: list[tuple[str, float, float, float]], matched: int):
    people = tuple(name for name, *_ in probes)
    bare, white, design = (np.array([one[i] for one in probes]) for i in (1, 2, 3))
    similarity = {"bare": bare, "white": white, "design": design}
    scores = Scores(
        "mine",
        "mtcnn",
        "bare",
        similarity,
        people,
        photos=people,
        draws=tuple(range(len(people))),
        best_other={name: np.full(len(people), 0.2) for name in similarity},
        false_matches={0.01: {name: np.full(len(people), float(matched)) for name in similarity}},
        others=20,
        displacement=similarity,
    )
    recognizer = Recognizer("mine", nn.Identity(), tiny_specification())
    check_estimates(summarise(scores, recognizer, THRESHOLD))
    gallery: Any = SimpleNamespace()
    check_estimates(
        side_by_side([[JudgedScores(scores, recognizer, THRESHOLD, gallery)]], ["design", "white"], seed=0)
    )
    turn = Trait("turn", "degrees", np.arange(float(len(people))))
    bins = break_down(scores, [turn], ("white", "design"), threshold=0.5, seed=0)
    if bins:
        check_estimates(bins)
