"""Optimisers, schedules and the mean of the last steps, against computation by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from advmask.textures.texel_files import load_texels
from advmask.training.module import DesignModule
from advmask.training.optimisers import SignMomentum, TailAverage, build_optimiser, share_of_rate
from advmask.training.run import train
from advmask.training.settings import OptimiserSettings, TrainSettings

Build = Callable[..., TrainSettings]


@given(
    gradients=st.lists(st.lists(st.floats(-5, 5, width=32), min_size=3, max_size=3), min_size=1, max_size=6),
    momentum=st.floats(0, 0.99),
)
def test_sign_momentum_by_hand(gradients: list[list[float]], momentum: float):
    parameter = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimiser = SignMomentum([parameter], lr=0.25, momentum=momentum)
    value, total = [0.0] * 3, [0.0] * 3
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
        mean = sum(map(abs, gradient)) / 3
        if mean > 0:
            total = [momentum * t + g / mean for t, g in zip(total, gradient, strict=True)]
        else:
            total = [momentum * t for t in total]
        value = [v - 0.25 * ((t > 0) - (t < 0)) for v, t in zip(value, total, strict=True)]
    assert parameter.tolist() == value


def test_sign_momentum_knows_no_scale():
    """A gradient a million times smaller moves as far, and one that vanishes breaks nothing."""
    one, two = (nn.Parameter(torch.tensor([1.0, -2.0, 0.0])) for _ in range(2))
    for parameter, scale in ((one, 1.0), (two, 1e-6)):
        optimiser = SignMomentum([parameter], lr=0.1, momentum=0.5)
        for _ in range(4):
            parameter.grad = scale * torch.tensor([3.0, -1.0, 0.5])
            optimiser.step()
    assert torch.equal(one, two)
    two.grad = torch.zeros(3)
    optimiser.step()
    assert bool(torch.isfinite(two).all())


def test_sign_momentum_with_a_closure_and_without_a_gradient():
    parameter, idle = nn.Parameter(torch.tensor([2.0])), nn.Parameter(torch.tensor([1.0]))
    optimiser = SignMomentum([parameter, idle], lr=0.5, momentum=0.0)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        return loss

    assert optimiser.step(closure).item() == 4.0
    assert parameter.tolist() == [1.5]
    assert idle.tolist() == [1.0]


@pytest.mark.parametrize(("kind", "amsgrad"), [("adam", False), ("amsgrad", True)])
def test_adam_is_torchs(kind: str, amsgrad: bool):
    settings = OptimiserSettings.build({"kind": kind, "learning_rate": 0.3})
    optimiser = build_optimiser([nn.Parameter(torch.zeros(2))], settings)
    assert isinstance(optimiser, torch.optim.Adam)
    assert optimiser.defaults["amsgrad"] is amsgrad
    assert optimiser.defaults["lr"] == 0.3


def test_schedules():
    cosine = OptimiserSettings(final_share=0.2)
    assert [share_of_rate(cosine, step, 100) for step in (0, 50, 100, 150)] == pytest.approx(
        [1, 0.6, 0.2, 0.2]
    )
    falling = [share_of_rate(cosine, step, 100) for step in range(101)]
    assert falling == sorted(falling, reverse=True)
    constant = OptimiserSettings(schedule="constant", final_share=0.2)
    assert {share_of_rate(constant, step, 100) for step in range(101)} == {1.0}


@given(steps=st.integers(1, 30), share=st.floats(0.05, 0.9))
def test_the_tail_average_is_the_mean_of_the_last_iterates(steps: int, share: float):
    module = nn.Linear(2, 1)
    average = TailAverage(module, share)
    seen = []
    for step in range(1, steps + 1):
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(torch.randn_like(parameter))
        average.update(module, step, steps)
        average.update(module, step, steps)  # the same step again counts once
        if step >= (1 - share) * steps:
            seen.append([parameter.detach().clone() for parameter in module.parameters()])
    average.apply_to(module)
    for parameter, values in zip(module.parameters(), zip(*seen, strict=True), strict=True):
        torch.testing.assert_close(parameter.detach(), torch.stack(values).mean(dim=0), rtol=1e-4, atol=1e-5)


def test_no_average_holds_nothing_and_changes_nothing():
    module = nn.Linear(2, 1)
    before = [parameter.clone() for parameter in module.parameters()]
    average = TailAverage(module, 0.0)
    average.update(module, 5, 5)
    average.apply_to(module)
    assert not average.state_dict()
    assert all(torch.equal(one, two) for one, two in zip(before, module.parameters(), strict=True))


TEXTURES: dict[str, dict[str, Any]] = {
    "pixels": {"kind": "pixels"},
    "pyramid": {"kind": "pyramid", "opening": 0.5},
    "spectral": {"kind": "spectral"},
    "palette": {"kind": "palette", "detail_mm": 4.0},
}


@pytest.mark.parametrize("kind", TEXTURES)
@pytest.mark.parametrize("optimiser", ["adam", "sign"])
def test_resumed_equals_unbroken(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, optimiser: str
):
    """With averaging over the last half, stopped within it, for every kind of texture."""
    values = tiny_settings(steps=8, checkpoint_every=3, preview_every=0).model_dump()
    values["texture"] |= TEXTURES[kind]
    values["optimiser"] |= {"average": 0.5, "kind": optimiser}
    settings = TrainSettings.build(values)
    train(settings, folder=tmp_path / "unbroken")
    real = DesignModule.training_step

    def failing(self: DesignModule, batch: Any, batch_idx: int) -> Tensor:
        if batch.step == 7:
            raise ValueError("stop")
        return real(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(DesignModule, "training_step", failing)
        with pytest.raises(ValueError, match="stop"):
            train(settings, folder=tmp_path / "broken")
    train(settings, folder=tmp_path / "broken")
    one, two = (load_texels(tmp_path / name / "texture.safetensors") for name in ("unbroken", "broken"))
    assert torch.equal(one, two)
    names = [(tmp_path / name / "metrics.csv").read_bytes() for name in ("unbroken", "broken")]
    assert names[0] == names[1]


def test_averaging_changes_the_design(tiny_settings: Build, tmp_path: Path):
    values = tiny_settings(preview_every=0).model_dump()
    texels = []
    for share in (0.0, 0.9):
        values["optimiser"]["average"] = share
        settings = TrainSettings.build(values)
        texels.append(train(settings, folder=tmp_path / str(share)).design.texels)
    moved = [float((each - 0.5).abs().mean()) for each in texels]
    assert 0.2 * moved[0] < moved[1] < moved[0]  # the mean lags behind the last
