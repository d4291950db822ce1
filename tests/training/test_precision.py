"""What makes a run faster leaves the design where it was, within the distances stated here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from advmask.training.run import train
from advmask.training.settings import TrainSettings

Build = Callable[..., TrainSettings]
STEPS = 12


def _design(
    build: Build, folder: Path, *, surrogates: dict[str, Any] | None = None, **trainer: Any
) -> Tensor:
    values = build(steps=STEPS, preview_every=0, checkpoint_every=100, **trainer).model_dump()
    values["surrogates"] |= surrogates or {}
    # Smoothness asks something of every texel and every texel moves; what is compared is the match alone.
    values["objective"]["smoothness"] = 0.0
    return train(TrainSettings.build(values), folder=folder).design.texels


@pytest.fixture(scope="module")
def exact(tiny_settings: Build, tmp_path_factory: pytest.TempPathFactory) -> Tensor:
    torch.set_num_threads(1)
    return _design(tiny_settings, tmp_path_factory.mktemp("exact"))


def _apart(one: Tensor, other: Tensor) -> float:
    """Mean distance of two designs, as a share of how far they are from the grey they started from."""
    return float((one - other).abs().mean() / (one - 0.5).abs().mean())


def test_bfloat16_ends_near(tiny_settings: Build, exact: Tensor, tmp_path: Path):
    """Within 15 % of the way that the design has gone: Adam makes large steps of small gradients."""
    half = _design(tiny_settings, tmp_path, precision="bf16-mixed")
    assert half.dtype == torch.float32
    assert 0 < _apart(half, exact) < 0.15
    # A run with another seed ends elsewhere, and much further away.
    other = _design(tiny_settings, tmp_path / "other", seed=1)
    assert _apart(other, exact) > 3 * _apart(half, exact)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile warns of its own parts
def test_compiled_ends_where_eager_does(tiny_settings: Build, exact: Tensor, tmp_path: Path):
    compiled = _design(tiny_settings, tmp_path, surrogates={"compile": True})
    assert _apart(compiled, exact) < 1e-3
