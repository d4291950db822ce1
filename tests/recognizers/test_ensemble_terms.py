"""What an ensemble lends to objectives: exact combination, displaced landmarks, intermediate features."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from advmask.core.errors import ConfigError
from advmask.objectives.worst import smooth_max
from advmask.photos.crops import FaceCrop
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.intermediate_layer import intermediate_layer, watched
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer, build_recognizers
from advmask.recognizers.settings import SurrogateSettings


@pytest.fixture
def names(tmp_path: Path, write_network) -> list[str]:
    return [f"onnx:{write_network(tmp_path / f'{name}.onnx', seed=i)}" for i, name in enumerate("abc")]


def build(names: list[str], **settings) -> Ensemble:
    return Ensemble(build_recognizers(names), SurrogateSettings.build(settings))


def draws(seed: int = 4) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def faces(crop: FaceCrop, photos: int) -> tuple[Tensor, Tensor]:
    """The same face, darker from photo to photo, so that an aligner finds different landmarks on each."""
    shades = torch.linspace(1, 0.6, photos)[:, None, None, None]
    return crop.as_float() * shades, crop.landmarks.expand(photos, 5, 2) + 0.3


def cost(number: int, embedding: Tensor) -> Tensor:
    return (number + 1) * embedding.square().sum()


@pytest.mark.parametrize("aligners", [["bare"], ["bare", "mtcnn-box"]])
@pytest.mark.parametrize("perturbation", [{}, {"alignment": 0.05, "dropout": 0.1}])
def test_terms_are_combined_exactly(names, crop, aligners, perturbation) -> None:
    ensemble = build(names, aligners=aligners, perturbation=perturbation)
    weights = torch.tensor([0.2, 0.5, 0.3])
    combine = partial(smooth_max, temperature=2.0, weights=weights)
    pictures, landmarks = faces(crop, 4)
    one, other = pictures.clone().requires_grad_(), pictures.clone().requires_grad_()
    eager = ensemble.judged(one, landmarks, cost, draws=draws(), combine=combine)
    terms = [cost(i, e) for i, e in enumerate(ensemble(other, landmarks, draws=draws()))]
    together = combine(torch.stack(terms))
    torch.testing.assert_close(eager, together)
    (3 * eager).backward()
    (3 * together).backward()
    assert one.grad is not None
    assert other.grad is not None
    assert float(other.grad.abs().sum()) > 0
    scale = float(other.grad.abs().max())
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5 * scale)


def test_terms_are_combined_without_a_gradient_too(names, crop) -> None:
    pictures, landmarks = faces(crop, 2)
    with torch.no_grad():
        value = build(names).judged(pictures, landmarks, cost, combine=partial(smooth_max, temperature=1.0))
    assert not value.requires_grad


class Kept:
    """A term of landmarks that keeps what it is given."""

    found = torch.zeros(0)
    bare = torch.zeros(0)

    def __call__(self, found: Tensor, bare: Tensor) -> Tensor:
        self.found, self.bare = found, bare
        return (found - bare).square().sum()


@pytest.mark.parametrize(
    ("aligners", "photos", "expected"),
    [
        (["bare"], 4, 0),
        (["mtcnn-box"], 4, 4),
        (["bare", "mtcnn-box"], 6, 3),
        (["bare", "bare", "mtcnn-box"], 6, 2),
        (["bare", "dlib5-box", "mtcnn-box"], 6, 2),
        (["dlib5-box"], 2, 0),
    ],
)
def test_only_landmarks_with_a_gradient_are_handed_over(names, crop, aligners, photos, expected) -> None:
    if "dlib5-box" in aligners:
        pytest.importorskip("dlib")
    pictures, landmarks = faces(crop, photos)
    pictures.requires_grad_()
    kept = Kept()
    ensemble = build(names[:1], aligners=aligners, box_shake=0.0)
    assert ensemble.can_mislead == (expected > 0)
    total = ensemble.judged(pictures, landmarks, lambda _, e: 0 * e.sum(), draws=draws(), mislead=kept)
    assert kept.found.shape == kept.bare.shape == (expected, 5, 2)
    if not expected:
        assert float(total.detach()) == 0
        return
    # They are what the aligner finds on as many of these pictures, and their gradient reaches just those.
    theirs, _ = build_aligner("mtcnn-box").landmarks(pictures.detach(), landmarks)
    near = torch.cdist(kept.found.detach().flatten(1), theirs.flatten(1))
    assert float(near.amin(dim=1).max()) < 1e-3
    (gradient,) = torch.autograd.grad(total, pictures)
    reached = gradient.flatten(1).abs().amax(dim=1) > 0
    assert sorted(near.argmin(dim=1).tolist()) == reached.nonzero()[:, 0].tolist()


def test_its_own_aligner_can_be_misled_as_well(names, crop) -> None:
    pictures, landmarks = faces(crop, 3)
    kept = Kept()
    ensemble = build(names, own_aligners={"b": "mtcnn-box"})
    assert ensemble.can_mislead
    ensemble.judged(pictures, landmarks, cost, draws=draws(), mislead=kept)
    assert kept.found.shape == (3, 5, 2)


def test_watching_changes_no_draw_and_no_term(names, crop) -> None:
    pictures, landmarks = faces(crop, 5)
    ensemble = build(names, aligners=["bare", "mtcnn-box"], perturbation={"alignment": 0.1, "dropout": 0.2})
    plain = ensemble.judged(pictures, landmarks, cost, draws=draws())
    watched_too = ensemble.judged(
        pictures,
        landmarks,
        cost,
        draws=draws(),
        mislead=lambda found, _: 0 * found.sum(),
        intermediate=lambda *_: torch.zeros(()),
        bare=pictures,
    )
    assert torch.equal(plain, watched_too)


def test_features_are_those_of_the_named_layer_and_carry_the_gradient(names, crop) -> None:
    ensemble = build(names)
    pictures, landmarks = faces(crop, 2)
    bare = pictures.flip(0)
    one, other = pictures.clone().requires_grad_(), pictures.clone().requires_grad_()

    def intermediate(number: int, masked: Tensor, before: Tensor) -> Tensor:
        assert not before.requires_grad
        return (number + 1) * (masked * before).sum()

    eager = ensemble.judged(one, landmarks, cost, intermediate=intermediate, bare=bare)
    together = torch.zeros(())
    for number, member in enumerate(ensemble.members):
        # Written by hand for this network: one convolution with its ReLU, maps of a quarter of the side.
        convolution = next(module for module in member.network.modules() if isinstance(module, nn.Conv2d))
        maps = []
        for shown in (other, bare):
            fed = (member.chips(shown, landmarks) - 0.5) / 0.5
            maps.append(convolution(fed).relu())
        together = together + cost(number, member(other, landmarks)) + intermediate(number, maps[0], maps[1])
    torch.testing.assert_close(eager, together, rtol=1e-4, atol=1e-4)
    eager.backward()
    together.backward()
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)


def test_the_middle_of_dlib_has_an_eighth_of_its_input() -> None:
    member = build_recognizer("dlib")
    layer = intermediate_layer(member)
    with watched(member.network, layer) as seen:
        whole = member.embed(torch.rand(2, 3, 150, 150))
    (maps,) = seen
    assert maps.shape == (2, 64, 17, 17)
    with watched(member.network, layer) as none:
        pass
    assert not none
    assert whole.shape == (2, 128)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mobileface_v2", "mobilefacenet_ms1m"])
def test_the_middle_of_a_converted_network(shared_dir: Path, name: str) -> None:
    member = build_recognizer(f"onnx:{shared_dir / 'weights' / f'{name}.onnx'}")
    with watched(member.network, intermediate_layer(member)) as seen:
        member.embed(torch.rand(2, 3, 112, 112))
    assert seen[-1].shape[2:] == (14, 14)


def test_a_network_without_maps_is_named(names) -> None:
    like = build_recognizers(names[:1])[0]
    flat = Recognizer("flat", nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 6)), like.specification)
    with pytest.raises(ConfigError, match=r"no layer of flat .*objective\.features=0"):
        Ensemble([like, flat]).find_intermediate_layers()


def test_features_need_the_bare_photos(names, crop) -> None:
    with pytest.raises(ValueError, match="needs the bare photos"):
        build(names).judged(*faces(crop, 1), cost, intermediate=lambda *_: torch.zeros(()))


def test_compiled_networks_show_no_features(names) -> None:
    ensemble = build(names)
    ensemble.settings = SurrogateSettings.build({"compile": True})
    with pytest.raises(ConfigError, match=r"surrogates\.compile"):
        ensemble.find_intermediate_layers()
