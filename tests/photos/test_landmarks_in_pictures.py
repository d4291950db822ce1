"""Landmarks of pictures given as tensors."""

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.photos.detection import FaceDetector
from advmask.photos.landmarks_in_pictures import find_landmarks
from advmask.photos.loading import portrait_path


def test_they_are_those_of_the_detector_on_the_file():
    image = Image.open(portrait_path()).convert("RGB").crop((100, 0, 340, 240))
    picture = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
    found = find_landmarks(picture.flip(2)[None])
    assert found.shape == (1, 5, 2)
    (plain,) = find_landmarks(picture[None])
    expected = FaceDetector().detect(image)[0].landmarks
    np.testing.assert_allclose(plain, expected, atol=1e-3)
    mirrored = torch.tensor([240.0, 0.0]) - found[0] * torch.tensor([1.0, -1.0])
    torch.testing.assert_close(mirrored[[1, 0, 2, 4, 3]], plain, atol=2.5, rtol=0)


def test_pictures_without_a_face_are_named_by_their_numbers():
    with pytest.raises(PhotoError, match="in picture 0, 1 of the batch"):
        find_landmarks(torch.full((2, 3, 64, 64), 0.5))


def test_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\), not \(3, 64, 64\)"):
        find_landmarks(torch.zeros(3, 64, 64))
