"""The short test on photos of several people notices a network that is fed wrongly, and mends it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from advmask.photos.crops import FaceCrop
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.identity_check import Separation, check_separation
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.recognizers.specification import NetworkSpecification

VALUES: dict[str, Any] = {
    "size": (16, 16),
    "channels": "rgb",
    "range": (0, 255),
    "mean": (127.5,) * 3,
    "std": (128,) * 3,
    "template": "facenet",
    "distance": "cosine",
    "embedding": 3,
}


class _Colours(nn.Module):
    """Knows people by the colour of their face, if it is fed between -1 and 1; beyond, it saturates.

    Red weighs little, so that the order of the channels matters.
    """

    def forward(self, fed: Tensor) -> Tensor:
        means = fed[:, :, 4:12, 4:12].mean(dim=(2, 3))
        rounded = torch.sign(means) * (means.abs() > 1.01)
        return torch.where(means.abs().amax(dim=1, keepdim=True) > 1.01, rounded + 1e-3, means)


def _crops(people: int = 4, photos: int = 3) -> list[FaceCrop]:
    """People of one plain colour each, a little different from photo to photo."""
    draw = torch.Generator().manual_seed(0)
    landmarks = torch.tensor([[20.0, 24], [44, 24], [32, 36], [23, 46], [41, 46]])
    crops = []
    for person in range(people):
        colour = torch.rand(3, 1, 1, generator=draw) * 200 + 25
        for photo in range(photos):
            noise = torch.randn(3, 64, 64, generator=draw) * 10
            crops.append(
                FaceCrop(
                    picture=(colour + noise).clamp(0, 255).byte(),
                    landmarks=landmarks,
                    person=f"p{person}",
                    source=Path(f"p{person}/{photo}.png"),
                    transform=torch.eye(2, 3, dtype=torch.float64),
                    face_px=24.0,
                    sha256="",
                    photo_size=(64, 64),
                )
            )
    return crops


def _recognizer(**changes: Any) -> Recognizer:
    return Recognizer("onnx:colours.onnx", _Colours(), NetworkSpecification.build({**VALUES, **changes}))


def test_a_sound_recognizer_gives_no_warning() -> None:
    found = check_separation(_recognizer(), _crops())
    assert found.auc is not None
    assert found.auc > 0.99
    assert (found.warning, found.photos, found.proposal) == (None, 12, {})


def test_a_wrong_range_is_noticed_and_mended() -> None:
    recognizer = _recognizer(mean=(0,) * 3, std=(1,) * 3)
    before = recognizer.specification
    found = check_separation(recognizer, _crops())
    assert found.auc is not None
    assert found.auc < 0.9
    mended = check_separation(_recognizer(**found.proposal), _crops())
    assert mended.auc == found.proposed_auc
    assert mended.warning is None
    assert found.warning is not None
    assert "colours does not tell people apart as it is fed" in found.warning
    assert "with range: [0, 1]; mean: [0.5, 0.5, 0.5]; std: [0.5, 0.5, 0.5] in its spec" in found.warning
    assert recognizer.specification == before


class _Undefined(nn.Module):
    def forward(self, fed: Tensor) -> Tensor:
        return fed.flatten(1)[:, :3] * torch.nan


def test_a_network_that_nothing_mends_is_said_to_be_wrong() -> None:
    recognizer = _recognizer()
    recognizer.network = _Undefined()
    found = check_separation(recognizer, _crops())
    assert found.auc == 0
    assert found.warning is not None
    assert found.warning.endswith("no usual way of feeding mends it, so its weights may be wrong.")


class _Poor(nn.Module):
    """Random directions, a little of the person's colour among them where the input is small."""

    def forward(self, fed: Tensor) -> Tensor:
        means = fed[:, :, 4:12, 4:12].mean(dim=(2, 3))
        noise = torch.sin(1e4 * fed[:, :, 5, 5])
        small = (means.abs().amax(dim=1, keepdim=True) < 1.01).float()
        return noise + 0.8 * small * means


def test_a_feeding_that_is_better_and_not_sound_is_not_proposed() -> None:
    recognizer = _recognizer(mean=(0,) * 3, std=(1,) * 3)
    recognizer.network = _Poor()
    better = _recognizer(range=(0, 1), mean=(0.5,) * 3, std=(0.5,) * 3)
    better.network = _Poor()
    found = check_separation(recognizer, _crops())
    mended = check_separation(better, _crops())
    assert found.auc is not None
    assert mended.auc is not None
    assert found.auc + 0.05 < mended.auc < 0.9
    assert (found.proposal, found.proposed_auc) == ({}, None)
    assert found.warning is not None
    assert "its weights may be wrong" in found.warning


@pytest.mark.parametrize(("people", "photos"), [(1, 5), (6, 1), (0, 0)])
def test_photos_that_cannot_tell_give_no_verdict(people: int, photos: int) -> None:
    assert check_separation(_recognizer(), _crops(people, photos)) == Separation("colours", None)


def test_few_of_many_photos_are_used() -> None:
    assert check_separation(_recognizer(), _crops(30, 5)).photos == 24


@pytest.mark.shared
@pytest.mark.slow
def test_a_real_network_fed_wrongly_is_mended(shared_dir: Path, tmp_path: Path) -> None:
    for person in sorted((shared_dir / "faces").iterdir())[:6]:
        (tmp_path / person.name).symlink_to(person)
    crops = load_faces(FacesSettings(root=tmp_path, cache=False)).crops
    right = build_recognizer(f"onnx:{shared_dir / 'weights' / 'mobilefacenet_ms1m.onnx'}")
    assert check_separation(right, crops).warning is None
    changes = {"range": (0.0, 255.0), "template": "facenet", "channels": "bgr"}
    wrong = Recognizer(right.name, right.network, right.specification.model_copy(update=changes))
    found = check_separation(wrong, crops)
    assert found.auc is not None
    assert found.auc < 0.8
    assert found.proposed_auc is not None
    assert found.proposed_auc > 0.98
    assert found.proposal["range"] == (0.0, 1.0)
    assert found.proposal["template"] == "arcface"
