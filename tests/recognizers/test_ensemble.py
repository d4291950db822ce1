"""The ensemble: frozen for good, one resampling for each alignment, and a gradient for the picture."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from advmask.core.errors import ConfigError
from advmask.photos.crops import FaceCrop
from advmask.recognizers import recognizer as recognizer_module
from advmask.recognizers.ensemble import Ensemble, SurrogateSettings
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer

WriteNetwork = Callable[..., Path]


@pytest.fixture
def three(tmp_path: Path, write_network: WriteNetwork) -> list[Recognizer]:
    """Two that share size and template, though not channels, and a third of another size."""
    paths = [
        write_network(tmp_path / "a.onnx", seed=1),
        write_network(tmp_path / "b.onnx", seed=2, channels="bgr", distance="euclidean", embedding=9),
        write_network(tmp_path / "c.onnx", seed=3, size=[48, 40], template="facenet"),
    ]
    return [build_recognizer(f"onnx:{path}") for path in paths]


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes that chips were cut to."""
    real, sizes = recognizer_module.cut_chips, []

    def counted(pictures: Tensor, transform: Tensor, *, size: tuple[int, int]) -> Tensor:
        sizes.append(size)
        return real(pictures, transform, size=size)

    monkeypatch.setattr(recognizer_module, "cut_chips", counted)
    return sizes


def faces(crop: FaceCrop) -> tuple[Tensor, Tensor]:
    pictures = torch.stack([crop.as_float(), crop.as_float().flip(0) * 0.8])
    return pictures, torch.stack([crop.landmarks, crop.landmarks + torch.randn(5, 2)])


def test_each_alignment_is_cut_once(
    three: list[Recognizer], cuts: list[tuple[int, int]], crop: FaceCrop
) -> None:
    pictures, landmarks = faces(crop)
    together = Ensemble(three)(pictures, landmarks)
    assert sorted(cuts) == [(32, 32), (48, 40)]
    assert [found.shape for found in together] == [(2, 6), (2, 9), (2, 6)]
    for member, found in zip(three, together, strict=True):
        torch.testing.assert_close(found, member(pictures, landmarks), rtol=0, atol=0)


def test_equal_size_with_another_template_is_cut_again(
    tmp_path: Path, write_network: WriteNetwork, cuts: list[tuple[int, int]], crop: FaceCrop
) -> None:
    members = [
        build_recognizer(f"onnx:{write_network(tmp_path / f'{template}.onnx', template=template)}")
        for template in ("arcface", "facenet")
    ]
    first, second = Ensemble(members)(*faces(crop))
    assert cuts == [(32, 32), (32, 32)]
    assert not torch.allclose(first, second, atol=1e-4)  # the same weights


def test_training_mode_reaches_no_recognizer(three: list[Recognizer], crop: FaceCrop) -> None:
    ensemble = Ensemble(three)
    pictures, landmarks = faces(crop)
    before = ensemble(pictures, landmarks)

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ensemble = ensemble
            self.own = nn.BatchNorm1d(2)

    outer = Outer()
    for turn in (outer.train, ensemble.train, three[0].train):
        turn()
        assert not any(module.training for module in ensemble.modules())
        ensemble.assert_frozen()
    assert outer.own.training
    assert not any(parameter.requires_grad for parameter in ensemble.parameters())
    for one, other in zip(before, ensemble(pictures, landmarks), strict=True):
        assert torch.equal(one, other)


def thaw(member: Recognizer) -> None:
    member.network.requires_grad_(True)


def wake(member: Recognizer) -> None:
    member.network.train()


@pytest.mark.parametrize(
    ("disturb", "says"), [(thaw, "requires a gradient"), (wake, "training mode")], ids=["thawed", "woken"]
)
def test_a_disturbed_member_is_noticed(
    three: list[Recognizer], disturb: Callable[[Recognizer], Any], says: str
) -> None:
    ensemble = Ensemble(three)
    disturb(three[1])
    with pytest.raises(AssertionError, match=says):
        ensemble.assert_frozen()
    with pytest.raises(AssertionError, match=says):
        Ensemble(three)


def test_an_ensemble_needs_a_member() -> None:
    with pytest.raises(ValueError, match="at least one recognizer"):
        Ensemble([])


def test_confidences_use_each_members_own_threshold(three: list[Recognizer]) -> None:
    for member in Ensemble(three).members:
        values = torch.randn(4)
        torch.testing.assert_close(member.confidence(values), 1 / (1 + torch.exp(-8 * (values - 0.3))))


def test_the_gradient_reaches_the_picture_through_dlib(crop: FaceCrop) -> None:
    ensemble = Ensemble([build_recognizer("dlib")])
    picture = crop.as_float()[None].requires_grad_()
    target = torch.randn(1, 128) * 0.1

    def value(pictures: Tensor) -> Tensor:
        (embedding,) = ensemble(pictures, crop.landmarks[None])
        assert embedding.shape == (1, 128)
        return ensemble.members[0].similarity(embedding, target).sum()

    (gradient,) = torch.autograd.grad(value(picture), picture)
    assert bool(torch.isfinite(gradient).all())
    # The face is seen, the corners of the crop are not.
    left, top = crop.landmarks.min(0).values.round().int().tolist()
    right, bottom = crop.landmarks.max(0).values.round().int().tolist()
    assert float((gradient[0, :, top:bottom, left:right].abs().sum(0) > 0).float().mean()) > 0.95
    assert float(gradient[0, :, :5, :5].abs().max()) == 0
    # A small step along it raises the similarity by what the gradient says.
    step = 2e-3 * gradient / gradient.norm()
    with torch.no_grad():
        gained = float(value(picture + 5 * step) - value(picture - 5 * step))
    assert gained == pytest.approx(10 * float((gradient * step).sum()), rel=0.1)
    assert all(parameter.grad is None for parameter in ensemble.parameters())


def test_building_one_changes_neither_the_recognizers_nor_the_process(
    three: list[Recognizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", None)  # how the C library would be told to keep memory
    networks = [member.network for member in three]
    ensemble = Ensemble(three, SurrogateSettings(compile=True))
    assert [member.network for member in three] == networks
    for member, own in zip(ensemble.members, three, strict=True):
        assert isinstance(member.network, torch._dynamo.eval_frame.OptimizedModule)
        assert next(member.network.parameters()) is next(own.network.parameters())


def test_a_copy_with_another_threshold_moves_with_the_first(three: list[Recognizer]) -> None:
    given = three[0].calibrated
    other = given.model_copy(update={"threshold": 0.5})
    copy = three[0].with_calibration(other)
    assert (copy.calibrated, three[0].calibrated) == (other, given)
    copy.to(torch.float64)
    assert three[0].template.dtype == copy.template.dtype == torch.float64


def test_weights_by_name_are_those_by_number(three: list[Recognizer]) -> None:
    listed = Ensemble(three, SurrogateSettings(weights=[0.5, 1, 1])).weights
    named = Ensemble(three, SurrogateSettings(weights={"a": 0.5, "of nobody here": 7})).weights
    assert named.tolist() == listed.tolist()
    assert float(named.mean()) == pytest.approx(1)
    with pytest.raises(ConfigError, match=r"surrogates\.weights needs 3 numbers"):
        Ensemble(three, SurrogateSettings(weights={"a": -1}))
