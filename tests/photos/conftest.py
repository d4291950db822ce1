"""One detector and one portrait for all tests of the room."""

import pytest
from PIL import Image

from advmask.photos import FaceDetector, portrait_path, read_picture


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="session")
def portrait() -> Image.Image:
    return read_picture(portrait_path())
