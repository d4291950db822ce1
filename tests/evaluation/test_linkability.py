"""Faces under one mask matched with each other, against loops over planted embeddings."""

import numpy as np
import pytest
from tiny_specification import tiny_specification
from torch import nn

from advmask.evaluation.linkability import linkability
from advmask.evaluation.probe_scores import Scores
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.recognizer import Recognizer

THRESHOLD = Calibration(fmr=0.01, threshold=0.4, scale=9.0, source="planted")
PEOPLE = ("ann",) * 6 + ("bob",) * 4 + ("cid",) * 2 + ("dan",)
PHOTOS = ("a1", "a1", "a2", "a2", "a3", "a3", "b1", "b1", "b2", "b2", "c1", "c1", "d1")  # two draws of most


def scores_of(embeddings: np.ndarray, condition: str = "design") -> Scores:
    kept = {condition: embeddings.astype(np.float32)}
    return Scores("mine", "mtcnn", "bare", {}, PEOPLE, photos=PHOTOS, embeddings=kept)


def network(distance: str = "cosine") -> Recognizer:
    return Recognizer("mine", nn.Identity(), tiny_specification(distance=distance))


def test_as_loops_over_all_pairs_say():
    embeddings = np.random.default_rng(0).normal(size=(13, 3))
    embeddings[[2, 12]] = np.nan  # no face was found
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    found = [row for row in range(13) if np.isfinite(embeddings[row, 0])]
    same, others = [], []
    for row in found:
        mine = [o for o in found if PEOPLE[o] == PEOPLE[row] and PHOTOS[o] != PHOTOS[row]]
        if mine:
            template = unit[mine].mean(axis=0)
            same.append(unit[row] @ template / np.linalg.norm(template) >= 0.4)
        hits = []
        for name in {"ann", "bob", "cid"} - {PEOPLE[row]}:
            template = unit[[o for o in found if PEOPLE[o] == name]].mean(axis=0)
            hits.append(unit[row] @ template / np.linalg.norm(template) >= 0.4)
        others.append(np.mean(hits))
    assert 0 < np.mean(same) < 1
    assert 0 < np.mean(others) < 1
    (one,) = linkability(scores_of(embeddings), network(), THRESHOLD)
    assert (one.recognizer, one.aligner, one.condition, one.fmr) == ("mine", "mtcnn", "design", 0.01)
    assert one.probes == len(same)
    assert one.same.value == pytest.approx(np.mean(same))
    assert one.others is not None
    assert one.others.value == pytest.approx(np.mean(others))


def test_a_mask_that_makes_all_alike_and_one_that_changes_nothing():
    alike = np.ones((13, 5)) + 1e-4 * np.random.default_rng(0).normal(size=(13, 5))
    (one,) = linkability(scores_of(alike), network(), THRESHOLD)
    assert (one.same.value, one.others and one.others.value) == (1.0, 1.0)
    apart = np.eye(4)[[["ann", "bob", "cid", "dan"].index(name) for name in PEOPLE]]
    (one,) = linkability(scores_of(apart), network(), THRESHOLD)
    assert (one.same.value, one.others and one.others.value) == (1.0, 0.0)
    assert one.same.low is not None
    assert one.same.low < 1.0


def test_two_draws_of_one_photo_are_no_other_photo():
    """Of cid and dan there is one photo each: they are compared with others alone."""
    (one,) = linkability(scores_of(np.ones((13, 4))), network(), THRESHOLD)
    assert one.probes == 10


def test_nobody_was_found():
    (one,) = linkability(scores_of(np.full((13, 4), np.nan)), network(), THRESHOLD)
    assert one.probes == 0
    assert np.isnan(one.same.value)
    assert one.others is None
