"""Photos wearing masks: the same with and without a cache, laid once, resumed, and not held in memory."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from placement_samples import anonymous_kb, face, placement, same
from tiny_chain import drawer

from advmask.core.errors import PhotoError
from advmask.effects.settings import WearSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.crops import FaceCrop
from advmask.render.pyramid import MipPyramid
from advmask.render.settings import RenderSettings
from advmask.training.data import StepDataset
from advmask.wearing import placing
from advmask.wearing.placement_cache import PlacementCache
from advmask.wearing.worn_photos import WornPhotos, wear_masks

FACES = [face(number) for number in range(4)]
SURFACE = build_mask(MaskSettings())


def worn(crops: list[FaceCrop], cache: PlacementCache | None = None, **changes: Any) -> WornPhotos:
    given: dict[str, Any] = {
        "wear": WearSettings(shift_mm=3, tilt_deg=3, scale=0.03),
        "ways": 2,
        "texels_per_mm": 1.0,
        "render": RenderSettings(supersample=1),
        "seed": 0,
        "stream": "train",
    }
    return wear_masks(crops, SURFACE, cache=cache, **(given | changes))


def same_batches(one: WornPhotos, two: WornPhotos) -> bool:
    for step in range(5):
        first, second = (vars(StepDataset(photos, drawer(), batch=3, seed=1)[step]) for photos in (one, two))
        del first["drawn"], second["drawn"]
        if not same(first.pop("packed"), second.pop("packed")):
            return False
        if not same(SimpleNamespace(**first), SimpleNamespace(**second)):
            return False
    return True


@pytest.fixture
def laid(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each call of `fit_masks`, the number of its placements."""
    calls: list[int] = []
    real = placing.fit_masks

    def counted(*args: Any, **given: Any) -> Any:
        calls.append(len(given["wears"]))
        return real(*args, **given)

    monkeypatch.setattr(placing, "fit_masks", counted)
    return calls


def test_a_cache_changes_nothing_but_the_time(tmp_path: Path, laid: list[int]):
    plain = worn(FACES)
    assert laid == [2] * 4
    fresh = worn(FACES, PlacementCache(tmp_path))
    assert laid == [2] * 8
    again = worn(FACES, PlacementCache(tmp_path))
    assert laid == [2] * 8
    assert same_batches(plain, fresh)
    assert same_batches(plain, again)
    assert laid == [2] * 8
    assert len(list(tmp_path.glob("*.data"))) == 1
    assert not same(plain.placements.get(0, 0), plain.placements.get(0, 1))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"stream": "evaluate"},
        {"ways": 3},
        {"texels_per_mm": 1.1},
        {"wear": WearSettings(shift_mm=4)},
        {"render": RenderSettings(supersample=1, shading=False)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_changes_placements_places_them_again(tmp_path: Path, laid: list[int], change: dict[str, Any]):
    worn(FACES[:1], PlacementCache(tmp_path))
    changed = worn(FACES[:1], PlacementCache(tmp_path), **change)
    assert len(laid) == 2
    assert same_batches(changed, worn(FACES[:1], **change))


def test_another_mask_places_them_again(tmp_path: Path, laid: list[int]):
    worn(FACES[:1], PlacementCache(tmp_path))
    given = {"wear": WearSettings(), "ways": 1, "texels_per_mm": 1.0, "render": RenderSettings(), "seed": 0}
    for mask in ("pleated", "contour", "pleated"):
        surface = build_mask(MaskSettings(pattern=mask))
        wear_masks(FACES[:1], surface, stream="x", cache=PlacementCache(tmp_path), **given)  # type: ignore[arg-type]
    assert laid == [2, 1, 1]


def test_an_interrupted_preparation_goes_on_where_it_stopped(
    tmp_path: Path, laid: list[int], monkeypatch: pytest.MonkeyPatch
):
    real = placing.fit_masks

    def interrupted(*args: Any, **given: Any) -> Any:
        if len(laid) == 2:
            raise KeyboardInterrupt
        return real(*args, **given)

    with monkeypatch.context() as patch:
        patch.setattr(placing, "fit_masks", interrupted)
        with pytest.raises(KeyboardInterrupt):
            worn(FACES, PlacementCache(tmp_path))
    assert len(laid) == 2
    photos = worn(FACES, PlacementCache(tmp_path))
    assert len(laid) == 4
    assert same_batches(photos, worn(FACES))


def test_what_another_run_was_first_with_is_not_laid_again(
    tmp_path: Path, laid: list[int], monkeypatch: pytest.MonkeyPatch
):
    """Two ranks that begin at the same time: this one with the third photo, and then the other is done."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    real, order = placing.Placer.place, []

    def place(self: placing.Placer, crop: FaceCrop) -> Any:
        order.append(crop.source.name)
        if len(order) == 1:
            monkeypatch.setenv("LOCAL_RANK", "0")
            worn(FACES, PlacementCache(tmp_path))
        return real(self, crop)

    monkeypatch.setattr(placing.Placer, "place", place)
    photos = worn(FACES, PlacementCache(tmp_path))
    assert order == ["2.png", "0.png", "1.png", "2.png", "3.png"]  # the third by both, which had begun it
    assert same_batches(photos, worn(FACES))


@pytest.mark.slow
def test_several_processes_lay_the_same_masks(tmp_path: Path):
    lost = dataclasses.replace(FACES[0], landmarks=FACES[0].landmarks * 0 + 5, sha256="0" * 64)
    photos = worn([*FACES, lost], PlacementCache(tmp_path), processes=2)
    assert same_batches(photos, worn(FACES))
    assert [one.source for one in photos.omissions] == [lost.source]


@pytest.mark.parametrize("harm", ["deleted", "cut", "flipped"])
def test_a_file_lost_during_a_run_is_made_again(tmp_path: Path, laid: list[int], harm: str):
    photos = worn(FACES, PlacementCache(tmp_path))
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        {
            "deleted": path.unlink,
            "cut": lambda path=path: path.write_bytes(b""),
            "flipped": lambda path=path, content=content: path.write_bytes(bytes(x ^ 1 for x in content)),
        }[harm]()
    expected = worn(FACES)
    before = len(laid)
    for _ in range(2):
        for photo in range(4):
            for way in range(2):
                assert same(photos.placements.get(photo, way), expected.placements.get(photo, way))
    assert len(laid) == before + 4  # once for each


def test_without_a_folder_to_write_to_placements_stay_in_memory(tmp_path: Path, laid: list[int]):
    (tmp_path / "file").write_bytes(b"")
    photos = worn(FACES, PlacementCache(tmp_path / "file" / "placements"))
    assert same_batches(photos, worn(FACES))
    assert len(laid) == 8


@pytest.mark.parametrize("cached", [True, False])
def test_photos_without_a_place_for_a_mask_are_left_out(tmp_path: Path, cached: bool):
    bad = face(9, landmarks=face().landmarks[[2, 0, 1, 4, 3]])
    crops = [bad, FACES[0], bad, FACES[1]]
    for _ in range(2):
        photos = worn(crops, PlacementCache(tmp_path) if cached else None)
        assert photos.crops == (FACES[0], FACES[1])
        assert [one.source for one in photos.omissions] == [bad.source] * 2
        assert same_batches(photos, worn(FACES[:2]))
    with pytest.raises(PhotoError, match=r"none of the photos \(9\.png"):
        worn([bad], PlacementCache(tmp_path))


def test_pictures_are_channels_last_floats():
    photos = worn(FACES)
    for chosen in ([2, 0, 2], [1], range(4)):
        pictures = photos.pictures(chosen)
        assert pictures.dtype == torch.float32
        assert pictures.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(pictures, torch.stack([FACES[i].as_float() for i in chosen]))
        assert torch.equal(photos.landmarks(chosen), torch.stack([FACES[i].landmarks for i in chosen]))


def test_the_progress_bar_tells_what_came_from_the_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    worn(FACES[:2], PlacementCache(tmp_path), progress=True)
    assert "from the cache" not in capsys.readouterr().err
    worn(FACES[:3], PlacementCache(tmp_path), progress=True)
    assert "2 from the cache" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the memory figures of Linux")
def test_memory_does_not_grow_with_the_number_of_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    large = placement(pixels=12_000, pyramid=MipPyramid(400, 600))  # 0.2 MB
    monkeypatch.setattr(placing.Placer, "place", lambda self, crop: (large, large))
    crops = [dataclasses.replace(FACES[0], sha256=f"{i:064}") for i in range(200)]

    def grown(count: int) -> int:
        photos = worn(crops[:count], PlacementCache(tmp_path / str(count)), processes=1)
        before = anonymous_kb()
        for first in range(0, count, 4):
            rows = range(first, first + 4)
            photos.packed(rows, [0, 1, 0, 1])
            photos.pictures(rows)
        return anonymous_kb() - before

    grown(20)
    assert grown(200) < 8_000  # 80 MB of placements


def test_the_fit_of_the_poses_is_said_and_grows_with_noise() -> None:
    def median(crops: list[FaceCrop]) -> float:
        return float(worn(crops, ways=1).fit().split()[2])

    shaken = [dataclasses.replace(one, landmarks=one.landmarks + 3 * torch.randn(5, 2)) for one in FACES]
    assert "4 photos" in worn(FACES, ways=1).fit()
    assert median(FACES[:1]) < median(shaken[:1])
    assert median(FACES) < median(shaken)
