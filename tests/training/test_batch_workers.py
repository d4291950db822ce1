"""Batches and draws made by other processes ahead of the steps: the same design, and nobody waits."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_chain import drawer

from advmask.effects.settings import HolesSettings, WearSettings, default_effects
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import load_faces
from advmask.textures.texel_files import load_texels
from advmask.training.data import StepData
from advmask.training.run import train
from advmask.training.settings import TrainSettings
from advmask.wearing.worn_photos import wear_masks

Build = Callable[..., TrainSettings]


def test_workers_change_nothing(tiny_settings: Build, tmp_path: Path) -> None:
    """Bit by bit, over several stretches, under the default effects and a printer's, with holes."""
    for workers in (0, 2):
        settings = tiny_settings(steps=5, checkpoint_every=2, preview_every=0, workers=workers)
        settings = settings.model_copy(update={"effects": default_effects(), "holes": HolesSettings(most=3)})
        train(settings, folder=tmp_path / str(workers))
    alone, ahead = (load_texels(tmp_path / name / "texture.safetensors") for name in ("0", "2"))
    assert torch.equal(alone, ahead)
    assert float((alone - 0.5).abs().max()) > 0.05
    logs = [(tmp_path / name / "metrics.csv").read_text() for name in ("0", "2")]
    assert logs[0] == logs[1]


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
