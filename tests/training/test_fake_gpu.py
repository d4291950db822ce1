"""A step, validation and evaluation on a GPU that is not there: nothing mixes devices, nothing waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fake_gpu import FakeGpu, HostWork, fake_gpu, gradients
from tiny_module import module_and_batch, photos_of
from torch import Tensor
from torch._subclasses import fake_tensor
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    unset_fake_temporarily,
)

from advmask.effects import light
from advmask.effects.settings import WearSettings
from advmask.evaluation.probe_scores import Setup, Stage, _scored
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import load_faces
from advmask.recognizers import alignment
from advmask.recognizers.aligners.aligner import BareAligner
from advmask.recognizers.aligners.mtcnn import MtcnnBoxAligner
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training.building import build_scene
from advmask.training.data import Batch, StepDataset
from advmask.training.guard import FiniteSteps
from advmask.training.module import DesignModule
from advmask.training.settings import TrainSettings
from advmask.training.step_log import EVERY, StepLog
from advmask.training.validation import build_probes
from advmask.wearing.held_photos import hold
from advmask.wearing.scene import Scene
from advmask.wearing.worn_photos import WornPhotos

# Older versions of torch have no fake device that tells which tensors lie elsewhere.
FakeTensorDeviceMismatchError = getattr(fake_tensor, "FakeTensorDeviceMismatchError", None)
if FakeTensorDeviceMismatchError is None:
    pytest.skip("this torch has no such fake device", allow_module_level=True)

Build = Callable[..., TrainSettings]

ALLOWED = {
    # A step that would spoil the texture must not be taken.
    "advmask/training/guard.py:on_before_optimizer_step": 1,
}
NOW_AND_THEN = {"advmask/training/step_log.py:_hand_on": 1}  # the values of ten steps, together


def settings_of(build: Build, **groups: Any) -> TrainSettings:
    values = build(batch=6).model_dump()
    trainer = values["trainer"] | groups.pop("trainer", {})
    kept = {name: values[name] for name in ("recognizers", "faces")} | {"texture": {"texels_per_mm": 1.0}}
    settings = TrainSettings.preset(kept, trainer=trainer, **groups)
    # Worn as it fits, for a small picture has no room to slip in.
    fits = settings.effects.model_copy(update={"wear": WearSettings()})
    return settings.model_copy(update={"effects": fits})


class FakePhotos:
    """Photos whose pictures and placements lie in the memory of the host."""

    def __init__(self, photos: WornPhotos, gpu: FakeGpu) -> None:
        self.crops, self.ways, self.names = photos.crops, photos.ways, photos.names
        self.pictures, self.packed, self.landmarks = (
            gpu.by_host(each) for each in (photos.pictures, photos.packed, photos.landmarks)
        )


def with_host_draws(scene: Scene, gpu: FakeGpu) -> Scene:
    scene.draw = gpu.by_host(scene.draw)  # type: ignore[method-assign]
    return scene


@contextmanager
def on_fake_gpu(settings: TrainSettings) -> Iterator[tuple[DesignModule, Batch]]:
    module, batch = module_and_batch(settings)
    with fake_gpu() as gpu:
        for aligner in (*module.ensemble._aligners, *module.ensemble._own.values()):
            if hasattr(aligner, "_head"):
                gpu.module(aligner._head)
        yield gpu.module(module), gpu.record(batch)


def taken(module: DesignModule, batch: Batch) -> list[Tensor | None]:
    loss = module.training_step(batch, 0)
    assert loss.device.type == "cuda"
    return list(gradients(loss, list(module.texture.parameters()), allow_unused=True))


@pytest.mark.parametrize(
    "groups",
    [
        {"effects": "indoor"},
        {"effects": "full", "texture": "pyramid", "holes": {"most": 3}},
        {"effects": "print-garment", "objective": {"gamut": 0.1}},
        {"texture": "palette", "effects": "cctv"},
        {
            "surrogates": {
                "aligners": ["bare", "mtcnn-box"],
                "own_aligners": {"tiny": "mtcnn-box"},
                "perturbation": {"alignment": 0.1, "dropout": 0.1, "scale": 0.1},
            },
            "objective": "through_alignment",
        },
        {"objective": {"nps": 0.1, "tail": 0.5, "over_recognizers": "smooth_max", "features": 0.1}},
    ],
    ids=lambda groups: "-".join(map(str, groups.values()))[:40],
)
def test_a_step_mixes_no_devices_and_waits_for_nothing(tiny_settings: Build, groups: dict[str, Any]):
    with on_fake_gpu(settings_of(tiny_settings, **groups)) as (module, batch):
        taken(module, batch)  # constants are copied once
        with HostWork() as host:
            taken(module, batch)
    assert host.copies == {}


def test_a_whole_step_of_a_run_asks_once(tiny_settings: Build, monkeypatch: pytest.MonkeyPatch):
    """With the check before the optimiser, the optimiser, the mean of the last textures, and the log."""
    settings = settings_of(tiny_settings, effects="indoor", optimiser={"average": 0.9})
    with on_fake_gpu(settings) as (module, batch):
        optimiser = module.configure_optimizers()["optimizer"]
        log, guard = StepLog(steps=6), FiniteSteps.__new__(FiniteSteps)
        trainer: Any = SimpleNamespace(world_size=1, loggers=[], callback_metrics={})
        monkeypatch.setattr(DesignModule, "device", torch.device("cuda"))
        monkeypatch.setattr(FakeTensor, "tolist", lambda tensor: [0.0] * len(tensor.cpu()))
        guard._loss = None

        def step() -> None:
            for parameter, gradient in zip(module.texture.parameters(), taken(module, batch), strict=True):
                parameter.grad = gradient
            with pytest.raises(DataDependentOutputException):  # the one question, here without an answer
                guard.on_before_optimizer_step(trainer, module, optimiser)
            optimiser.step()
            module.on_train_batch_end(None, batch, 0)
            log.on_train_batch_end(trainer, module, None, batch, 0)

        step()
        with HostWork() as host:
            step()
        assert host.copies == ALLOWED
        with HostWork() as host:
            for _ in range(EVERY):
                step()
        assert host.copies == {name: EVERY * count for name, count in ALLOWED.items()} | NOW_AND_THEN


def test_a_step_cuts_its_batch_out_of_photos_on_the_gpu(tiny_settings: Build):
    """Only its order is sent, and nothing is asked of the GPU for it."""
    settings = settings_of(tiny_settings, effects="indoor")
    photos = photos_of(settings)
    held = hold(photos, torch.device("cpu"), budget_bytes=1e9)
    assert held is not None
    with on_fake_gpu(settings) as (module, whole):
        data = StepDataset(photos, module.scene.drawer, batch=6, seed=0)
        with unset_fake_temporarily():
            order = data.order(3, first=0, count=6)
        gpu = FakeGpu(whole.pictures.fake_mode)
        there, sent = gpu.record(held), gpu.record(replace(order, fed=whole.fed))
        taken(module, sent.filled(there))  # constants are copied once
        with HostWork() as host:
            batch = sent.filled(there)
            taken(module, batch)
    assert host.copies == {}
    assert batch.packed.texel.device.type == "cuda"
    assert batch.packed.texel.shape == whole.packed.texel.shape
    assert batch.packed.pixel.shape == whole.packed.pixel.shape


def test_validation_runs_on_the_gpu(tiny_settings: Build):
    settings = settings_of(tiny_settings, effects="indoor", trainer={"validate_every": 1, "batch": 2})
    faces, surface = load_faces(settings.faces), build_mask(settings.mask)
    prepared = prepare_all(build_recognizers(settings.recognizers), faces.crops)
    probes = build_probes(settings, faces, surface, prepared)
    assert probes is not None
    with fake_gpu() as gpu:
        watched = replace(
            probes,
            templates=gpu.by_host(lambda: probes.templates)(),
            photos=FakePhotos(probes.photos, gpu),
            scene=gpu.module(with_host_draws(probes.scene, gpu)),
        )
        for one in prepared:
            gpu.module(one.recognizer)
        height, width = surface.texture_size(settings.texture.texels_per_mm)
        total = watched.confidences(torch.rand(3, height, width, device="cuda"))
        assert total.device.type == "cuda"


def test_evaluation_runs_on_the_gpu(tiny_settings: Build, monkeypatch: pytest.MonkeyPatch):
    """For each condition embeddings are fetched once, and where faces lie, to be compared by the host."""
    settings = settings_of(tiny_settings, effects="indoor")
    faces, surface = load_faces(settings.faces), build_mask(settings.mask)
    prepared = prepare_all(build_recognizers(settings.recognizers), faces.crops)
    photos, scene = photos_of(settings), build_scene(settings)
    texels = torch.rand(3, *surface.texture_size(settings.texture.texels_per_mm))
    gallery: Any = SimpleNamespace(
        gallery=SimpleNamespace(similarity=lambda _, embeddings, rows: embeddings[:, 0]),
        similarity_to_others=lambda _, embeddings, names: embeddings,
        thresholds=(),
    )
    monkeypatch.setattr(FakeTensor, "numpy", lambda tensor: np.zeros(tensor.shape), raising=False)
    with fake_gpu() as gpu:
        recognizer = gpu.module(prepared[0].recognizer)
        designs = {"design": gpu.by_host(lambda: texels)()}
        on_host: Any = FakePhotos(photos, gpu)
        stage = Stage(on_host, designs, gpu.module(with_host_draws(scene, gpu)), (0,))
        for _ in range(2):
            with HostWork() as host, torch.no_grad():
                found = _scored(stage, [Setup(recognizer, BareAligner(), (gallery,), "bare")], 0)
    assert {key[-1] for key in found} == {"bare", "design"}
    assert set(host.copies) == {
        "advmask/effects/records.py:<lambda>",  # pictures, placements and draws, sent
        "advmask/evaluation/probe_scores.py:_scored",
        "advmask/evaluation/probe_scores.py:_aligned",
    }
    assert host.copies["advmask/evaluation/probe_scores.py:_aligned"] == 2 * 2


@pytest.mark.parametrize("fault", ["item", "bool", "constant", "mask"])
def test_what_would_wait_is_found(tiny_settings: Build, monkeypatch: pytest.MonkeyPatch, fault: str):
    """A number asked for, a constant of the CPU and a boolean index, put back into the step one by one."""
    relit = light.relight

    def asks(pictures: Tensor, drawn: Any) -> Tensor:
        if fault == "item":
            return relit(pictures, drawn) * pictures.max().item()
        if fault == "bool":
            return relit(pictures, drawn) if bool((pictures > 1).any()) else pictures
        return pictures[pictures.mean(dim=(1, 2, 3)) > 0.5]

    if fault == "constant":
        monkeypatch.setattr(alignment, "_centres", lambda _, length: torch.arange(length) + 0.5)
    else:
        monkeypatch.setattr("advmask.wearing.scene.relight", asks)
    found = (DataDependentOutputException, DynamicOutputShapeException, FakeTensorDeviceMismatchError)
    settings = settings_of(tiny_settings, effects="indoor")
    with on_fake_gpu(settings) as (module, batch), pytest.raises(found):
        taken(module, batch)


def test_asking_which_faces_were_found_would_wait(tiny_settings: Build, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(MtcnnBoxAligner, "finds_all", False)
    settings = settings_of(
        tiny_settings, objective="through_alignment", surrogates={"aligners": ["bare", "mtcnn-box"]}
    )
    with on_fake_gpu(settings) as (module, batch), pytest.raises(DynamicOutputShapeException):
        taken(module, batch)


@pytest.mark.parametrize("late", [False, True])
def test_what_is_copied_in_every_step_is_counted(
    tiny_settings: Build, monkeypatch: pytest.MonkeyPatch, late: bool
):
    """A table made on the CPU and sent in each step, and places told by a tensor on the CPU."""
    relit = light.relight

    def copies(pictures: Tensor, drawn: Any) -> Tensor:
        if late:
            return relit(pictures, drawn)[torch.arange(len(pictures))]
        return relit(pictures, drawn) * torch.ones(len(pictures), 1, 1, 1).to(pictures)

    monkeypatch.setattr("advmask.wearing.scene.relight", copies)
    with on_fake_gpu(settings_of(tiny_settings, effects="indoor")) as (module, batch):
        taken(module, batch)
        with HostWork() as host:
            taken(module, batch)
    assert sum(host.copies.values()) >= 1
