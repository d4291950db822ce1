"""A network at hand as an object: fed as it says, checked as all others, and taken wherever a name is."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from advmask.core.errors import AdvmaskError, CalibrationError, ConfigError
from advmask.photos.crops import FaceCrop
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.recognizers.recognizer_names import build_recognizers, recorded_names
from advmask.recognizers.specification import NetworkSpecification

FEEDING: dict[str, Any] = {"size": (32, 24), "template": "arcface"}


class Shades(nn.Module):
    """Embeds coarse patches; its batch norm would drift in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 6, 4, stride=4)
        self.norm = nn.BatchNorm2d(6)

    def forward(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.norm(self.layer(pictures)).relu().mean(dim=(2, 3))
        return found


class Detached(Shades):
    def forward(self, pictures: Tensor) -> Tensor:
        return super().forward(pictures).detach()


def test_it_is_fed_as_it_says(crop: FaceCrop) -> None:
    """InsightFace's way, said twice: by a range of -1..1, and by 0..1 with mean and deviation."""
    net = Shades()
    first = Recognizer.from_module(net, **FEEDING)
    again = Recognizer.from_module(net, range=(0, 1), mean=(0.5,) * 3, std=(0.5,) * 3, **FEEDING)
    pictures, landmarks = crop.as_float()[None], crop.landmarks[None]
    chips = first.chips(pictures, landmarks)
    assert chips.shape == (1, 3, 32, 24)
    wanted = net.eval()(2 * chips - 1)
    torch.testing.assert_close(first(pictures, landmarks), wanted)
    torch.testing.assert_close(again(pictures, landmarks), wanted)
    assert (first.specification.embedding, first.label, first.family) == (6, "Shades", "user")


def test_every_key_of_a_specification_can_be_said() -> None:
    calibration = {"threshold": 0.3, "scale": 8.0, "fmr": 0.01}
    said = {
        "channels": "bgr",
        "range": (0.0, 255.0),
        "mean": (1.0, 2.0, 3.0),
        "std": (4.0, 5.0, 6.0),
        "distance": "euclidean",
        "embedding": 6,
        "flip": True,
        "aligner": "box",
        "crop": 1.2,
        "calibration": calibration,
        "family": "mine",
        "licence": "MIT",
        "source": "a thesis",
    }
    found = Recognizer.from_module(Shades(), name="mine", **FEEDING, **said)
    assert found.specification == NetworkSpecification.build(FEEDING | said)
    assert set(NetworkSpecification.model_fields) - set(FEEDING | said) == {"gradient", "output", "adapter"}
    assert found.calibrated.model_dump(include=set(calibration)) == calibration
    assert (found.label, found.name, found.licence) == ("mine", "module:mine", "MIT")
    assert repr(found) == "Recognizer('module:mine', 32 x 24 px, euclidean, threshold 0.3)"


def test_the_module_stays_what_it_was() -> None:
    net = Shades()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    recognizer = Recognizer.from_module(net, **FEEDING)
    assert net.training
    assert all(value.requires_grad for value in net.parameters())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    with torch.no_grad():
        net.layer.weight.add_(1)
    assert not torch.equal(recognizer.network.get_parameter("layer.weight"), net.layer.weight)
    changed = Recognizer.from_module(net, **FEEDING)
    assert len({recognizer.weights_sha256, changed.weights_sha256}) == 2


@pytest.mark.parametrize(
    ("net", "changes", "said"),
    [
        (Shades, {}, r"Recognizer\.from_module takes a torch\.nn\.Module, not type\."),
        (Shades(), {"size": 3}, "Shades: Setting size=3 does not fit: a list of 2 numbers was expected."),
        (Shades(), {"template": "mine"}, "Shades: Setting template='mine' does not fit: arcface"),
        (Shades(), {"distance": "l1"}, "Setting distance='l1' does not fit"),
        (Shades(), {"range": (1, 0)}, "the lowest value before the highest was expected"),
        (Shades(), {"std": (1, 0, 1)}, "three numbers above 0 were expected"),
        (Shades(), {"calibration": {"threshold": 0.3}}, r"Setting calibration\.scale is missing"),
        (Shades(), {"embedding": 7}, r"gives \(2, 6\) for 2 pictures; \(2, 7\) was expected"),
        (Shades(), {"name": "a:b"}, "cannot be named 'a:b'"),
        (nn.Linear(4, 4), {}, "Linear does not run on 2 x 3 x 32 x 24 values"),
        (nn.Flatten(0), {}, r"Flatten gives \(4608,\) for 2 pictures"),
    ],
)
def test_what_does_not_fit_is_a_sentence(net: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AdvmaskError, match=said):
        Recognizer.from_module(net, **FEEDING | changes)


def test_it_stands_wherever_a_name_does(crop: FaceCrop) -> None:
    mine = Recognizer.from_module(
        Shades(), name="mine", calibration={"threshold": 0.3, "scale": 8, "fmr": 0.01}, **FEEDING
    )
    built = build_recognizers(["dlib", mine], differentiable=True)
    assert built[1] is mine
    assert [one.label for one in built] == ["dlib", "mine"]
    prepared = prepare_all(built, [crop])
    expected = embed_all(mine, crop.as_float()[None], crop.landmarks[None])
    torch.testing.assert_close(prepared[1].embeddings, expected)
    assert recorded_names([mine.name]) == ["module:mine"]


def test_one_without_gradient_is_only_evaluated() -> None:
    blind = Recognizer.from_module(Detached(), **FEEDING)
    assert build_recognizers([blind]) == [blind]
    with pytest.raises(ConfigError, match="module:Detached cannot be trained against: no gradient comes"):
        build_recognizers([blind], differentiable=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([Shades()], r"Shades is not a recognizer; make one with Recognizer\.from_module\("),
        (Shades(), r"given as a list"),
        ("dlib", r"given as a list, such as recognizers=\['dlib'\]"),
        ([3], "int is not a recognizer; give a name, such as 'dlib', or a Recognizer"),
        (["module:mine"], "module:mine was given as an object, from Python"),
    ],
)
def test_what_is_no_recognizer(given: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_recognizers(given)


def test_two_of_one_name_are_refused() -> None:
    mine = Recognizer.from_module(Shades(), **FEEDING)
    with pytest.raises(ConfigError, match="Two recognizers are called Shades"):
        build_recognizers([mine, Recognizer.from_module(Shades(), **FEEDING)])


def test_without_a_threshold_the_sentence_says_where_to_give_one(crop: FaceCrop) -> None:
    mine = Recognizer.from_module(Shades(), **FEEDING)
    with pytest.raises(CalibrationError, match=r"Or give Recognizer\.from_module calibration="):
        prepare_all([mine], [crop])


class Told(nn.Module):
    """Is told the landmarks, and gives them with the mean colours."""

    told_landmarks = True

    def forward(self, pictures: Tensor, landmarks: Tensor) -> Tensor:
        return torch.cat([pictures.mean(dim=(2, 3)), landmarks.flatten(1)], dim=1)


def test_a_network_that_is_told_the_landmarks_gets_their_places_in_its_chip(crop: FaceCrop) -> None:
    recognizer = Recognizer.from_module(Told(), size=(32, 24), template="arcface", range=(0, 1))
    assert recognizer.specification.embedding == 13
    by_template = recognizer.embed(torch.zeros(1, 3, 32, 24))[0, 3:].reshape(5, 2)
    torch.testing.assert_close(by_template * torch.tensor([24.0, 32.0]), recognizer.template)
    turned = crop.landmarks[None] @ torch.tensor([[0.0, 2.0], [-2.0, 0.0]])  # a similarity changes no place
    places = [recognizer(crop.as_float()[None], each)[0, 3:] for each in (crop.landmarks[None], turned)]
    torch.testing.assert_close(places[0], places[1], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(places[0], by_template.flatten(), atol=1e-3)
