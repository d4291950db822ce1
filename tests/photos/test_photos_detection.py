"""Finding faces: which points, in which pixels, and what happens when there is nothing to find."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from advmask.core.errors import PhotoError
from advmask.core.picture_reading import read_picture
from advmask.photos.detection import Face, FaceDetector, choose_face
from advmask.photos.people_folders import find_people

# Read off the portrait by eye, at 10 times its size: pupils, nose tip, corners of the mouth.
PORTRAIT_POINTS = np.array([(203.8, 101.5), (247, 103.3), (223.5, 127.5), (203, 139.8), (245.5, 140)])


def test_landmarks_of_the_portrait(detector: FaceDetector, portrait: Image.Image) -> None:
    (face,) = detector.detect(portrait)
    assert face.landmarks.shape == (5, 2)
    assert face.landmarks.dtype == np.float64
    assert np.abs(face.landmarks - PORTRAIT_POINTS).max() < 3
    assert 0.99 < face.probability <= 1
    x0, y0, x1, y1 = face.box
    assert ((face.landmarks > (x0, y0)) & (face.landmarks < (x1, y1))).all()


def test_faces_are_sorted_by_size(detector: FaceDetector, portrait: Image.Image) -> None:
    head = portrait.crop((120, 0, 320, 240))
    both = Image.new("RGB", (520, 260), (128, 128, 128))
    both.paste(head.resize((120, 144)), (10, 10))
    both.paste(head, (260, 10))
    large, small = detector.detect(both)
    assert large.area > 2 * small.area
    assert large.box[0] > 260 > small.box[2]
    assert choose_face([small, large], size=both.size) is large


def test_large_photos_come_back_in_their_own_pixels(detector: FaceDetector, portrait: Image.Image) -> None:
    (face,) = detector.detect(portrait)
    large = portrait.resize((2560, 2048), Image.Resampling.BICUBIC)  # 5 times and 4 times
    (found,) = FaceDetector(largest_only=True).detect(large)
    assert np.abs(found.landmarks / [5, 4] - face.landmarks).max() < 3
    assert np.abs(np.reshape(found.box, (2, 2)) / [5, 4] - np.reshape(face.box, (2, 2))).max() < 8


@pytest.mark.parametrize("size", [(1, 1), (11, 500), (19, 19), (20, 20), (500, 20), (3000, 25), (64, 64)])
def test_nothing_to_find(detector: FaceDetector, size: tuple[int, int]) -> None:
    assert detector.detect(Image.new("RGB", size, (120, 90, 60))) == []


def test_noise_gives_no_error(detector: FaceDetector) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    for face in detector.detect(Image.fromarray(pixels)):
        assert np.isfinite(face.landmarks).all()


def test_limits_are_kept(portrait: Image.Image) -> None:
    assert FaceDetector(min_probability=1.0).detect(portrait.resize((90, 90))) == []
    assert FaceDetector(min_face_px=200).detect(portrait) == []
    assert len(FaceDetector(min_face_px=60).detect(portrait)) == 1
    with pytest.raises(PhotoError, match="min_face_px"):
        FaceDetector(min_face_px=5)


def face_at(x: float, y: float, side: float) -> Face:
    return Face((x - side / 2, y - side / 2, x + side / 2, y + side / 2), np.zeros((5, 2)), 1.0)


def test_of_nearly_equal_faces_the_central_one_is_chosen() -> None:
    rim, centre, small = face_at(20, 50, 40), face_at(60, 50, 39), face_at(50, 50, 30)
    assert choose_face([rim, centre, small], size=(100, 100)) is centre
    assert choose_face([rim, small], size=(100, 100)) is rim
    with pytest.raises(PhotoError, match="no face"):
        choose_face([], size=(100, 100))


@pytest.mark.slow
def test_importing_the_room_loads_no_detector() -> None:
    heavy = "{'facenet_pytorch', 'skimage', 'torchvision'}"
    code = f"import sys, advmask.photos; print(sorted({heavy} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.shared
@pytest.mark.slow
def test_landmarks_have_no_sideways_bias(detector: FaceDetector, shared_dir: Path) -> None:
    sums = []
    for person in find_people(shared_dir / "faces")[::2]:
        image = read_picture(person.photos[0])
        seen, mirrored = detector.detect(image), detector.detect(ImageOps.mirror(image))
        if len(seen) == len(mirrored) == 1:
            sums.append(seen[0].landmarks[:, 0] + mirrored[0].landmarks[[1, 0, 2, 4, 3], 0] - image.width)
    assert len(sums) > 25
    assert abs(np.mean(sums)) < 0.5  # 1.0 without the correction for truncated boxes
