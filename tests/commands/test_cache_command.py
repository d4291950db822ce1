"""`advmask cache`: shows and clears crops and placements, and nothing else."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf
from placement_samples import face, placement

from advmask.commands import cache
from advmask.core.errors import ConfigError
from advmask.photos.crop_cache import CachedCrop, CropCache, crop_cache
from advmask.photos.settings import FacesSettings
from advmask.wearing.placement_cache import PlacementCache, placement_cache


def fill(settings: FacesSettings) -> None:
    crop = face()
    known = CachedCrop(crop.picture, crop.landmarks, crop.transform, crop.face_px, 1, crop.photo_size)
    for number in range(3):
        crop_cache(settings).put(f"{number:064}", {}, known)
    for number in range(2):
        placement_cache(settings).put(f"{number:064}", [placement()])


@pytest.mark.parametrize("own", [True, False])
def test_both_caches_are_shown_and_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own: bool
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    folder = tmp_path / "own" if own else None
    fill(FacesSettings(cache=True))
    fill(FacesSettings(cache=tmp_path / "own"))
    given = {"folder": str(folder) if own else None}
    cache.run(OmegaConf.create({"action": "show", **given}))
    shown = capsys.readouterr().out
    assert "crops of 3 photos" in shown
    assert "2 masks placed on photos" in shown
    assert "biometric" in shown
    assert (str(tmp_path / "own") in shown) == own

    cache.run(OmegaConf.create({"action": "clear", **given}))
    cleared = capsys.readouterr().out.splitlines()
    assert [line.rsplit(": ")[-1] for line in cleared] == ["3 deleted", "2 deleted"]
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(left) == 4 * len({path.parent for path in left}) / 2  # of the other folder
    assert all(path.is_relative_to(tmp_path / "own") != own for path in left)


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    cache.run(OmegaConf.create({"action": "show", "folder": str(tmp_path / "nothing")}))
    assert "crops of 0 photos" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    assert CropCache(tmp_path).clear() == PlacementCache(tmp_path).clear() == 0


def test_the_home_folder_may_be_written_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(FacesSettings(cache=tmp_path / "crops"))
    cache.run(OmegaConf.create({"action": "show", "folder": "~/crops"}))
    assert "crops of 3 photos" in capsys.readouterr().out


def test_another_word_is_refused():
    with pytest.raises(ConfigError, match="write show or clear"):
        cache.run(OmegaConf.create({"action": "empty", "folder": None}))
