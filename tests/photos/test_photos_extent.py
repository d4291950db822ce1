"""Faces that lie partly outside their photo."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.photos.crops import canonical_points, crop_transform
from advmask.photos.extent import check_extent
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings

FACE = canonical_points(size=224)  # eyes 56 px apart; the face proper is 112 px wide and 130 px high


def check(shift: tuple[float, float], photo_size: tuple[int, int], *, turn: float = 0.0) -> None:
    c, s = np.cos(turn), np.sin(turn)
    middle = FACE.mean(axis=0)
    landmarks = (FACE - middle) @ np.array([[c, -s], [s, c]]).T + middle + shift
    check_extent(crop_transform(landmarks), landmarks, size=224, photo_size=photo_size)


@pytest.mark.parametrize("turn", [0.0, 0.5, -2.0])
def test_a_whole_face_passes(turn: float) -> None:
    check((0, 0), (224, 224), turn=turn)


def test_a_landmark_beyond_any_edge() -> None:
    for shift in [(-90.0, 0.0), (90.0, 0.0), (0.0, -90.0), (0.0, 90.0)]:
        with pytest.raises(PhotoError, match=r"half outside the photo .* of its 5 landmarks"):
            check(shift, (224, 224))


def test_too_little_of_the_face() -> None:
    # All landmarks are inside; above the eyes 28 px of the face are lost, below the mouth 45 px of 130.
    left, top = FACE.min(axis=0)
    width, height = np.ptp(FACE, axis=0) + 2
    check((1 - left, 0), (224, 224))  # a quarter is lost at one side
    with pytest.raises(PhotoError, match=r"half outside the photo \(\d\d% of it are inside"):
        check((1 - left, 1 - top), (round(width), round(height)))


def test_the_share_is_that_of_the_box() -> None:
    # The box reaches from 28 px left of the left eye to 28 px right of the right eye: x from 56 to 168.
    low, high = 56.0, 168.0
    for lost in (0.38, 0.42):
        edge = round(high - lost * (high - low))
        landmarks = FACE.copy()
        transform = crop_transform(landmarks, size=224)
        shown = np.minimum(landmarks, [edge - 1e-6, np.inf])  # the rule on landmarks is tested above
        if lost > 0.4:
            with pytest.raises(PhotoError, match="58% of it"):
                check_extent(transform, shown, size=224, photo_size=(edge, 224))
        else:
            check_extent(transform, shown, size=224, photo_size=(edge, 224))


def test_a_face_cut_by_the_edge_is_left_out(tmp_path: Path, portrait: Image.Image) -> None:
    whole = portrait.crop((120, 0, 320, 240))
    whole.save(tmp_path / "1.png")
    # Just below the mouth, at (224, 140) in the portrait, and right of the right eye at (247, 103).
    portrait.crop((195, 90, 255, 146)).resize((240, 224)).save(tmp_path / "2.png")
    (tmp_path / "2.points.json").write_text(
        '{"points": [[35, 46], [208, 53], [114, 150], [32, 199], [202, 200]]}'
    )
    (tmp_path / "1.points.json").write_text(
        '{"points": [[83.8, 101.5], [127, 103.3], [103.5, 127.5], [83, 139.8], [125.5, 140]]}'
    )
    faces = load_faces(FacesSettings(root=tmp_path, cache=False, landmarks="file"))
    assert [crop.source.name for crop in faces.crops] == ["1.png"]
    (omission,) = faces.omissions
    assert "half outside" in str(omission)
