"""Photos of somebody else among a person's: which are named, and which are not."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from tiny_chain import write_network
from torch import Tensor

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.summary import ConditionResult, RecognizerResult, say_bare_doubts
from advmask.photos.crops import FaceCrop
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.recognizers.strangers import doubtful_photos


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """Its threshold is a cosine of 0.5."""
    return build_recognizer(write_network(tmp_path_factory.mktemp("strangers") / "tiny.onnx"))


def photos(faces: Sequence[tuple[str, int]]) -> tuple[Tensor, list[FaceCrop]]:
    """Photos of a person, each of one of eight faces, which are at right angles; each a little different."""
    embeddings = torch.eye(8)[[face for _, face in faces]]
    embeddings += 0.01 * torch.randn(embeddings.shape, generator=torch.Generator().manual_seed(0))
    crops = [
        FaceCrop(
            picture=torch.zeros(3, 112, 112, dtype=torch.uint8),
            landmarks=torch.zeros(5, 2),
            person=person,
            source=Path(f"{number}.jpg"),
            transform=torch.eye(3, dtype=torch.float64)[:2],
            face_px=40.0,
            sha256=str(number),
            photo_size=(112, 112),
        )
        for number, (person, _) in enumerate(faces)
    ]
    return embeddings, crops


def said(tiny: Recognizer, *faces: tuple[str, int]) -> list[str]:
    embeddings, crops = photos(faces)
    return doubtful_photos([tiny], [embeddings], crops)


def test_people_whose_photos_match_and_single_photos_are_not_doubted(tiny: Recognizer) -> None:
    assert said(tiny, *[("ada", 0)] * 3, *[("bob", 1)] * 2, ("cy", 2)) == []


def test_a_photo_that_no_other_matches_is_named(tiny: Recognizer) -> None:
    assert said(tiny, *[("ada", 0)] * 3, ("ada", 1), *[("bob", 1)] * 2) == [
        "No other photo of ada matches 3.jpg: somebody else may be shown there (judged by tiny). Take out "
        "what is not of this person."
    ]
    many = [("ada", 0)] * 20 + [("ada", number) for number in range(1, 8)]
    (sentence,) = said(tiny, *many, ("bob", 1))
    assert "20.jpg, 21.jpg, 22.jpg, 23.jpg, 24.jpg, 25.jpg and 1 more:" in sentence


@pytest.mark.parametrize(
    ("faces", "share"), [([0, 1], "0%"), ([0, 0, 1, 1], "33%"), ([0, 0, 1, 1, 2, 2, 3, 3], "14%")]
)
def test_a_flat_folder_of_many_people(tiny: Recognizer, faces: list[int], share: str) -> None:
    (sentence,) = said(tiny, *[("flat", face) for face in faces])
    assert sentence == (
        f"The {len(faces)} photos of flat do not match one another ({share} of their pairs do): they seem to "
        "show several people (judged by tiny). A design for all of them is one for nobody; put each person's "
        "photos into a folder of their own."
    )


def test_recognizers_vote_and_those_without_a_threshold_do_not(tiny: Recognizer, tmp_path: Path) -> None:
    embeddings, crops = photos([("ada", 0), ("ada", 0), ("ada", 1)])
    alike = torch.ones_like(embeddings)
    unsure = build_recognizer(write_network(tmp_path / "unsure.onnx", calibration=""))
    assert doubtful_photos([tiny, tiny], [embeddings, alike], crops) == []
    assert len(doubtful_photos([tiny, tiny, tiny], [embeddings, embeddings, alike], crops)) == 1
    assert len(doubtful_photos([tiny, unsure], [embeddings, alike], crops)) == 1
    assert doubtful_photos([unsure], [embeddings], crops) == []


def test_a_large_folder_is_compared_in_parts(tiny: Recognizer) -> None:
    (sentence,) = said(tiny, *[("ada", 0)] * 600, ("ada", 1))
    assert "matches 600.jpg:" in sentence


def bare(confidence: float) -> RecognizerResult:
    conditions = {"bare": ConditionResult(0.1, Estimate(confidence), Estimate(0.1), 0)}
    return RecognizerResult("tiny", "mtcnn", "bare", 0.01, 0.5, None, "", 4, 0, None, conditions)


def test_bare_faces_that_are_not_known_are_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="advmask"):
        say_bare_doubts([bare(0.51)])
        assert not caplog.messages
        say_bare_doubts([bare(0.106)])
    (message,) = caplog.messages
    assert message.startswith("tiny, aligner mtcnn, matches the bare faces with confidence 0.106 only")


@pytest.mark.shared
def test_real_photos_of_somebody_else_are_named(
    shared_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer = build_recognizer(f"onnx:{shared_dir / 'weights' / 'mobilefacenet_ms1m.onnx'}")
    people = sorted(path for path in (shared_dir / "faces").iterdir() if path.is_dir())[:24]
    for person in people:
        (tmp_path / person.name).mkdir()
        for photo in sorted(person.glob("*.jpg"))[: 4 if person == people[0] else 2]:
            (tmp_path / person.name / photo.name).symlink_to(photo)
    first, second, *_ = people
    (tmp_path / first.name / "other.jpg").symlink_to(second / "1.jpg")
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for person in people[3:6]:
        for name in ("1.jpg", "2.jpg"):
            (mixed / f"{person.name}_{name}").symlink_to(person / name)
    with caplog.at_level(logging.WARNING, logger="advmask.recognizers.preparation"):
        prepare_all([recognizer], load_faces(FacesSettings(root=tmp_path, cache=tmp_path / "cache")).crops)
    assert len(caplog.messages) == 2
    assert str(tmp_path / first.name / "other.jpg") in caplog.messages[0]
    assert caplog.messages[1].startswith("The 6 photos of mixed do not match one another (20% of")
