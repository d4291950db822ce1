"""A step in parts: the same draws, the same gradient; and what happens when memory runs out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from advmask.core.errors import ConfigError, RunError
from advmask.effects.settings import EffectsSettings
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import FaceSet, load_faces
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings, VariationSettings
from advmask.training.data import StepData
from advmask.training.module import DesignModule
from advmask.training.run import train
from advmask.training.settings import TrainSettings
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import SceneDrawer, seeded
from advmask.wearing.worn_photos import wear_masks

Build = Callable[..., TrainSettings]

EVERYTHING: dict[str, Any] = {
    "wear": {"shift_mm": 3.0, "tilt_deg": 3.0},
    "fabric": {
        "white": 0.15, "base": 0.04, "sheen": 0.06, "translucency": 0.08, "shade": 0.2, "tint": 0.04,
        "weave": 0.1, "wrinkles": 0.06,
    },
    "light": {"direction": 0.6, "temperature_k": [4200, 9000], "shadow": 0.6, "shadow_share": 0.5},
    "camera": {
        "optics": {"eyes_px": [15, 28], "focus_px": 0.8},
        "sensor": {"noise": 0.05},
        "motion": {"length_px": 3.0, "share": 0.5},
        "tone": {"exposure_ev": 0.5, "temperature_ev": 0.2, "colour_ev": 0.1, "contrast": 0.2, "curve": 0.2},
        "sharpening": {"amount": 1.0, "share": 0.5},
        "jpeg": {"quality": [35, 95], "share": 0.5},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def faces(tiny_settings: Build) -> FaceSet:
    return load_faces(tiny_settings().faces)


def _data(settings: TrainSettings, faces: FaceSet, effects: EffectsSettings, *, batch: int) -> StepData:
    photos = wear_masks(
        faces.crops,
        build_mask(settings.mask),
        wear=effects.wear,
        ways=4,
        texels_per_mm=1.0,
        render=settings.render,
        seed=0,
        stream="train",
    )
    printer = Printer(PrinterSettings(varies=VariationSettings(ink=0.1, grain=0.05)), texels_per_mm=1.0)
    drawer = SceneDrawer(effects.active(), printer, seeded(0, "train"), (Haze(),))
    return StepData(photos, drawer, batch=batch, seed=0, stretch=3)


class Haze:
    """An effect of the user's own."""

    def draw(self, batch: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"haze": torch.rand((batch, 1, 1, 1), generator=generator)}

    def apply(self, pictures: Tensor, record: dict[str, Tensor]) -> Tensor:
        return pictures + record["haze"] * (0.7 - pictures)


@pytest.mark.parametrize(("batch", "count"), [(6, 3), (6, 2), (6, 1), (7, 4)])
def test_parts_of_a_scene_are_the_whole_scene(tiny_settings: Build, faces: FaceSet, batch: int, count: int):
    """All effects, on sensors of different sizes: noise, streaks and blocks of JPEG included."""
    settings, effects = tiny_settings(), EffectsSettings.build(EVERYTHING)
    data = _data(settings, faces, effects, batch=batch)
    varies = VariationSettings(ink=0.1, grain=0.05)
    scene = Scene(
        effects,
        PrinterSettings(varies=varies),
        texels_per_mm=1.0,
        draws=seeded(0, "train"),
        own_effects=[Haze()],
    )
    height, width = build_mask(settings.mask).texture_size(1.0)
    texels = torch.rand(3, height, width)
    whole = data.part(5, first=0, count=batch)
    wanted = scene(texels, whole.pictures, whole.packed, whole.drawn)
    assert float((wanted[1:] - wanted[:1]).abs().max()) > 0.05  # no two photos are drawn alike
    drawn, sliced = [], []
    for first in range(0, batch, count):
        some = min(count, batch - first)
        part = data.part(5, first=first, count=some)
        assert (part.first, part.whole) == (first, batch)
        drawn.append(scene(texels, part.pictures, part.packed, part.drawn))
        record = whole.drawn.part(first=first, count=some)
        sliced.append(scene(texels, part.pictures, part.packed, record))
    for pieces in (drawn, sliced):
        torch.testing.assert_close(torch.cat(pieces), wanted, rtol=0, atol=2e-5)


def _memory_for(photos: int, monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[int]:
    """Let a step fail that sees more photos than so many; gives the sizes tried."""
    real = DesignModule.loss
    tried: list[int] = []

    def small(self: DesignModule, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        tried.append(len(batch.photo))
        if len(batch.photo) > photos:
            raise error
        return real(self, batch)

    monkeypatch.setattr(DesignModule, "loss", small)
    return tried


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("[enforce fail] can't allocate memory")],
    ids=["gpu", "cpu"],
)
def test_a_batch_too_large_is_halved(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: list[str]
):
    settings = tiny_settings(steps=4, batch=6, preview_every=0)
    wanted = train(settings, folder=tmp_path / "whole")
    tried = _memory_for(2, monkeypatch, error)
    halved = train(settings, folder=tmp_path / "halved")
    assert tried == [6, 3] + 4 * [2, 2, 2]
    assert [sentence for sentence in told if "memory" in sentence] == [
        f"Out of memory at step 0 with {had} photos at once; going on with {now} at once, whose gradients "
        "are averaged over the 6 photos of a step."
        for had, now in ((6, 3), (3, 2))
    ]
    torch.testing.assert_close(halved.design.texels, wanted.design.texels, rtol=0, atol=1e-3)
    rows = [(tmp_path / name / "metrics.csv").read_text().splitlines() for name in ("whole", "halved")]
    for one, two in zip(*rows, strict=True):
        if not one.startswith("step"):
            assert [float(v) for v in one.split(",")] == pytest.approx(
                [float(v) for v in two.split(",")], rel=2e-3, abs=1e-4
            )


def test_no_memory_for_a_single_photo(tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tried = _memory_for(0, monkeypatch, torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(RunError, match=r"with a single photo at a time; try trainer\.precision=bf16-mixed"):
        train(tiny_settings(batch=4), folder=tmp_path)
    assert tried == [4, 2, 1]


def test_other_failures_of_a_step_are_not_taken_for_memory(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tried = _memory_for(0, monkeypatch, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(tiny_settings(batch=4), folder=tmp_path)
    assert tried == [4]


def test_a_batch_that_cannot_be_shared_out(tiny_settings: Build, faces: FaceSet):
    data = _data(tiny_settings(), faces, EffectsSettings(), batch=5)

    class _Two:
        global_rank, world_size, global_step = 0, 2, 0

    data.trainer = _Two()  # type: ignore[assignment]
    with pytest.raises(
        ConfigError, match="cannot be shared out evenly to 2 processes; choose a multiple of 2"
    ):
        data.train_dataloader()


def test_each_process_gets_its_part(tiny_settings: Build, faces: FaceSet):
    data = _data(tiny_settings(), faces, EffectsSettings(), batch=6)
    (whole, *_) = data.train_dataloader()

    class _Rank:
        world_size, global_step = 2, 0

        def __init__(self, rank: int) -> None:
            self.global_rank = rank

    parts = []
    for rank in (0, 1):
        data.trainer = _Rank(rank)  # type: ignore[assignment]
        (part, *_) = data.train_dataloader()
        parts.append(part)
    assert torch.equal(torch.cat([part.photo for part in parts]), whole.photo)
    assert torch.equal(torch.cat([part.pictures for part in parts]), whole.pictures)
    assert [(part.first, part.whole) for part in parts] == [(0, 6), (3, 6)]
