"""Photos on their side and on their head: found, mapped back, and said."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.core.together import together
from advmask.photos.detection import Face, FaceDetector
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.photos.tiles import TILE_PX
from advmask.photos.turns import find_however_turned, how_turned, however_turned

TURNS = [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270]


def blue_dot(probability: float, upright: tuple[int, int] = (60, 40)) -> object:
    """A finder that sees a face where a picture of that size has a blue dot, if the picture has that size."""

    def find(image: Image.Image) -> list[Face]:
        rows, columns = np.nonzero(np.asarray(image)[..., 2] > 127)
        if image.size != upright or rows.min() > 20:
            return []
        x, y = float(columns.min()), float(rows.min())
        points = np.array([(x, y), (x + 4, y), (x + 2, y + 2), (x, y + 4), (x + 4, y + 4)])
        return [Face((x, y, x + 4, y + 6), points, probability)]

    return find


@pytest.mark.parametrize("turn", TURNS)
def test_points_and_boxes_come_back_in_the_picture_as_it_is(turn: Image.Transpose) -> None:
    upright = Image.new("RGB", (60, 40))
    upright.paste((0, 0, 255), (10, 5, 14, 11))
    lying = upright.transpose(turn)
    (face,) = find_however_turned(lying, blue_dot(1.0))  # type: ignore[arg-type]
    rows, columns = np.nonzero(np.asarray(lying)[..., 2] > 127)
    assert face.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    across, down = face.landmarks[1] - face.landmarks[0], face.landmarks[3] - face.landmarks[0]
    assert across[0] * down[1] - across[1] * down[0] == pytest.approx(16)  # turned, not mirrored
    assert (face.landmarks >= np.reshape(face.box, (2, 2))[0]).all()
    assert (face.landmarks <= np.reshape(face.box, (2, 2))[1]).all()


def test_a_doubtful_face_turns_nothing() -> None:
    lying = Image.new("RGB", (40, 60))
    lying.paste((0, 0, 255), (10, 5, 14, 11))
    assert find_however_turned(lying, blue_dot(0.99)) == []  # type: ignore[arg-type]


def test_an_upright_face_costs_one_search() -> None:
    searches = []
    sure = Face((0, 0, 9, 9), np.zeros((5, 2)), 0.9999)

    def find(image: Image.Image) -> list[Face]:
        searches.append(image.size)
        return [sure]

    assert find_however_turned(Image.new("RGB", (60, 40)), find) == [sure]
    assert len(searches) == 1


@pytest.mark.parametrize(("side", "at_once"), [(TILE_PX, [1, 3]), (TILE_PX + 1, [1, 1, 1, 1])])
def test_a_large_photo_is_turned_one_way_at_a_time(side: int, at_once: list[int]) -> None:
    asked: list[int] = []

    def nothing(turned: list[Image.Image]) -> list[list[Face]]:
        asked.append(len(turned))
        return [[] for _ in turned]

    assert together([however_turned(Image.new("RGB", (side, 40)))], nothing) == [[]]
    assert asked == at_once


@pytest.mark.parametrize(
    ("degrees", "says"),
    [
        (0, None),
        (45, None),
        (-90, "lies on its side"),
        (100, "lies on its side"),
        (180, "stands on its head"),
    ],
)
def test_how_a_photo_lies(degrees: float, says: str | None) -> None:
    turn = math.radians(degrees)
    rows = [[math.cos(turn), math.sin(turn), 3.0], [-math.sin(turn), math.cos(turn), 4.0]]
    assert how_turned(torch.tensor(rows, dtype=torch.float64)) == says


def test_a_portrait_on_its_side_gives_the_crop_of_the_upright_one(
    tmp_path: Path, portrait: Image.Image, detector: FaceDetector
) -> None:
    head = portrait.crop((100, 0, 356, 256))
    for name, picture in {"upright": head, "lying": head.transpose(Image.Transpose.ROTATE_90)}.items():
        picture.save(tmp_path / f"{name}.png")
    found = load_faces(FacesSettings(root=tmp_path, size=112, cache=False))
    lying, upright = found.crops
    assert [notice for notice in found.notices if "its side" in notice] == [
        f"{tmp_path / 'lying.png'}: the photo lies on its side; turn it. Its face is used all the same."
    ]
    # Half a pixel of the corners is truncated on other sides.
    assert (lying.landmarks - upright.landmarks).abs().max() < 1.5
    assert (lying.as_float() - upright.as_float()).abs().mean() < 0.03
