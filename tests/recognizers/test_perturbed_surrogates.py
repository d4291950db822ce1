"""Perturbed surrogates: as drawn, undone afterwards, and nothing by default."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from advmask.core.errors import ConfigError
from advmask.photos.crops import FaceCrop
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.ensemble_draw import channels_of
from advmask.recognizers.perturbation import drawn_gains, drawn_moves, moved_landmarks, perturbed
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.settings import PerturbationSettings, SurrogateSettings


def draws(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gains(network: nn.Module, settings: PerturbationSettings, seed: int) -> tuple[Tensor, ...]:
    return drawn_gains(channels_of(network), settings, draws=draws(seed))


def small_network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 40, 3), nn.ReLU(), nn.Conv2d(40, 50, 3)).eval()


def test_layers_are_scaled_and_silenced_as_drawn_and_restored():
    network, picture = small_network(), torch.rand(1, 3, 12, 12)
    bare = network(picture)
    settings = PerturbationSettings(dropout=0.3, scale=0.2)
    with torch.no_grad():
        with perturbed(network, gains(network, settings, 1)):
            first = network(picture)
            again = network(picture)
        with perturbed(network, gains(network, settings, 2)):
            other = network(picture)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    silent = (first.abs().amax(dim=(0, 2, 3)) == 0).float().mean()
    assert 0.1 < float(silent) < 0.5
    assert torch.equal(network(picture), bare)


def test_an_error_inside_does_not_leave_the_network_changed():
    network, picture = small_network(), torch.rand(1, 3, 12, 12)
    bare = network(picture)
    with (
        pytest.raises(ZeroDivisionError),
        perturbed(network, gains(network, PerturbationSettings(scale=0.5), 0)),
    ):
        raise ZeroDivisionError
    assert torch.equal(network(picture), bare)


def test_mean_over_draws_is_the_network_itself():
    layer, picture = nn.Conv2d(3, 4, 3).eval(), torch.rand(1, 3, 6, 6)
    settings = PerturbationSettings(dropout=0.4, scale=0.3)
    with torch.no_grad():
        total = torch.zeros_like(layer(picture))
        for seed in range(3000):
            with perturbed(layer, gains(layer, settings, seed)):
                total += layer(picture) / 3000
        assert torch.allclose(total, layer(picture), rtol=0.08, atol=0.02)


def test_landmarks_are_moved_by_at_most_the_reach():
    landmarks = 50 + 40 * torch.rand(200, 5, 2)
    eyes = torch.linalg.vector_norm(landmarks[:, 1] - landmarks[:, 0], dim=1)
    moved = moved_landmarks(landmarks, drawn_moves(200, 0.1, draws=draws(3)))
    shift = (moved.mean(dim=1) - landmarks.mean(dim=1)).abs().amax(dim=1) / eyes
    assert 0.08 < float(shift.max()) <= 0.1 + 1e-4
    assert torch.equal(moved_landmarks(landmarks, None), landmarks)


@pytest.fixture
def names(tmp_path: Path, write_network) -> list[str]:
    return [f"onnx:{write_network(tmp_path / f'{name}.onnx', seed=i)}" for i, name in enumerate("ab")]


def test_defaults_change_nothing_and_draws_replay(names: list[str], crop: FaceCrop):
    picture, landmarks = crop.as_float()[None], crop.landmarks[None]
    recognizers = build_recognizers(names)
    plain = Ensemble(recognizers)(picture, landmarks)
    for member, found in zip(recognizers, plain, strict=True):
        assert torch.equal(found, member(picture, landmarks))
    shaken = Ensemble(
        recognizers,
        SurrogateSettings.build({"perturbation": {"alignment": 0.1, "dropout": 0.2, "scale": 0.2}}),
    )
    first, again = (shaken(picture, landmarks, draws=draws(5)) for _ in range(2))
    other = shaken(picture, landmarks, draws=draws(6))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(not torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_recognizer_of_its_own_aligner_sees_other_landmarks(names: list[str], crop: FaceCrop):
    picture, landmarks = crop.as_float()[None].requires_grad_(), crop.landmarks[None]
    recognizers = build_recognizers(names)
    ensemble = Ensemble(recognizers, SurrogateSettings.build({"own_aligners": {"b": "mtcnn-box"}}))
    first, second = ensemble(picture, landmarks)
    assert torch.equal(first, recognizers[0](picture, landmarks))
    assert not torch.equal(second, recognizers[1](picture, landmarks))
    second.sum().backward()
    assert picture.grad is not None
    assert float(picture.grad.abs().sum()) > 0


def test_weights_have_mean_one(names: list[str]):
    ensemble = Ensemble(build_recognizers(names), SurrogateSettings.build({"weights": [3, 1]}))
    assert ensemble.weights.tolist() == [1.5, 0.5]


@pytest.mark.parametrize("aligners", [["bare"], ["bare", "mtcnn-box"]])
def test_judging_one_network_at_a_time_gives_the_gradient_of_all_together(
    names: list[str], crop: FaceCrop, aligners: list[str]
):
    ensemble = Ensemble(build_recognizers(names), SurrogateSettings.build({"aligners": aligners}))
    landmarks = crop.landmarks[None].expand(2, 5, 2)
    pictures = [torch.stack([crop.as_float()] * 2).requires_grad_() for _ in range(2)]

    def judge(number: int, embedding: torch.Tensor) -> torch.Tensor:
        return (number + 1) * embedding.square().sum()

    eager = ensemble.judged(pictures[0], landmarks, judge, draws=draws(4))
    together = sum(judge(i, e) for i, e in enumerate(ensemble(pictures[1], landmarks, draws=draws(4))))
    assert torch.allclose(eager, together)
    (3 * eager).backward()
    (3 * together).backward()
    assert float(pictures[1].grad.abs().sum()) > 0
    torch.testing.assert_close(pictures[0].grad, pictures[1].grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weights": [1.0]}, "2 numbers"),
        ({"weights": [1.0, -1.0]}, "none below zero"),
        ({"own_aligners": {"c": "bare"}}, "not a recognizer here; known: a, b"),
        ({"own_aligners": {"a": "bear"}}, "Unknown aligner"),
        ({"aligners": ["mtcnn", "bear"]}, "Unknown aligner"),
    ],
)
def test_wrong_settings_are_named(names: list[str], wrong: dict, said: str):
    with pytest.raises(ConfigError, match=said):
        Ensemble(build_recognizers(names), SurrogateSettings.build(wrong))


def test_autocast_stays_close(names: list[str], crop: FaceCrop):
    picture, landmarks = crop.as_float()[None], crop.landmarks[None]
    recognizers = build_recognizers(names)
    full = Ensemble(recognizers)(picture, landmarks)
    short = Ensemble(recognizers, bfloat16=True)(picture, landmarks)
    for a, b in zip(full, short, strict=True):
        assert b.dtype == torch.float32
        assert float(torch.cosine_similarity(a, b)) > 0.999


def test_what_is_drawn_apart_from_the_step_is_what_the_step_would_draw(names: list[str], crop: FaceCrop):
    given = {"alignment": 0.1, "dropout": 0.2, "scale": 0.2}
    settings = SurrogateSettings.build(
        {"perturbation": given, "aligners": ["bare", "mtcnn-box"], "own_aligners": {"b": "mtcnn-box"}}
    )
    ensemble = Ensemble(build_recognizers(names), settings)
    pictures, landmarks = crop.as_float().expand(3, -1, -1, -1), crop.landmarks.expand(3, -1, -1)
    drawer = pickle.loads(pickle.dumps(ensemble.drawer))
    one, two = (ensemble(pictures, landmarks, draws=each) for each in (draws(5), drawer.draw(3, draws(5))))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("what", ["dropout", "scale"])
def test_compiled_networks_are_not_perturbed(what: str):
    with pytest.raises(ConfigError, match="set compile=false"):
        SurrogateSettings.build({"compile": True, "perturbation": {what: 0.1}})
    SurrogateSettings.build({"compile": True, "perturbation": {"alignment": 0.1}})
