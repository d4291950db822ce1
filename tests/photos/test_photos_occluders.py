"""Occluders: how they are read, that they are not photos, and that they land where the photo does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.photos.loading import load_faces
from advmask.photos.occluders import occluder_path, read_occluder
from advmask.photos.people_folders import find_people
from advmask.photos.settings import FacesSettings

SIZE = (40, 30)


def levels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, SIZE[::-1], dtype=np.uint8)


def test_grey(tmp_path: Path) -> None:
    path = tmp_path / "a.occluder.png"
    Image.fromarray(levels()).save(path)
    np.testing.assert_array_equal(np.asarray(read_occluder(path, size=SIZE)), levels())
    Image.fromarray(levels()).convert("RGB").save(path)
    np.testing.assert_array_equal(np.asarray(read_occluder(path, size=SIZE)), levels())
    Image.fromarray(levels()).convert("RGBA").save(path)  # opaque everywhere: brightness counts
    np.testing.assert_array_equal(np.asarray(read_occluder(path, size=SIZE)), levels())
    Image.fromarray(levels() > 99).save(path)
    np.testing.assert_array_equal(np.asarray(read_occluder(path, size=SIZE)), 255 * (levels() > 99))


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (12, 200, 77)])
def test_alpha(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    path = tmp_path / "a.occluder.png"
    picture = Image.new("RGB", SIZE, colour)
    picture.putalpha(Image.fromarray(levels()))
    picture.save(path)
    found = np.asarray(read_occluder(path, size=SIZE)).astype(int)
    assert np.abs(found - levels()).max() <= 1


def test_fully_transparent_is_nothing_in_front(tmp_path: Path) -> None:
    path = tmp_path / "a.occluder.png"
    Image.new("RGBA", SIZE, (255, 255, 255, 0)).save(path)
    assert np.asarray(read_occluder(path, size=SIZE)).max() == 0


def test_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.occluder.png"
    Image.fromarray(levels()).save(path)
    with pytest.raises(PhotoError, match=r"a\.occluder\.png is 40 x 30 px, and the upright photo 30 x 40 px"):
        read_occluder(path, size=(30, 40))
    path.write_text("no picture")
    with pytest.raises(PhotoError, match=r"a\.occluder\.png is not a"):
        read_occluder(path, size=SIZE)


def test_it_is_no_photo_and_lands_where_the_photo_does(tmp_path: Path, portrait: Image.Image) -> None:
    root = tmp_path / "people"
    folder = root / "Ada"
    folder.mkdir(parents=True)
    # Where this photo is pure blue its occluder is white, so the crops must agree.
    picture = portrait.copy()
    picture.paste((0, 0, 255), (180, 120, 240, 200))
    picture.save(folder / "1.png")
    assert occluder_path(folder / "1.png") == folder / "1.occluder.png"
    (folder / "1.points.json").write_text(
        '{"points": [[203.8, 101.5], [247, 103.3], [223.5, 127.5], [203, 139.8], [245.5, 140]]}'
    )
    chosen = FacesSettings(root=root, cache=tmp_path / "crops", landmarks="file")
    (crop,) = load_faces(chosen).crops
    assert crop.occluder is None

    occluder = Image.new("L", portrait.size, 0)
    occluder.paste(255, (180, 120, 240, 200))
    occluder.save(folder / "1.occluder.png")
    (person,) = find_people(root)
    assert [path.name for path in person.photos] == ["1.png"]
    (crop,) = load_faces(chosen).crops
    assert crop.occluder is not None
    assert crop.occluder.dtype == torch.uint8
    assert crop.occluder.shape == (176, 176)
    red, green, blue = crop.picture.to(torch.int16)
    blueness = blue - torch.maximum(red, green) > 150
    assert 0.05 < blueness.float().mean() < 0.5
    assert ((crop.occluder > 127) == blueness).float().mean() > 0.99
    (again,) = load_faces(chosen).crops
    assert again.occluder is not None
    assert torch.equal(again.occluder, crop.occluder)

    Image.new("L", (20, 20)).save(folder / "1.occluder.png")
    with pytest.raises(PhotoError, match=r"1\.occluder\.png is 20 x 20 px"):
        load_faces(chosen)


def test_occluders_work_with_the_detector(tmp_path: Path, portrait: Image.Image) -> None:
    portrait.save(tmp_path / "1.png")
    Image.new("L", portrait.size, 255).save(tmp_path / "1.occluder.png")
    (crop,) = load_faces(FacesSettings(root=tmp_path, cache=False, size=112)).crops
    assert crop.occluder is not None
    assert int(crop.occluder.min()) == 255
