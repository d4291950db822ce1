"""The cache: true to what was put in, deaf to damage, harmless when it cannot write."""

import dataclasses
import logging
import os
import stat
from pathlib import Path

import pytest
import torch

from advmask.core.errors import RunError
from advmask.photos.crop_cache import CachedCrop, CachedFailure, CropCache, default_crop_folder

PHOTO = "ab" * 32
RECIPE: dict[str, str | int | float] = {"size": 112, "min_probability": 0.9, "detector": "mtcnn"}
FAILURE = CachedFailure("No face was found — 没有.")


def crop(seed: int = 0) -> CachedCrop:
    generator = torch.Generator().manual_seed(seed)
    return CachedCrop(
        picture=torch.randint(0, 256, (3, 12, 12), generator=generator, dtype=torch.uint8),
        landmarks=torch.randn(5, 2, generator=generator),
        transform=torch.randn(2, 3, generator=generator, dtype=torch.float64),
        face_px=40.1 + seed,
        faces=2,
        photo_size=(300, 200 + seed),
    )


def full_crop(seed: int = 0) -> CachedCrop:
    generator = torch.Generator().manual_seed(seed)
    return dataclasses.replace(
        crop(seed),
        dense=torch.randn(468, 3, generator=generator),
        occluder=torch.randint(0, 256, (12, 12), generator=generator, dtype=torch.uint8),
    )


def same(one: object, other: CachedCrop) -> bool:
    return (
        isinstance(one, CachedCrop)
        and all(
            getattr(one, name).dtype == getattr(other, name).dtype
            and torch.equal(getattr(one, name), getattr(other, name))
            for name in ("picture", "landmarks", "transform")
        )
        and all(
            (getattr(one, name) is None) == (getattr(other, name) is None)
            and (getattr(one, name) is None or torch.equal(getattr(one, name), getattr(other, name)))
            for name in ("dense", "occluder")
        )
        and (one.face_px, one.faces, one.photo_size) == (other.face_px, other.faces, other.photo_size)
    )


def test_what_is_put_comes_back(tmp_path: Path) -> None:
    CropCache(tmp_path / "c").put(PHOTO, RECIPE, crop())
    again = CropCache(tmp_path / "c")
    assert same(again.get(PHOTO, dict(reversed(RECIPE.items()))), crop())
    again.put(PHOTO, {**RECIPE, "size": 224}, FAILURE)
    assert again.get(PHOTO, {**RECIPE, "size": 224}) == FAILURE
    assert same(again.get(PHOTO, RECIPE), crop())
    again.put(PHOTO, RECIPE, full_crop())
    assert same(again.get(PHOTO, RECIPE), full_crop())


@pytest.mark.parametrize("change", [{"size": 113}, {"min_probability": 0.91}, {"detector": "x"}, {"more": 1}])
def test_other_settings_and_other_photos_are_unknown(
    tmp_path: Path, change: dict[str, str | int | float]
) -> None:
    cache = CropCache(tmp_path)
    cache.put(PHOTO, RECIPE, crop())
    assert cache.get(PHOTO, {**RECIPE, **change}) is None
    assert cache.get("cd" * 32, RECIPE) is None


def test_a_new_format_forgets_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = CropCache(tmp_path)
    cache.put(PHOTO, RECIPE, crop())
    monkeypatch.setattr("advmask.photos.crop_cache.FORMAT_VERSION", -1)
    assert cache.get(PHOTO, RECIPE) is None


@pytest.mark.parametrize("value", [crop(), full_crop(), FAILURE])
def test_damage_is_absence(tmp_path: Path, value: CachedCrop | CachedFailure) -> None:
    """What damage there may be is tried in tests/core/test_shards.py."""
    cache = CropCache(tmp_path)
    cache.put(PHOTO, RECIPE, value)
    (path,) = tmp_path.glob("*.data")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # tensors lie at the end
    path.write_bytes(content)
    assert cache.get(PHOTO, RECIPE) is None
    cache.put(PHOTO, RECIPE, crop(1))
    assert same(cache.get(PHOTO, RECIPE), crop(1))


def test_no_folder_keeps_nothing() -> None:
    cache = CropCache(None)
    cache.put(PHOTO, RECIPE, crop())
    assert cache.get(PHOTO, RECIPE) is None
    assert cache.size() == (0, 0)
    assert cache.clear() == 0


def test_unwritable_folder_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = CropCache(tmp_path / "file" / "crops")  # not even root can make a folder in a file
    with caplog.at_level(logging.WARNING):
        for seed in range(3):
            cache.put(f"{seed:064}", RECIPE, crop(seed))
            assert cache.get(f"{seed:064}", RECIPE) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(tmp_path) in record.getMessage()
    assert "\n" not in record.getMessage()


def test_the_folder_is_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "crops"
    before = os.umask(0)
    try:
        CropCache(folder).put(PHOTO, RECIPE, crop())
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = default_crop_folder()
    assert folder.name == "crops"
    assert folder.parent.name == "advmask"


def test_size_and_clear_touch_only_crops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = CropCache(tmp_path)
    assert CropCache(tmp_path / "gone").size() == (0, 0)
    cache.put(PHOTO, RECIPE, crop())
    cache.put("cd" * 32, RECIPE, FAILURE)
    mine = list(tmp_path.iterdir())
    mine.append(tmp_path / "crop-of-an-earlier-version.safetensors")
    mine[-1].write_bytes(bytes(100))
    (tmp_path / "weights.safetensors").write_bytes(b"precious")
    assert cache.size() == (2, sum(path.stat().st_size for path in mine))
    assert cache.clear() == 2
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]
    cache.put(PHOTO, RECIPE, crop())

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(RunError, match="Cannot delete"):
        cache.clear()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the memory figures of Linux")
def test_crops_are_mapped_and_not_held_in_memory(tmp_path: Path) -> None:
    def anonymous_kb() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

    cache = CropCache(tmp_path)
    picture = torch.randint(0, 256, (3, 1024, 1024), dtype=torch.uint8)  # 3 MB
    for number in range(20):
        cache.put(PHOTO, {**RECIPE, "number": number}, dataclasses.replace(crop(), picture=picture))
    assert cache.get(PHOTO, {**RECIPE, "number": 0}) is not None
    before = anonymous_kb()
    kept = [cache.get(PHOTO, {**RECIPE, "number": number}) for number in range(20)]
    assert anonymous_kb() - before < 6_000  # 60 MB of pictures
    assert all(isinstance(one, CachedCrop) and torch.equal(one.picture, picture) for one in kept)


def test_writing_to_a_mapped_crop_leaves_the_file_alone(tmp_path: Path) -> None:
    cache = CropCache(tmp_path)
    cache.put(PHOTO, RECIPE, crop())
    found = cache.get(PHOTO, RECIPE)
    assert isinstance(found, CachedCrop)
    cache.clear()
    assert same(found, crop())  # the mapping outlives the file
    cache.put(PHOTO, RECIPE, crop())
    found = cache.get(PHOTO, RECIPE)
    assert isinstance(found, CachedCrop)
    found.picture.zero_()
    assert same(CropCache(tmp_path).get(PHOTO, RECIPE), crop())
