"""A design worn in one picture at hand."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advmask.applying.apply_to_picture import apply_to_picture
from advmask.applying.face_finding import FaceFinder
from advmask.applying.settings import FindSettings
from advmask.applying.wear_design import wear_design, worn_design
from advmask.core.errors import PhotoError
from advmask.photos.loading import portrait_path
from advmask.textures.design_files import Design
from advmask.wearing.opened_design import load_design


@pytest.fixture(scope="module")
def design() -> Design:
    return load_design("noise", texels_per_mm=1.0)


def test_it_is_what_apply_writes(design: Design, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.open(portrait_path()).convert("RGB").crop((100, 0, 340, 240)).save(photo)
    bare = np.asarray(Image.open(photo)).copy()
    finder = FaceFinder(FindSettings())
    apply_to_picture(photo, tmp_path / "worn.png", design=worn_design(design), finder=finder)
    expected = np.asarray(Image.open(tmp_path / "worn.png"))
    assert (expected != bare).any(axis=2).mean() > 0.03
    np.testing.assert_array_equal(wear_design(design, photo), expected)
    given = Image.fromarray(bare)
    np.testing.assert_array_equal(wear_design(design, given), expected)
    np.testing.assert_array_equal(given, bare)


def test_a_picture_without_a_face_is_an_error(design: Design, tmp_path: Path) -> None:
    plain = Image.new("RGB", (60, 60), (120, 100, 90))
    with pytest.raises(PhotoError, match="No face of 30 px or more was found in the picture"):
        wear_design(design, plain)
    plain.save(tmp_path / "plain.png")
    with pytest.raises(PhotoError, match=r"found in .*plain.png"):
        wear_design(design, tmp_path / "plain.png")
