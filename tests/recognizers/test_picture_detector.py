"""Detectors of pipelines on whole pictures: their faces in pixels of the picture, and their names."""

from pathlib import Path

import numpy as np
import pytest
import torch
from detector_networks import write_detector
from fixed_detector import write_fixed_scrfd
from PIL import Image

from advmask.core.errors import ConfigError, WeightsError
from advmask.photos.detection import FaceDetector
from advmask.photos.turns import find_however_turned
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.aligners.picture_detector import picture_detector
from advmask.recognizers.settings import check_detector

FIVE = np.array([(480.0, 300.0), (560.0, 305.0), (520.0, 350.0), (490.0, 390.0), (555.0, 395.0)])
BOX = (430.0, 240.0, 610.0, 450.0)


@pytest.mark.parametrize("size", [(1000, 700), (640, 640), (1400, 2000)])
def test_boxes_and_points_are_in_pixels_of_the_picture(size: tuple[int, int], tmp_path: Path) -> None:
    name = write_fixed_scrfd(tmp_path / "det.onnx", BOX, FIVE, picture=size)
    (face,) = picture_detector(name, min_face_px=20, min_probability=0.9).detect(Image.new("RGB", size))
    assert face.landmarks == pytest.approx(FIVE, abs=0.02)
    assert face.box == pytest.approx(BOX, abs=0.02)
    assert face.probability == pytest.approx(0.8)  # sure enough for its maker


def test_faces_too_small_are_left_out(tmp_path: Path) -> None:
    name = write_fixed_scrfd(tmp_path / "det.onnx", BOX, FIVE, picture=(640, 640))
    assert (
        picture_detector(name, min_face_px=211, min_probability=0.9).detect(Image.new("RGB", (640, 640)))
        == []
    )


def test_a_face_of_its_makers_score_is_not_looked_for_in_other_turns(tmp_path: Path) -> None:
    name = write_fixed_scrfd(tmp_path / "det.onnx", BOX, FIVE, picture=(640, 640), score=0.55)
    detector = picture_detector(name, min_face_px=20, min_probability=0.9)
    looks = []

    def look(image: Image.Image) -> list:
        looks.append(image.size)
        return detector.detect(image)

    assert len(find_however_turned(Image.new("RGB", (640, 640)), look, sure=detector.sure)) == 1
    assert len(looks) == 1


def test_a_large_picture_is_reduced_for_detectors_without_a_size_of_their_own(tmp_path: Path) -> None:
    """Faces are those the network finds in the reduced picture, back in pixels of the large one."""
    path = write_detector(tmp_path / "retina.onnx", "retinaface")
    aligner = build_aligner(f"retinaface:{path}")
    draws = np.random.default_rng(0)
    small = Image.fromarray(draws.integers(0, 256, (8, 80, 3), dtype=np.uint8)).resize(
        (1280, 128), Image.Resampling.NEAREST
    )
    large = small.resize((2560, 256), Image.Resampling.NEAREST)
    found = picture_detector(f"retinaface:{path}", min_face_px=12, min_probability=0.9).detect(large)
    seen = np.asarray(large.resize((1280, 128), Image.Resampling.LANCZOS, reducing_gap=3.0), dtype=np.float32)
    with torch.no_grad():
        expected = aligner.faces(torch.from_numpy(seen / 255).permute(2, 0, 1))  # type: ignore[attr-defined]
    assert 0 < len(found) <= len(expected.scores)
    theirs = sorted((2 * expected.points[:, 0, 0]).tolist())
    for face in found:
        assert min(abs(face.landmarks[0, 0] - x) for x in theirs) < 1e-3


def test_names() -> None:
    assert isinstance(picture_detector("mtcnn", min_face_px=20, min_probability=0.9), FaceDetector)
    for name in ("mtcnn", "scrfd:a.onnx", "insightface:buffalo_l"):
        check_detector(name)
    for name in ("bare", "scrfd", "scrfd:", "dlib5", ""):
        with pytest.raises(ValueError, match="known are mtcnn, scrfd:PATH"):
            check_detector(name)
    with pytest.raises(ConfigError, match="box finds no faces in whole pictures"):
        picture_detector("box", min_face_px=20, min_probability=0.9)
    with pytest.raises(WeightsError, match="There is no file"):
        picture_detector("scrfd:/nowhere.onnx", min_face_px=20, min_probability=0.9)
