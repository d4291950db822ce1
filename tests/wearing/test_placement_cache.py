"""The cache of placements: nothing stale, nothing half, nothing beyond its limit."""

import dataclasses
import logging
import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from placement_samples import anonymous_kb, face, placement, same

from advmask.core.errors import RunError
from advmask.masks.folds import Fold
from advmask.masks.placement import Wear
from advmask.photos.settings import FacesSettings
from advmask.render.batching import collate
from advmask.render.pyramid import MipPyramid
from advmask.render.settings import RenderSettings
from advmask.wearing.placement_cache import (
    PlacementCache,
    default_placement_folder,
    placement_cache,
    placement_key,
)

FRESH = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEY, OTHER = "ab" * 32, "cd" * 32
FOLD = Fold(left=True, start=0.2, end=(0.5, 0.6), height_mm=1.0, width_mm=3.0)


def keyed(**changes: Any) -> str:
    given = {
        "crop": face(dense=torch.zeros(468, 3), occluder=torch.zeros(112, 112, dtype=torch.uint8)),
        "surface_sha256": "ef" * 32,
        "wears": [Wear(), Wear(shift_mm=(1.0, 2.0), folds=(FOLD,))],
        "texels_per_mm": 3.0,
        "render": RenderSettings(),
    } | changes
    return placement_key(given.pop("crop"), **given)


def age(path: Path, seconds: float) -> None:
    about = path.stat()
    os.utime(path, (about.st_atime - seconds, about.st_mtime - seconds))


def test_what_is_put_comes_back(tmp_path: Path):
    assert PlacementCache(tmp_path / "c").put(KEY, [placement(0), placement(1)])
    again = PlacementCache(tmp_path / "c")
    assert again.holds(KEY, 2)
    assert not again.holds(KEY, 3)
    assert not again.holds(OTHER, 2)
    for way in range(2):
        found = again.get(KEY, way)
        assert found is not None
        assert same(found, placement(way))
    assert again.get(KEY, 2) is None
    assert again.get(OTHER, 0) is None


def test_a_key_is_a_function_of_values():
    assert keyed() == keyed()
    crop = face(dense=torch.zeros(468, 3), occluder=torch.zeros(112, 112, dtype=torch.uint8))
    elsewhere = dataclasses.replace(crop, person="somebody else", source=Path("/elsewhere/x.png"))
    assert keyed(crop=elsewhere) == keyed()
    assert keyed(crop=dataclasses.replace(crop, picture=crop.picture.clone())) == keyed()


def _crop_changes() -> list[dict[str, Any]]:
    dark = face().picture.clone()
    dark[0, 0, 0] ^= 1
    moved = face().landmarks.clone()
    moved[0, 0] += 1e-4
    return [
        {"picture": dark},
        {"landmarks": moved},
        {"transform": 2 * face().transform},
        {"face_px": 28.5},
        {"sha256": OTHER},
        {"photo_size": (112, 113)},
        {"dense": None},
        {"dense": torch.ones(468, 3)},
        {"occluder": None},
        {"occluder": torch.ones(112, 112, dtype=torch.uint8)},
    ]


@pytest.mark.parametrize("change", _crop_changes(), ids=lambda change: next(iter(change)))
def test_another_photo_has_another_key(change: dict[str, Any]):
    crop = face(dense=torch.zeros(468, 3), occluder=torch.zeros(112, 112, dtype=torch.uint8))
    assert keyed(crop=dataclasses.replace(crop, **change)) != keyed()


FOLDED = Wear(shift_mm=(1.0, 2.0), folds=(FOLD,))
OTHER_RENDER = [
    {"supersample": 3}, {"tolerance": 0.01}, {"edge_px": 0.8}, {"shading": False}, {"ear_loops": False}
]  # fmt: skip
OTHER_WEARS = [
    [Wear()],
    [Wear(), Wear(), Wear()],
    [FOLDED, Wear()],
    [Wear(), dataclasses.replace(FOLDED, shift_mm=(1.0, 2.0000001))],
    [Wear(), dataclasses.replace(FOLDED, tilt_deg=0.1)],
    [Wear(), dataclasses.replace(FOLDED, scale=1.01)],
    [Wear(), dataclasses.replace(FOLDED, folds=())],
    [Wear(), dataclasses.replace(FOLDED, folds=(FOLD, FOLD))],
    [Wear(), dataclasses.replace(FOLDED, folds=(dataclasses.replace(FOLD, end=(0.5, 0.61)),))],
]


@pytest.mark.parametrize(
    "change",
    [
        {"surface_sha256": OTHER},
        {"texels_per_mm": 3.0000001},
        *({"render": RenderSettings.build(values)} for values in OTHER_RENDER),
        *({"wears": wears} for wears in OTHER_WEARS),
    ],
)
def test_other_settings_have_another_key(change: dict[str, Any]):
    assert keyed(**change) != keyed()


@pytest.mark.parametrize("what", ["FORMAT_VERSION", "PLACING_VERSION"])
def test_another_version_has_another_key(monkeypatch: pytest.MonkeyPatch, what: str):
    before = keyed()
    monkeypatch.setattr(f"advmask.wearing.placement_cache.{what}", 99)
    assert keyed() != before


def test_a_flipped_weight_is_absence_where_it_lies_and_is_replaced(tmp_path: Path):
    PlacementCache(tmp_path).put(KEY, [placement(3), placement(4)])
    (path,) = tmp_path.glob("*.data")
    content = path.read_bytes()
    at = content.index(placement(4).taps.weight.numpy().tobytes())
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    cache = PlacementCache(tmp_path)
    assert same(cache.get(KEY, 0), placement(3))
    assert cache.get(KEY, 1) is None
    cache.put(KEY, [placement(3), placement(4)])
    assert same(cache.get(KEY, 1), placement(4))


def test_what_is_cut_off_is_absence(tmp_path: Path):
    PlacementCache(tmp_path).put(KEY, [placement(0)])
    (path,) = tmp_path.glob("*.data")
    path.write_bytes(path.read_bytes()[:-1])
    assert not PlacementCache(tmp_path).holds(KEY, 1)


@FRESH
@given(sizes=st.lists(st.integers(0, 30), min_size=1, max_size=9), seed=st.integers(0, 1000))
def test_placements_of_every_size_come_back(tmp_path: Path, sizes: list[int], seed: int):
    placements = [placement(seed + i, pixels=size) for i, size in enumerate(sizes)]
    cache = PlacementCache(tmp_path)
    cache.put(KEY, placements)
    for way, expected in enumerate(placements):
        assert same(cache.get(KEY, way), expected)


def test_a_mapped_placement_is_collated_like_its_original(tmp_path: Path):
    placements = [placement(i) for i in range(4)]
    cache = PlacementCache(tmp_path)
    cache.put(KEY, placements)
    mapped = [found for way in range(4) if (found := cache.get(KEY, way)) is not None]
    assert same(collate(mapped, height=112, width=112), collate(placements, height=112, width=112))


def test_a_mapped_placement_outlives_its_file_and_cannot_change_it(tmp_path: Path):
    cache = PlacementCache(tmp_path)
    cache.put(KEY, [placement(5)])
    first = cache.get(KEY, 0)
    assert first is not None
    first.under.zero_()
    found = PlacementCache(tmp_path).get(KEY, 0)
    cache.clear()
    assert found is not None
    assert same(found, placement(5))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the memory figures of Linux")
def test_placements_lie_in_their_files_and_not_in_memory(tmp_path: Path):
    pyramid = MipPyramid(400, 600)
    large = [placement(i, pixels=12_000, pyramid=pyramid) for i in range(3)]  # 0.2 MB each
    cache = PlacementCache(tmp_path)
    keys = [f"{i:064}" for i in range(20)]
    for key in keys:
        cache.put(key, large * 4)
    cache.get(keys[0], 1)
    before = anonymous_kb()
    kept = [found for key in keys for way in range(12) if (found := cache.get(key, way)) is not None]
    assert sum(item.bytes for item in kept) > 60_000_000
    assert anonymous_kb() - before < 6_000
    assert same(kept[-1], large[-1])


def test_no_folder_keeps_nothing():
    cache = PlacementCache(None)
    assert not cache.put(KEY, [placement()])
    assert not cache.holds(KEY, 1)
    assert cache.get(KEY, 0) is None
    assert (cache.size(), cache.clear(), cache.prune()) == ((0, 0), 0, 0)


def test_an_unwritable_folder_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "file").write_bytes(b"")
    cache = PlacementCache(tmp_path / "file" / "placements")  # not even root can make a folder in a file
    with caplog.at_level(logging.WARNING):
        assert [cache.put(f"{i:064}", [placement(i)]) for i in range(3)] == [False] * 3
    (record,) = caplog.records
    assert str(tmp_path) in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_folder_that_can_only_be_read_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    PlacementCache(tmp_path).put(KEY, [placement()])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "utime", refuse)
    cache = PlacementCache(tmp_path)
    assert cache.holds(KEY, 1)
    assert cache.get(KEY, 0) is not None


def test_the_folder_is_for_its_owner(tmp_path: Path):
    before = os.umask(0)
    try:
        PlacementCache(tmp_path / "new").put(KEY, [placement()])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def shard_of(folder: Path, key: str) -> Path:
    """A shard with nothing but the placements under a key, and its size with its index."""
    before = set(folder.glob("*.data"))
    PlacementCache(folder, full_bytes=1).put(key, [placement()])
    (path,) = set(folder.glob("*.data")) - before
    return path


def test_pruning_deletes_what_was_not_used_for_longest(tmp_path: Path):
    keys = [f"{i:064}" for i in range(6)]
    paths = [shard_of(tmp_path, key) for key in keys]
    each = PlacementCache(tmp_path).size()[1] // 6
    for i, path in enumerate(paths):
        age(path, 1000 - 100 * i)
    (tmp_path / "weights.safetensors").write_bytes(b"precious" * 1000)

    cache = PlacementCache(tmp_path, limit_bytes=3 * each, unused_s=100)
    assert cache.holds(keys[0], 1)  # the oldest is in use
    assert cache.prune() == 3 * each
    assert [path.exists() for path in paths] == [True, False, False, False, True, True]
    assert cache.prune() == 0
    assert [PlacementCache(tmp_path).holds(key, 1) for key in keys[:2]] == [True, False]
    del cache
    greedy = PlacementCache(tmp_path, limit_bytes=each, unused_s=0, full_bytes=1)
    for key in keys[1:3]:
        greedy.put(key, [placement()])
    greedy.prune()
    assert [key for key in keys if PlacementCache(tmp_path).holds(key, 1)] == keys[1:3]  # more than the limit
    assert (tmp_path / "weights.safetensors").exists()


def test_runs_that_share_a_folder_beyond_its_limit_leave_each_others_files_for_a_day(tmp_path: Path):
    faces = FacesSettings(cache=tmp_path, cache_gb=1e-9)
    one, two = placement_cache(faces), placement_cache(faces)
    for cache, key in ((one, KEY), (two, OTHER)):
        cache.put(key, [placement()])
        cache.prune()
    paths = list((tmp_path / "placements").glob("*.data"))
    assert placement_cache(faces).size()[0] == 2
    for path in paths:
        age(path, 100_000)
    assert placement_cache(faces).prune() == 0  # in use still, however long ago they began
    del one, two, cache
    assert placement_cache(faces).prune() > 0
    assert placement_cache(faces).size() == (0, 0)


def test_use_by_another_process_makes_a_file_young(tmp_path: Path):
    for key in (KEY, OTHER):
        age(shard_of(tmp_path, key), 1000 if key == OTHER else 5000)
    PlacementCache(tmp_path).holds(KEY, 1)
    _, taken = PlacementCache(tmp_path).size()
    PlacementCache(tmp_path, limit_bytes=taken - 1, unused_s=100).prune()
    assert PlacementCache(tmp_path).holds(KEY, 1)
    assert not PlacementCache(tmp_path).holds(OTHER, 1)


def test_a_disk_nearly_full_is_said_once_and_older_files_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    room = 1_300

    def usage(folder: Path) -> SimpleNamespace:
        return SimpleNamespace(free=room + 10_000 - sum(path.stat().st_size for path in folder.iterdir()))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    PlacementCache(tmp_path, spare_bytes=10_000).put(OTHER, [placement()])
    assert room / 2 < PlacementCache(tmp_path).size()[1] < room  # so that there is room for one
    cache = PlacementCache(tmp_path, spare_bytes=10_000)
    with caplog.at_level(logging.WARNING):
        assert cache.put(KEY, [placement()])
        assert not caplog.records
        assert not cache.holds(OTHER, 1)
        assert [cache.put(f"{i:064}", [placement()]) for i in range(3)] == [False] * 3
    (record,) = caplog.records
    assert "free some of it" in record.getMessage()
    assert cache.holds(KEY, 1)


def test_size_and_clear_touch_only_placements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache = PlacementCache(tmp_path)
    assert PlacementCache(tmp_path / "gone").size() == (0, 0)
    cache.put(KEY, [placement()])
    cache.put(OTHER, [placement()])
    taken = sum(path.stat().st_size for path in tmp_path.iterdir())
    (tmp_path / "crop-1.safetensors").write_bytes(b"precious")
    (tmp_path / "placements-of-an-earlier-version.safetensors").write_bytes(bytes(100))
    assert cache.size() == (2, taken + 100)
    assert cache.clear() == 2
    assert [path.name for path in tmp_path.iterdir()] == ["crop-1.safetensors"]
    cache.put(KEY, [placement()])

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(RunError, match="Cannot delete"):
        cache.clear()


def test_placements_go_where_crops_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    placement_cache(FacesSettings(cache=tmp_path / "own")).put(KEY, [placement()])
    assert [path.parent for path in tmp_path.rglob("*.data")] == [tmp_path / "own" / "placements"]
    placement_cache(FacesSettings()).put(OTHER, [placement()])
    assert PlacementCache(default_placement_folder()).holds(OTHER, 1)
    assert default_placement_folder().is_relative_to(tmp_path)
    assert not placement_cache(FacesSettings(cache=False)).put(KEY, [placement()])
