"""MTCNN over many pictures at once: what facenet-pytorch finds in each of them alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from advmask.core.picture_reading import read_picture
from advmask.photos import mtcnn_cascade
from advmask.photos.backends import DetectedLandmarks
from advmask.photos.detection import FaceDetector
from advmask.photos.mtcnn_cascade import Detected, Mtcnn
from advmask.photos.people_folders import find_people

TOLERANCE_PX = 1e-3


def bytes_of(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image))


@pytest.fixture(scope="module")
def pictures(portrait: Image.Image) -> list[Image.Image]:
    """Of several sizes, two of one size; with one face, two, none, and a third of one."""
    head = portrait.crop((120, 0, 320, 240))
    both = Image.new("RGB", (300, 150), (128, 128, 128))
    both.paste(head.resize((100, 120)), (10, 10))
    both.paste(head.resize((66, 80)), (200, 30))
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    cut = portrait.crop((215, 60, 335, 180))
    blank = Image.new("RGB", (200, 240), (90, 120, 60))
    return [head, both, Image.fromarray(noise), blank, cut, portrait.resize((97, 101)), blank.resize((15, 9))]


def by_facenet(image: Image.Image, smallest_px: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes, probabilities and landmarks by facenet-pytorch itself, most probable first."""
    from facenet_pytorch import MTCNN

    told = MTCNN(keep_all=True, min_face_size=smallest_px).eval().detect(image, landmarks=True)
    if told[0] is None:
        return np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
    order = np.argsort(-np.asarray(told[1], dtype=np.float64), kind="stable")
    boxes, probability, points = (np.asarray(one, dtype=np.float64)[order] for one in told)
    return boxes, probability, points


def check(found: Detected, image: Image.Image, smallest_px: float) -> int:
    boxes, probability, points = by_facenet(image, smallest_px)
    assert len(found.boxes) == len(boxes)
    np.testing.assert_allclose(found.boxes, boxes, rtol=0, atol=TOLERANCE_PX)
    np.testing.assert_allclose(found.points, points, rtol=0, atol=TOLERANCE_PX)
    np.testing.assert_allclose(found.probability, probability, rtol=0, atol=1e-5)
    return len(boxes)


def test_many_pictures_get_what_each_gets_by_itself(pictures: list[Image.Image]) -> None:
    smallest = [20, 30, 20, 20, 20, 12, 20]
    together = Mtcnn().find([bytes_of(image) for image in pictures], smallest)
    faces = [
        check(found, image, least)
        for found, image, least in zip(together[:-1], pictures[:-1], smallest, strict=False)
    ]
    assert faces[:2] == [1, 2]
    assert sum(faces) >= 4
    assert len(together[-1].boxes) == 0  # too small for any face
    assert Mtcnn().find([], []) == []


def test_nobody_anywhere(pictures: list[Image.Image]) -> None:
    for some in (pictures[3:4], pictures[-1:], [pictures[3], pictures[-1]]):
        found = Mtcnn().find([bytes_of(image) for image in some], [20] * len(some))
        assert [one.points.shape for one in found] == [(0, 5, 2)] * len(some)


def test_the_landmark_network_saw_the_box_it_says(pictures: list[Image.Image]) -> None:
    (found,) = Mtcnn().find([bytes_of(pictures[0])], [20])
    left, top, right, bottom = found.seen[0].tolist()
    assert right - left == pytest.approx(bottom - top, abs=1e-3)
    assert float((found.seen - found.boxes).abs().max()) < 0.3 * (right - left)


def test_a_candidate_beyond_the_picture_costs_no_face(
    pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = Mtcnn()
    (expected,) = networks.find([bytes_of(pictures[0])], [20])
    real = networks._proposed

    def and_one_outside(*given: object) -> tuple[Tensor, Tensor]:
        owner, boxes = real(*given)
        outside = torch.tensor([[-60.0, -60, -30, -30], [900, 10, 950, 60]])
        return torch.cat([owner.new_zeros(2), owner]), torch.cat([outside, boxes])

    monkeypatch.setattr(networks, "_proposed", and_one_outside)
    (found,) = networks.find([bytes_of(pictures[0])], [20])
    torch.testing.assert_close(found.points, expected.points, rtol=0, atol=TOLERANCE_PX)


def test_a_photo_gets_the_same_bits_whatever_is_looked_at_with_it(portrait: Image.Image) -> None:
    """Sixteen photos of one size, as convolutions of a batch of them would give other last bits."""
    photos = [portrait.crop((90 + 5 * n, 5 * (n % 3), 330 + 5 * n, 240 + 5 * (n % 3))) for n in range(16)]
    landmarks = DetectedLandmarks(min_face_px=20, min_probability=0.9)
    for together, photo in zip(landmarks.choose_all(photos), photos, strict=True):
        alone = landmarks.choose(photo)
        assert isinstance(together, tuple)
        assert isinstance(alone, tuple)
        assert torch.equal(*(torch.from_numpy(one[0].landmarks) for one in (together, alone)))
        assert together[0].box == alone[0].box


def test_chips_are_cut_as_many_at_once_as_memory_allows(
    pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[int] = []
    real = mtcnn_cascade._Sums.cut

    def counted(*given: Any) -> Tensor:
        chips = real(*given)
        cut.append(len(chips))
        return chips

    monkeypatch.setattr(mtcnn_cascade, "_AT_ONCE", 7)
    monkeypatch.setattr(mtcnn_cascade._Sums, "cut", counted)
    (found,) = Mtcnn().find([bytes_of(pictures[0])], [20])
    assert check(found, pictures[0], 20) == 1
    assert max(cut) == 7
    assert len(cut) > 2


@pytest.mark.gpu
def test_a_gpu_finds_what_the_cpu_finds(pictures: list[Image.Image], portrait: Image.Image) -> None:
    """Also where somebody lets convolutions round to TF32, which would move landmarks by pixels."""
    images = [*pictures, portrait]
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = True
    try:
        there = FaceDetector(device="cuda").detect_all(images)
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.backends.cudnn.allow_tf32 = before
    for faces, expected in zip(there, FaceDetector().detect_all(images), strict=True):
        assert len(faces) == len(expected)
        for one, other in zip(faces, expected, strict=True):
            np.testing.assert_allclose(one.landmarks, other.landmarks, rtol=0, atol=0.02)


def test_pictures_are_detected_together_as_alone(pictures: list[Image.Image], portrait: Image.Image) -> None:
    """With one that is searched in tiles."""
    large = Image.new("RGB", (1500, 700), (128, 128, 128))
    large.paste(portrait.resize((160, 160)), (1200, 300))
    detector = FaceDetector()
    images = [*pictures, large, portrait.resize((1280, 1280)), portrait]
    for faces, image in zip(detector.detect_all(images), images, strict=True):
        alone = detector.detect(image)
        assert len(faces) == len(alone)
        for one, other in zip(faces, alone, strict=True):
            np.testing.assert_array_equal(one.landmarks, other.landmarks)
            assert one.box == other.box


@pytest.mark.shared
@pytest.mark.slow
def test_photos_of_many_people_get_what_facenet_finds(shared_dir: Path) -> None:
    images = [read_picture(person.photos[0]) for person in find_people(shared_dir / "faces")[::2]]
    found = Mtcnn().find([bytes_of(image) for image in images], [20] * len(images))
    assert sum(check(one, image, 20) for one, image in zip(found, images, strict=True)) >= len(images) - 2
