"""A step that is not finite: the run stops before it, keeps the last good design, and can be mended."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from advmask.core.errors import RunError
from advmask.textures.design_files import read_design
from advmask.textures.texel_files import load_texels
from advmask.training.module import DesignModule
from advmask.training.run import train
from advmask.training.settings import TrainSettings

Build = Callable[..., TrainSettings]
Spoil = Callable[[Tensor], Tensor]


class _Infinite(torch.autograd.Function):
    """A sound value with an infinite gradient."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * float("inf")


def _spoilt_at(step: int, spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    real = DesignModule.training_step

    def spoilt(self: DesignModule, batch: Any, batch_idx: int) -> Tensor:
        loss = real(self, batch, batch_idx)
        return spoil(loss) if batch.step == step else loss

    monkeypatch.setattr(DesignModule, "training_step", spoilt)


def _with_rate(settings: TrainSettings, rate: float) -> TrainSettings:
    return settings.model_copy(
        update={"optimiser": settings.optimiser.model_copy(update={"learning_rate": rate})}
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda loss: loss * float("nan"), "the loss is nan"),
        (lambda loss: loss + float("inf"), "the loss is inf"),
        (_Infinite.apply, "the gradient is not finite"),
    ],
    ids=["nan", "inf", "gradient"],
)
def test_the_run_stops_with_the_last_good_design(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Spoil, says: str
):
    settings = tiny_settings(steps=8, checkpoint_every=3, preview_every=0)
    with monkeypatch.context() as patch:
        _spoilt_at(5, spoil, patch)
        with pytest.raises(RunError) as caught:
            train(settings, folder=tmp_path / "run")
    sentence = str(caught.value)
    assert sentence.startswith(f"Stopped before step 5: {says} on astronaut.")
    assert "\n" not in sentence
    assert "optimiser.learning_rate, such as 0.02" in sentence
    picture = tmp_path / "run" / "texture-step-5.png"
    assert str(picture) in sentence
    kept = load_texels(tmp_path / "run" / "texture-step-5.safetensors")
    assert float((read_design(picture).texels - kept).abs().max()) <= 0.5 / 255 + 1e-6
    assert bool(torch.isfinite(kept).all())
    (stop,) = json.loads((tmp_path / "run" / "stopped.json").read_text())
    assert stop["step"] == 5
    assert [Path(photo).stem for photo in stop["photos"]] == ["astronaut"]
    # Stopping there without a NaN loss leaves the same design.
    real = DesignModule.finished
    monkeypatch.setattr(DesignModule, "finished", real)
    short = tiny_settings(steps=8, checkpoint_every=3, preview_every=0)
    seen: list[Tensor] = []
    step = DesignModule.training_step

    def watched(self: DesignModule, batch: Any, batch_idx: int) -> Tensor:
        if batch.step == 5:
            seen.append(self.texture().detach().clone())
        return step(self, batch, batch_idx)

    monkeypatch.setattr(DesignModule, "training_step", watched)
    train(short, folder=tmp_path / "sound")
    assert torch.equal(seen[0], kept)


def test_a_stopped_run_goes_on_with_a_lower_rate(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
):
    settings = tiny_settings(steps=8, checkpoint_every=3, preview_every=0)
    with monkeypatch.context() as patch:
        _spoilt_at(5, lambda loss: loss * float("nan"), patch)
        with pytest.raises(RunError):
            train(settings, folder=tmp_path)
    with pytest.raises(RunError, match="seed was 0, now 1"):
        train(settings.model_copy(update={"seed": 1}), folder=tmp_path)
    rates = []
    real = DesignModule.training_step

    def watched(self: DesignModule, batch: Any, batch_idx: int) -> Tensor:
        rates.append(self.optimizers().param_groups[0]["lr"])
        return real(self, batch, batch_idx)

    monkeypatch.setattr(DesignModule, "training_step", watched)
    train(_with_rate(settings, 0.01), folder=tmp_path)
    assert "The learning rate was 0.1 and is 0.01 from here on." in told
    shares = [
        0.1 + 0.9 * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * step / 8)).item()) for step in range(3, 8)
    ]
    assert rates == pytest.approx([0.01 * share for share in shares], rel=1e-5)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["stops"][0]["learning_rate"] == 0.1
    assert record["steps"] == 8


def test_a_sound_run_may_not_change_its_rate(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = tiny_settings(steps=4, checkpoint_every=2, preview_every=0)
    train(settings, folder=tmp_path)
    with pytest.raises(RunError, match=r"optimiser.learning_rate was 0.1, now 0.01"):
        train(_with_rate(settings, 0.01), folder=tmp_path)


def test_the_recognizer_that_gave_the_nan_is_named(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from advmask.recognizers.recognizer import Recognizer

    real = Recognizer.embed
    calls: list[int] = []

    def dying(self: Recognizer, chips: Tensor, places: Tensor | None) -> Tensor:
        if chips.requires_grad:
            calls.append(1)
        return real(self, chips, places) * (float("nan") if len(calls) > 2 else 1.0)

    monkeypatch.setattr(Recognizer, "embed", dying)
    with pytest.raises(RunError, match=r"Stopped before step 2: the loss is nan \(by tiny\)"):
        train(tiny_settings(preview_every=0), folder=tmp_path)
