"""The dlib network against dlib itself, its own unfolded form, and its gradient by finite differences."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage import data, transform
from torch import Tensor

from advmask.core.errors import MissingPackageError, WeightsError
from advmask.recognizers import dlib_file
from advmask.recognizers.dlib_file import dlib_weights_path
from advmask.recognizers.dlib_network import DlibResNet, load_dlib_resnet
from advmask.recognizers.dlib_reader import BLOCKS, read_dlib_resnet


@pytest.fixture(scope="module")
def network() -> DlibResNet:
    return load_dlib_resnet()


def _chips() -> np.ndarray:
    """Thirty uint8 chips: turned and scaled crops of a portrait, noise, flat colours, a ramp."""
    portrait, draw = data.astronaut(), np.random.default_rng(5)
    chips = []
    for index in range(20):
        side, top, left = 100 + 12 * index, 3 * index, 100 + 4 * index
        crop = transform.rotate(portrait[top : top + side, left : left + side], 9.0 * index, mode="edge")
        chips.append(transform.resize(crop, (150, 150), anti_aliasing=True) * 255)
    chips += [draw.integers(0, 256, (150, 150, 3)) for _ in range(4)]
    chips += [np.full((150, 150, 3), colour) for colour in ((0, 0, 0), (255, 255, 255), (200, 30, 90))]
    chips += [np.linspace(0, 255, 150)[:, None, None] * np.ones((150, 150, 3))]
    chips += [np.clip(chips[index] + draw.normal(0, 30, (150, 150, 3)), 0, 255) for index in (2, 9)]
    return np.stack(chips).astype(np.uint8)


def _normalised(chips: np.ndarray, mean: tuple[float, float, float]) -> Tensor:
    values = (chips.astype(np.float64) - np.array(mean)) / 256
    return torch.from_numpy(values.transpose(0, 3, 1, 2).astype(np.float32))


def _unfolded(inputs: Tensor) -> Tensor:
    """The network layer by layer as dlib has it, affine maps apart and sums extended by hand."""
    weights = read_dlib_resnet(dlib_weights_path())
    layers = iter(weights.convolutions)

    def convolved(x: Tensor, stride: int, padding: int) -> Tensor:
        layer = next(layers)
        w, b, gamma, beta = (v.to(x) for v in (layer.weight, layer.bias, layer.gamma, layer.beta))
        out = F.conv2d(x, w, b, stride=stride, padding=padding)
        return out * gamma.view(1, -1, 1, 1) + beta.view(1, -1, 1, 1)

    x = F.max_pool2d(convolved(inputs, 2, 0).relu(), 3, 2)
    for _, halves in BLOCKS:
        branch = convolved(convolved(x, 2 if halves else 1, 0 if halves else 1).relu(), 1, 1)
        shortcut = F.avg_pool2d(x, 2, 2) if halves else x
        total = x.new_zeros(
            len(x), *(max(a, b) for a, b in zip(branch.shape[1:], shortcut.shape[1:], strict=True))
        )
        for part in (branch, shortcut):
            _, channels, rows, columns = part.shape
            total[:, :channels, :rows, :columns] += part
        x = total.relu()
    return x.mean((2, 3)) @ weights.projection.to(x)


def test_agrees_with_dlib(network: DlibResNet):
    dlib = pytest.importorskip("dlib")
    chips = _chips()
    model = dlib.face_recognition_model_v1(str(dlib_weights_path()))
    expected = np.stack([np.array(model.compute_face_descriptor(chip)) for chip in chips])
    with torch.no_grad():
        found = network(_normalised(chips, network.mean)).numpy()
    assert len(chips) >= 30
    assert len(np.unique(expected.round(4), axis=0)) == len(chips)
    assert np.abs(found - expected).max() < 1e-5


def test_folding_changes_less_than_a_millionth(network: DlibResNet):
    inputs = _normalised(_chips()[::3], network.mean)
    with torch.no_grad():
        assert float((network(inputs) - _unfolded(inputs)).abs().max()) < 1e-6


def test_float64_agrees_with_unfolded_float64():
    double = load_dlib_resnet().double()
    inputs = _normalised(_chips()[:3], double.mean).double()
    with torch.no_grad():
        difference = (double(inputs) - _unfolded(inputs)).abs().max()
    # The folded weights are rounded once to float32.
    assert double(inputs).dtype == torch.float64
    assert float(difference) < 1e-6


def test_gradient_to_the_input_by_finite_differences():
    double = load_dlib_resnet().double()
    inputs = _normalised(_chips()[4:6], double.mean).double().requires_grad_()
    direction = torch.randn(128, dtype=torch.float64)

    def value(x: Tensor) -> Tensor:
        return (double(x) * direction).sum()

    (gradient,) = torch.autograd.grad(value(inputs), inputs)
    step, size = 1e-7, inputs[0].numel()
    chosen = torch.randint(2 * size, (30,))
    # The steepest places too, where nothing hides behind rounding.
    chosen = torch.cat([chosen, gradient.abs().flatten().topk(10).indices])
    with torch.no_grad():
        for place in chosen.tolist():
            chip, inside = divmod(place, size)  # the other one does not change
            shift = torch.zeros(size, dtype=torch.float64)
            shift[inside] = step
            shift, moved = shift.view_as(inputs[:1]), inputs[chip : chip + 1]
            slope = (value(moved + shift) - value(moved - shift)) / (2 * step)
            found = gradient.flatten()[place]
            assert float(slope) == pytest.approx(float(found), rel=1e-4, abs=1e-6)


def test_rows_of_a_batch_do_not_mix_and_input_is_left_alone(network: DlibResNet):
    inputs = _normalised(_chips()[:4], network.mean)
    kept = inputs.clone()
    with torch.no_grad():
        together, alone = network(inputs), network(inputs[2:3])
        assert network(inputs[:0]).shape == (0, 128)
    assert torch.allclose(together[2:3], alone, atol=1e-6)
    assert torch.equal(inputs, kept)


def test_is_frozen_and_draws_nothing_from_the_generator():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    network = load_dlib_resnet()
    assert torch.equal(torch.rand(4), expected)
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not network.training
    assert sum(parameter.numel() for parameter in network.parameters()) > 5_000_000
    nonzero = torch.cat([p.flatten() for p in network.parameters()])
    nonzero = nonzero[nonzero != 0].abs()
    assert float(nonzero.min()) >= torch.finfo(torch.float32).tiny


def test_missing_package_and_missing_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with pytest.raises(WeightsError, match=r"no weight file"):
        load_dlib_resnet(tmp_path / "absent.dat")
    monkeypatch.setattr(dlib_file, "_PACKAGE", "a_package_nobody_has")
    with pytest.raises(MissingPackageError, match="pip install a_package_nobody_has"):
        load_dlib_resnet()
    (tmp_path / "empty_models").mkdir()
    (tmp_path / "empty_models" / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.setattr(dlib_file, "_PACKAGE", "empty_models")
    with pytest.raises(WeightsError, match="no weight file"):
        load_dlib_resnet()


@pytest.mark.gpu
def test_gpu_agrees_with_cpu(network: DlibResNet):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    inputs = _normalised(_chips()[:8], network.mean)
    on_gpu = load_dlib_resnet().cuda()
    with torch.no_grad(), torch.backends.cudnn.flags(allow_tf32=False):
        assert torch.allclose(on_gpu(inputs.cuda()).cpu(), network(inputs), atol=1e-4)
