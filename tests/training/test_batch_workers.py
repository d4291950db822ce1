"""Batches and draws made by other processes ahead of the steps: the same design, and nobody waits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_chain import drawer

from advmask.effects.settings import HolesSettings, WearSettings, default_effects
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import FaceSet, load_faces
from advmask.textures.texel_files import load_texels
from advmask.training import loop, machine, run
from advmask.training.data import StepData
from advmask.training.run import train
from advmask.training.settings import TrainerSettings, TrainSettings
from advmask.wearing.held_photos import HeldPhotos
from advmask.wearing.worn_photos import WornPhotos, wear_masks

Build = Callable[..., TrainSettings]


def test_workers_and_photos_on_the_device_change_nothing(tiny_settings: Build, tmp_path: Path) -> None:
    """Bit by bit, over several stretches, under the default effects and a printer's, with holes."""
    for workers, held in ((0, 0), (2, 0), (0, 1), (2, 1)):
        settings = tiny_settings(
            steps=5, checkpoint_every=2, preview_every=0, validate_every=4, workers=workers, device_gb=held
        )
        settings = settings.model_copy(update={"effects": default_effects(), "holes": HolesSettings(most=3)})
        train(settings, folder=tmp_path / f"{workers} {held}")
    alone, *others = (load_texels(each / "texture.safetensors") for each in sorted(tmp_path.iterdir()))
    assert len(others) == 3
    assert all(torch.equal(alone, other) for other in others)
    assert float((alone - 0.5).abs().max()) > 0.05
    assert len({(each / "metrics.csv").read_text() for each in tmp_path.iterdir()}) == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_of_a_stretch_come_in_order(tiny_settings: Build, workers: int) -> None:
    settings = tiny_settings()
    photos = wear_masks(
        load_faces(settings.faces).crops,
        build_mask(settings.mask),
        wear=WearSettings(),
        ways=2,
        texels_per_mm=1.0,
        render=settings.render,
        seed=0,
        stream="train",
    )
    data = StepData(photos, drawer(default_effects()), batch=3, seed=0, stretch=6, workers=workers)
    loader = data.train_dataloader()
    for _ in range(2):  # the processes stay from stretch to stretch
        batches = list(loader)
        assert [batch.step for batch in batches] == list(range(6))
        for batch in batches:
            again = data.part(batch.step, first=0, count=3)
            assert torch.equal(batch.pictures, again.pictures)
            assert batch.drawn.camera.sensor is not None
            assert again.drawn.camera.sensor is not None
            assert torch.equal(batch.drawn.camera.sensor.key, again.drawn.camera.sensor.key)


def test_photos_are_held_on_the_device_of_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer's own, which under SLURM is not the first of a machine."""
    second, held_on = torch.device("cuda", 1), []
    monkeypatch.setattr(loop, "hold", lambda _, device, budget_bytes: held_on.append((device, budget_bytes)))
    loop._held(None, None, TrainerSettings(device_gb=1.0), second)  # type: ignore[arg-type]
    assert held_on == [(second, 1e9)]
    asked = TrainerSettings(device_gb=1.0)
    assert loop._held(None, None, asked, torch.device("mps")) == (None, None)  # type: ignore[arg-type]
    assert len(held_on) == 1


def test_a_run_on_the_cpu_holds_and_finds_on_the_cpu(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though faces.device=auto would take a GPU."""
    found_on, held_on = [], []
    real_faces, real_hold = run.load_faces, loop.hold

    def faces(*given: Any, **named: Any) -> FaceSet:
        found_on.append(named["device"])
        return real_faces(*given, **named)

    def held(photos: WornPhotos, device: torch.device, **named: Any) -> HeldPhotos | None:
        held_on.append(device)
        return real_hold(photos, device, **named)

    monkeypatch.setattr(run, "load_faces", faces)
    monkeypatch.setattr(loop, "hold", held)
    monkeypatch.setattr(loop, "bytes_to_hold", lambda settings, device: 1e9)
    run.train(tiny_settings(steps=1, preview_every=0), folder=tmp_path / "run")
    assert found_on == held_on == [torch.device("cpu")]


@pytest.mark.parametrize(
    ("asked", "kind", "taken"),
    [("auto", "cuda", 3e9), ("auto", "cpu", 0), (2.5, "cpu", 2.5e9), ("auto", "mps", 0), (2.5, "mps", 0)],
)
def test_half_of_a_free_gpu_is_taken_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, asked: object, kind: str, taken: float
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (6 * 10**9, 8 * 10**9))
    asked_for = TrainerSettings.build({"device_gb": asked})
    assert machine.bytes_to_hold(asked_for, torch.device(kind)) == taken
