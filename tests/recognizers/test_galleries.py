"""Galleries of bare and masked photos, against plain loops."""

from pathlib import Path

import numpy as np
import pytest
import torch

from advmask.core.errors import CalibrationError
from advmask.recognizers.enrolment import bare_comparisons, enrol
from advmask.recognizers.galleries import Gallery
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer

NAMES = [f"person {i // 3:02d}" for i in range(36)]


@pytest.fixture(params=["cosine", "euclidean"])
def recognizer(request, tmp_path: Path, write_network) -> Recognizer:
    return build_recognizer(f"onnx:{write_network(tmp_path / 'tiny.onnx', distance=request.param)}")


def embeddings(spread: float) -> torch.Tensor:
    own = torch.randn(12, 1, 6)
    return (own + spread * torch.randn(12, 3, 6)).flatten(0, 1)


def test_pooled_takes_the_better_of_two(recognizer: Recognizer):
    bare, masked = embeddings(0.3), embeddings(0.6)
    enrolments = [enrol(recognizer, one, NAMES) for one in (bare, masked)]
    gallery = Gallery("pooled", tuple(one.own for one in enrolments))
    probes, rows = torch.randn(4, 6), [0, 5, 35, 7]
    found = gallery.similarity(recognizer, probes, rows)
    for probe, row, value in zip(probes, rows, found, strict=True):
        both = [float(recognizer.similarity(probe, one.own[row])) for one in enrolments]
        assert float(value) == pytest.approx(max(both), abs=1e-6)


def test_threshold_of_a_gallery_comes_from_bare_probes_against_it(recognizer: Recognizer):
    bare, masked = embeddings(0.3), embeddings(0.3)
    enrolments = [enrol(recognizer, one, NAMES) for one in (bare, masked)]
    compared = bare_comparisons(recognizer, bare, *enrolments)
    pooled = compared.calibrated(fmr=0.1, source="drawn").threshold
    alone = bare_comparisons(recognizer, bare, enrolments[0]).calibrated(fmr=0.1, source="drawn").threshold
    # Two chances to be taken for somebody else: the threshold must rise.
    assert pooled > alone
    share = float(np.mean(compared.impostor >= pooled))
    assert 0.08 <= share <= 0.1


def test_too_few_people_give_no_threshold(recognizer: Recognizer):
    few = embeddings(0.3)[:6]
    with pytest.raises(CalibrationError):
        bare_comparisons(recognizer, few, enrol(recognizer, few, NAMES[:6])).calibrated(fmr=0.01, source="")
