"""The default recognizer on real photos: it must know people before a design against it means anything."""

from pathlib import Path

import numpy as np
import pytest
import torch

from advmask.photos.loading import FaceSet, load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.calibration import calibrate, threshold_at_fmr
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.recognizers.recognizer_names import build_recognizer

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def faces(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    cache = tmp_path_factory.mktemp("crops")
    found = load_faces(FacesSettings(root=shared_dir / "faces", cache=cache))
    assert len(found.people) > 50
    assert len(found.crops) > 300
    return found


@pytest.fixture(scope="module")
def dlib() -> Recognizer:
    return build_recognizer("dlib")


@pytest.fixture(scope="module")
def pairs(faces: FaceSet, dlib: Recognizer) -> tuple[np.ndarray, np.ndarray]:
    """Similarities of all pairs of photos: of one person, and of two."""
    pictures = torch.stack([crop.as_float() for crop in faces.crops])
    landmarks = torch.stack([crop.landmarks for crop in faces.crops])
    embeddings = embed_all(dlib, pictures, landmarks)
    matrix = dlib.similarity_matrix(embeddings, embeddings).double().numpy()
    names = np.array([crop.person for crop in faces.crops])
    same = names[:, None] == names
    upper = np.triu(np.ones_like(same), 1)
    return matrix[same & upper], matrix[~same & upper]


def test_the_equal_error_rate_is_small(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    genuine, impostor = pairs
    thresholds = np.unique(np.concatenate([genuine, impostor]))
    missed = np.searchsorted(np.sort(genuine), thresholds) / genuine.size
    let_in = 1 - np.searchsorted(np.sort(impostor), thresholds) / impostor.size
    crossing = int(np.argmin(np.abs(missed - let_in)))
    assert (missed[crossing] + let_in[crossing]) / 2 <= 0.015


def test_people_are_accepted_at_small_false_match_rates(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    genuine, impostor = pairs
    for fmr, wanted in [(1e-2, 0.96), (1e-3, 0.7)]:
        threshold = threshold_at_fmr(impostor, fmr)
        assert (impostor >= threshold).mean() <= fmr
        assert (genuine >= threshold).mean() >= wanted


def test_the_stored_calibration_is_the_one_these_photos_give(
    pairs: tuple[np.ndarray, np.ndarray], dlib: Recognizer
) -> None:
    genuine, impostor = pairs
    stored = dlib.calibrated
    found = calibrate(genuine, impostor, fmr=stored.fmr, source="")
    assert stored.threshold == pytest.approx(found.threshold, abs=0.01)
    assert stored.scale == pytest.approx(found.scale, rel=0.1)
    assert (impostor >= stored.threshold).mean() == pytest.approx(stored.fmr, rel=0.2)


def test_galleries_of_several_photos_are_at_least_as_good(faces: FaceSet, dlib: Recognizer) -> None:
    (ready,) = prepare_all([dlib], faces.crops)
    assert ready.at_hand is not None
    own = dlib.similarity(ready.embeddings, ready.enrolment.own)[ready.enrolment.has_other]
    assert float((own >= ready.at_hand.threshold).double().mean()) >= 0.97
    # Closed-set identification against the other photos of the same person.
    matrix = dlib.similarity_matrix(ready.embeddings, ready.enrolment.gallery)
    person = torch.tensor(ready.enrolment.person)
    matrix[torch.arange(len(person)), person] = dlib.similarity(ready.embeddings, ready.enrolment.own)
    right = (matrix.argmax(dim=1) == person)[ready.enrolment.has_other]
    assert float(right.double().mean()) >= 0.95
