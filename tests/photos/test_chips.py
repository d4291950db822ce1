"""Aligned chips, whose landmarks are those of ArcFace's template."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.core.picture_reading import read_picture
from advmask.photos.chips import chip_points, seem_chips
from advmask.photos.crops import apply_transform, cut_crop, invert_transform
from advmask.photos.detection import FaceDetector
from advmask.photos.loading import load_faces, portrait_path
from advmask.photos.settings import FacesSettings
from advmask.recognizers.alignment import cut_chips, similarity_to_template

# As InsightFace publishes them, pixel centres at whole numbers.
PUBLISHED = [
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
]


@pytest.fixture(scope="module")
def chip(detector: FaceDetector, portrait: Image.Image) -> Image.Image:
    """The portrait as InsightFace would cut it, by complex least squares written anew, 224 px."""
    five = detector.detect(portrait)[0].landmarks
    z, w = (np.asarray(each) @ [1, 1j] for each in (five, (np.array(PUBLISHED) + 0.5) * 2))
    turn = np.vdot(z - z.mean(), w - w.mean()) / np.vdot(z - z.mean(), z - z.mean())
    shift = w.mean() - turn * z.mean()
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    return Image.fromarray(cut_crop(portrait, matrix, size=224))


def test_landmarks_are_the_template_at_the_size_of_the_chip(chip: Image.Image, tmp_path: Path) -> None:
    folder = tmp_path / "0000001"
    folder.mkdir()
    chip.save(folder / "1.png")
    chip.resize((112, 112), Image.Resampling.BOX).save(folder / "2.png")
    faces = load_faces(FacesSettings(root=folder, landmarks="arcface112", cache=False))
    assert any(one.startswith("Chips of ArcFace's template") for one in faces.notices)
    for crop, scale in zip(faces.crops, (2, 1), strict=True):
        there = apply_transform(invert_transform(crop.transform.numpy()), crop.landmarks.numpy())
        assert there == pytest.approx((np.array(PUBLISHED) + 0.5) * scale, abs=1e-3)
        # What a network is shown of it is the chip again.
        points = torch.tensor(PUBLISHED) + 0.5
        back = cut_chips(
            crop.as_float()[None], similarity_to_template(crop.landmarks[None], points), size=(112, 112)
        )[0]
        plain = np.asarray(chip.resize((112, 112), Image.Resampling.BOX), dtype=np.float32) / 255
        assert float(np.abs(back.permute(1, 2, 0).numpy() - plain).mean()) < 0.02


def test_what_is_no_square_is_left_out(tmp_path: Path) -> None:
    Image.new("RGB", (96, 112)).save(tmp_path / "1.png")
    with pytest.raises(
        PhotoError, match="The picture is 96 x 112 px, and a chip by ArcFace's template is square"
    ):
        load_faces(FacesSettings(root=tmp_path, landmarks="arcface112", cache=False))
    assert chip_points((96, 112)) is None


def test_chips_in_which_no_face_is_found_are_told(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (112, 112), (90, 70, 60 + number)).save(tmp_path / f"{number}.png")
    with pytest.raises(PhotoError, match=r"seem to be aligned chips; faces\.landmarks=arcface112"):
        load_faces(FacesSettings(root=tmp_path, cache=False))
    (tmp_path / "none.png").write_bytes(b"")
    assert not seem_chips([tmp_path / "none.png", portrait_path()])
    assert not seem_chips([])
    assert read_picture(portrait_path()).width == 512
