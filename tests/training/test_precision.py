"""What makes a run faster leaves the design where it was, within the distances stated here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_module import module_and_batch
from torch import Tensor

from advmask.recognizers.alignment import similarity_to_template
from advmask.recognizers.templates import template_points
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


@pytest.mark.parametrize("around", [False, True], ids=["ours", "the user's own autocast around"])
def test_chips_lie_where_they_lie(around: bool):
    """Within 0.02 px; a product of matrices in bfloat16 moved them by half a pixel."""
    template = template_points("arcface", size=(112, 112))
    landmarks = 800 + 3 * template + 5 * torch.randn(20, 5, 2)
    exact = similarity_to_template(landmarks.double(), template.double())
    with torch.autocast("cpu", torch.bfloat16, enabled=around):
        found = similarity_to_template(landmarks, template)
    assert found.dtype == torch.float32
    corners = torch.tensor([[750.0, 750, 1], [1200, 800, 1], [900, 1200, 1]], dtype=torch.float64)
    apart = (corners @ (found.double() - exact).mT).norm(dim=2)
    assert float(apart.max()) < 0.02


@pytest.mark.parametrize(("name", "least"), [("tiny", 0.99), ("dlib", 0.99)])
def test_bfloat16_gradients_point_the_same_way(tiny_settings: Build, name: str, least: float):
    """On the same pictures. An autocast around is ignored."""
    settings = tiny_settings(batch=3)
    if name != "tiny":
        settings = settings.model_copy(update={"recognizers": [name]})
    gradients, losses = [], []
    for precision, around in (("32-true", False), ("bf16-mixed", False), ("32-true", True)):
        changed = settings.trainer.model_copy(update={"precision": precision})
        module, batch = module_and_batch(settings.model_copy(update={"trainer": changed}))
        with torch.autocast("cpu", torch.bfloat16, enabled=around):
            loss, _ = module.loss(batch)
        gradients += torch.autograd.grad(loss, list(module.texture.parameters()))
        losses.append(float(loss.detach()))
    exact, half, ignored = (each.flatten() for each in gradients)
    assert half.dtype == torch.float32
    assert not torch.equal(half, exact)
    assert float(torch.nn.functional.cosine_similarity(half, exact, dim=0)) > least
    assert torch.equal(ignored, exact)
    assert losses[2] == losses[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile warns of its own parts
def test_compiled_ends_where_eager_does(tiny_settings: Build, exact: Tensor, tmp_path: Path):
    compiled = _design(tiny_settings, tmp_path, surrogates={"compile": True})
    assert _apart(compiled, exact) < 1e-3
