"""One process of a run embeds the photos, and the others read."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pytorch_lightning.utilities import rank_zero_only

from advmask.core.errors import RunError
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import embed_crops
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training import shared_embeddings
from advmask.training.settings import TrainSettings
from advmask.training.shared_embeddings import SharedEmbeddings

Build = Callable[..., TrainSettings]


def test_the_others_read_what_the_first_one_made(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = several = tiny_settings(devices=2)
    crops, recognizers = load_faces(settings.faces).crops, build_recognizers(settings.recognizers)
    expected = embed_crops(recognizers, crops)
    first = SharedEmbeddings(tmp_path, several)
    assert torch.equal(first(recognizers, crops)[0], expected[0])
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o077 == 0 or sys.platform == "win32"

    monkeypatch.setattr(rank_zero_only, "rank", 1, raising=False)
    monkeypatch.setattr(shared_embeddings, "embed_crops", None)
    other = SharedEmbeddings(tmp_path, several, patience_s=0)
    assert torch.equal(other(recognizers, crops)[0], expected[0])
    # Where no crop is kept each process finds landmarks of its own, with other last bits on other devices.
    moved = [replace(crop, landmarks=crop.landmarks + 1e-5) for crop in crops]
    assert torch.equal(other(recognizers, moved)[0], expected[0])
    patient = SharedEmbeddings(tmp_path, several)
    with pytest.raises(RunError, match=r"has embedded other photos.*start again"):
        patient(recognizers, crops[1:])
    resized = several.model_copy(update={"faces": several.faces.model_copy(update={"size": 113})})
    with pytest.raises(RunError, match="has embedded other photos"):
        SharedEmbeddings(tmp_path, resized)(recognizers, crops)
    with other:
        pass
    assert list(tmp_path.iterdir())
    monkeypatch.setattr(rank_zero_only, "rank", 0, raising=False)
    with first:
        pass
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(rank_zero_only, "rank", 1, raising=False)
    with pytest.raises(RunError, match="Start the run again"):
        other(recognizers, crops)


def test_what_a_killed_run_has_left_is_deleted(tiny_settings: Build, tmp_path: Path) -> None:
    (tmp_path / "embeddings.safetensors").write_bytes(b"left")
    with SharedEmbeddings(tmp_path, tiny_settings(devices=2)):
        assert not list(tmp_path.iterdir())


def test_a_process_by_itself_writes_nothing(tiny_settings: Build, tmp_path: Path) -> None:
    settings = tiny_settings()
    crops, recognizers = load_faces(settings.faces).crops, build_recognizers(settings.recognizers)
    SharedEmbeddings(tmp_path, settings)(recognizers, crops)
    assert not list(tmp_path.iterdir())
