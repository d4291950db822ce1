"""One detector and one portrait for all tests of the room."""

import pytest
from PIL import Image

from advmask.core.picture_reading import read_picture
from advmask.photos.detection import FaceDetector
from advmask.photos.loading import portrait_path


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="session")
def portrait() -> Image.Image:
    return read_picture(portrait_path())
