"""Enrolment and bare comparisons against explicit loops; recognizers made ready on tiny networks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from advmask.core.errors import CalibrationError
from advmask.photos.crops import FaceCrop
from advmask.recognizers.calibration import calibrate
from advmask.recognizers.enrolment import bare_comparisons, enrol
from advmask.recognizers.preparation import prepare, prepare_all
from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.recognizers.templates import template_points

WriteNetwork = Callable[..., Path]
NAMES = ["bo", "al", "bo", "cy", "al", "bo"]  # cy has a single photo


@pytest.fixture(params=["cosine", "euclidean"])
def recognizer(request: pytest.FixtureRequest, tmp_path: Path, write_network: WriteNetwork) -> Recognizer:
    path = write_network(tmp_path / "tiny.onnx", distance=request.param, calibration=None)
    return build_recognizer(f"onnx:{path}")


def template(rows: Tensor, distance: str) -> np.ndarray:
    values = rows.double().numpy()
    if distance == "cosine":
        values = values / np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values.mean(0))


def alike(a: np.ndarray, b: np.ndarray, distance: str) -> float:
    if distance == "cosine":
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    return -float(np.linalg.norm(a - b))


def test_enrolment_agrees_with_a_loop(recognizer: Recognizer) -> None:
    embeddings = torch.randn(6, 6)
    found = enrol(recognizer, embeddings, NAMES)
    assert found.people == ("al", "bo", "cy")
    assert found.person == (1, 0, 1, 2, 0, 1)
    assert found.has_other.tolist() == [True, True, True, False, True, True]
    for p, name in enumerate(found.people):
        rows = embeddings[[i for i in range(6) if NAMES[i] == name]]
        np.testing.assert_allclose(found.gallery[p].numpy(), template(rows, recognizer.distance), atol=1e-6)
    for i, name in enumerate(NAMES):
        others = [j for j in range(6) if NAMES[j] == name and j != i] or [i]
        expected = template(embeddings[others], recognizer.distance)
        np.testing.assert_allclose(found.own[i].numpy(), expected, atol=1e-6)


def test_a_photo_has_no_part_in_its_own_template(recognizer: Recognizer) -> None:
    embeddings = torch.randn(6, 6)
    before = enrol(recognizer, embeddings, NAMES)
    changed = embeddings.clone()
    changed[2] = 100 * torch.randn(6)
    after = enrol(recognizer, changed, NAMES)
    torch.testing.assert_close(after.own[2], before.own[2])
    assert not torch.allclose(after.own[0], before.own[0])
    assert not torch.allclose(after.gallery[1], before.gallery[1])
    torch.testing.assert_close(after.gallery[[0, 2]], before.gallery[[0, 2]])


def test_bare_comparisons_agree_with_a_loop(recognizer: Recognizer) -> None:
    embeddings = torch.randn(6, 6)
    enrolment = enrol(recognizer, embeddings, NAMES)
    compared = bare_comparisons(recognizer, embeddings, enrolment)
    distance = recognizer.distance
    expected_genuine, expected_impostor = [], []
    for i, name in enumerate(NAMES):
        probe = embeddings[i].double().numpy()
        others = [j for j in range(6) if NAMES[j] == name and j != i]
        if others:
            expected_genuine.append(alike(probe, template(embeddings[others], distance), distance))
        for other in sorted(set(NAMES) - {name}):
            rows = embeddings[[j for j in range(6) if NAMES[j] == other]]
            expected_impostor.append(alike(probe, template(rows, distance), distance))
    assert compared.genuine.dtype == compared.impostor.dtype == np.float64
    np.testing.assert_allclose(compared.genuine, expected_genuine, atol=1e-5)
    np.testing.assert_allclose(compared.impostor, expected_impostor, atol=1e-5)
    people = sorted(set(NAMES))
    pairs = [(i, j) for i, name in enumerate(NAMES) for j in range(len(people)) if people[j] != name]
    assert compared.probe.tolist() == [people.index(NAMES[i]) for i, _ in pairs]
    assert compared.gallery.tolist() == [j for _, j in pairs]


def test_many_impostors_are_drawn_and_the_calibration_says_so(recognizer: Recognizer) -> None:
    people, photos = 60, 300
    draws = torch.Generator().manual_seed(0)
    of_people = torch.randn(people, 6, generator=draws)
    embeddings = of_people.repeat(photos // people, 1) + 0.3 * torch.randn(photos, 6, generator=draws)
    names = [f"{i % people:02}" for i in range(photos)]
    enrolment = enrol(recognizer, embeddings, names)
    every, again = (bare_comparisons(recognizer, embeddings, enrolment) for _ in range(2))
    assert (every.drawn_from, len(every.impostor)) == (0, photos * (people - 1))
    some, same = (bare_comparisons(recognizer, embeddings, enrolment, at_most=6_000) for _ in range(2))
    assert (some.drawn_from, len(some.impostor)) == (photos * (people - 1), 6_000)
    assert np.array_equal(every.genuine, some.genuine)
    assert np.array_equal(some.impostor, same.impostor)
    assert (some.probe != some.gallery).all()
    assert (
        len(set(zip(np.arange(6_000) // 20, some.gallery, strict=True))) == 6_000
    )  # nobody twice for a photo
    matrix = recognizer.similarity_matrix(embeddings, enrolment.gallery).double().numpy()
    np.testing.assert_allclose(some.impostor, matrix[np.arange(6_000) // 20, some.gallery], atol=1e-5)
    whole, part = (one.calibrated(fmr=0.01, source="here") for one in (every, some))
    assert (whole.source, part.source) == ("here", "here; 6000 impostor comparisons drawn from 17700")
    assert part.interval is not None
    assert part.interval[0] < whole.threshold < part.interval[1]
    # A rate that needs more is not refused for the drawing's sake.
    assert bare_comparisons(recognizer, embeddings, enrolment, at_most=600, fmr=1e-2).drawn_from
    assert not bare_comparisons(recognizer, embeddings, enrolment, at_most=600, fmr=1e-3).drawn_from
    assert np.array_equal(every.impostor, again.impostor)


def test_one_photo_of_one_person_has_no_comparisons(recognizer: Recognizer) -> None:
    embeddings = torch.randn(1, 6)
    enrolment = enrol(recognizer, embeddings, ["al"])
    assert not enrolment.has_other.any()
    assert float(recognizer.similarity(embeddings, enrolment.own)) == pytest.approx(
        1.0 if recognizer.distance == "cosine" else 0.0, abs=1e-5
    )
    compared = bare_comparisons(recognizer, embeddings, enrolment)
    assert compared.genuine.shape == compared.impostor.shape == compared.probe.shape == (0,)


def test_embedding_in_pieces_changes_nothing(recognizer: Recognizer) -> None:
    pictures = torch.rand(7, 3, 40, 40)
    landmarks = template_points("arcface", size=(40, 40)).expand(7, 5, 2) + torch.randn(7, 5, 2)
    whole = recognizer(pictures, landmarks)
    for batch in (1, 3, 7, 16):
        found = embed_all(recognizer, pictures, landmarks, batch=batch)
        torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-5)
    pictures.requires_grad_()
    assert not embed_all(recognizer, pictures, landmarks).requires_grad
    assert embed_all(recognizer, pictures[:0], landmarks[:0]).shape == (0, 6)


def test_one_person_cannot_calibrate_a_recognizer(recognizer: Recognizer, crop: FaceCrop) -> None:
    with pytest.raises(CalibrationError) as caught:
        prepare_all([recognizer], [crop])
    said = str(caught.value)
    assert said.startswith(
        f"{recognizer.name} has no stored threshold and cannot be calibrated here: FMR 0.01"
    )
    assert "1000 impostor comparisons, but there are 0" in said
    assert "calibration: {fmr: ..., threshold: ..., scale: ...}" in said
    with pytest.raises(CalibrationError, match="has no threshold yet"):
        recognizer.confidence(torch.zeros(2))


def test_a_given_calibration_serves_one_person(
    tmp_path: Path, write_network: WriteNetwork, crop: FaceCrop
) -> None:
    recognizer = build_recognizer(f"onnx:{write_network(tmp_path / 'tiny.onnx')}")
    given = recognizer.calibrated
    (ready,) = prepare_all([recognizer], [crop])
    assert ready.at_hand is None
    assert ready.recognizer.calibrated == given
    assert ready.enrolment.people == (crop.person,)
    assert ready.embeddings.shape == (1, 6)


def clusters() -> tuple[Tensor, Tensor, list[str]]:
    """Pictures of 12 people, three each: one colour pattern a person, a little noise."""
    own = torch.rand(12, 1, 3, 4, 4)
    pictures = (own + 0.02 * torch.randn(12, 3, 3, 4, 4)).flatten(0, 1)
    pictures = torch.nn.functional.interpolate(pictures, (32, 32), mode="nearest")
    landmarks = template_points("arcface", size=(32, 32)).expand(36, 5, 2)
    return pictures, landmarks, [f"person {i // 3:02d}" for i in range(36)]


def test_a_recognizer_without_threshold_is_calibrated_on_the_photos_at_hand(recognizer: Recognizer) -> None:
    pictures, landmarks, names = clusters()
    ready = prepare(recognizer, embed_all(recognizer, pictures, landmarks), names, fmr=0.1)
    compared = bare_comparisons(recognizer, ready.embeddings, ready.enrolment)
    genuine, impostor = compared.genuine, compared.impostor
    assert (len(genuine), len(impostor)) == (36, 36 * 11)
    assert ready.at_hand == calibrate(
        genuine,
        impostor,
        fmr=0.1,
        source="36 bare photos of 12 people at hand",
        people=(compared.probe, compared.gallery),
    )
    low, high = ready.at_hand.threshold_low, ready.at_hand.threshold_high
    assert low is not None
    assert high is not None
    assert low < ready.at_hand.threshold < high
    assert ready.recognizer.calibration == ready.at_hand
    assert recognizer.calibration is None
    median = torch.tensor(float(np.median(genuine)), dtype=torch.float64)
    assert float(ready.recognizer.confidence(median)) == pytest.approx(0.95, abs=1e-6)
    assert float((ready.recognizer.confidence(torch.from_numpy(impostor)) > 0.5).double().mean()) <= 0.1


def test_each_set_of_photos_gives_its_own_threshold(recognizer: Recognizer) -> None:
    pictures, landmarks, names = clusters()
    embeddings = embed_all(recognizer, pictures, landmarks)
    first, second = (
        prepare(recognizer, embeddings, names, fmr=0.1),
        prepare(recognizer, -(embeddings**3), names, fmr=0.1),
    )
    assert second.recognizer.calibrated == second.at_hand
    assert first.recognizer.calibrated == first.at_hand
    assert first.at_hand != second.at_hand
    assert first.recognizer.network is second.recognizer.network is recognizer.network
    assert recognizer.calibration is None


def test_a_stored_threshold_is_not_overwritten(tmp_path: Path, write_network: WriteNetwork) -> None:
    recognizer = build_recognizer(f"onnx:{write_network(tmp_path / 'tiny.onnx')}")
    given = recognizer.calibrated
    pictures, landmarks, names = clusters()
    ready = prepare(recognizer, embed_all(recognizer, pictures, landmarks), names, fmr=0.1)
    assert recognizer.calibrated == given
    assert ready.at_hand is not None
    assert ready.at_hand != given
