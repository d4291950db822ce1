"""A network behind the aligner of its maker, enrolment included, against the same by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from advmask.evaluation.evaluate import evaluate
from advmask.evaluation.probe_scores import Setup, _Job, _named
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.recognizer_names import build_recognizer

_MODULE = """\
import torch


class Shifted:
    name, differentiable = "python:their_aligner:build", False

    def landmarks(self, pictures, hint):
        found = pictures.mean(dim=(1, 2, 3)) > 0.15  # it misses dark pictures
        return torch.where(found[:, None, None], hint + 6.0, 0.0), found


build = Shifted
"""


@pytest.fixture
def faces(portrait: FaceSet) -> FaceSet:
    """Two people with two photos each; one of bob's is dark."""
    (crop,) = portrait.crops
    crops = tuple(
        replace(crop, person=name, source=Path(f"{name}{number}.png"), picture=(crop.picture * gain).byte())
        for name, number, gain in (("ann", 0, 1.0), ("ann", 1, 0.8), ("bob", 0, 0.6), ("bob", 1, 0.1))
    )
    return replace(portrait, crops=crops, people=("ann", "bob"))


def test_as_by_hand(faces: FaceSet, tiny_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("their_aligner.py").write_text(_MODULE)
    Path("net.onnx").write_bytes(Path(tiny_name.removeprefix("onnx:")).read_bytes())
    told: dict[str, Any] = yaml.safe_load(
        Path(tiny_name.removeprefix("onnx:")).with_suffix(".yaml").read_text()
    )
    Path("net.yaml").write_text(yaml.safe_dump(told | {"aligner": "python:their_aligner:build"}))
    design = torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0))
    protocol = {"draws": 1, "people": "all", "progress": False, "aligners": ["bare"]}
    found = evaluate(design, faces, ["onnx:net.onnx"], effects="none", protocol=protocol, controls=["white"])
    bare, maker = found.main
    assert (bare.aligner, maker.aligner) == ("bare", "maker")
    assert (bare.left_out, maker.left_out) == (0, 1)
    assert maker.conditions["bare"].undetected == 1
    assert "as its maker does" in found.text()

    recognizer = build_recognizer("onnx:net.onnx")
    pictures = torch.stack([crop.as_float() for crop in faces.crops])
    points = torch.stack([crop.landmarks for crop in faces.crops])
    points[:3] += 6.0  # the fourth is not found, and enrolled by what is at hand
    with torch.no_grad():
        unit = torch.nn.functional.normalize(recognizer(pictures, points), dim=1)
    wanted = [unit[0] @ unit[1], unit[1] @ unit[0], unit[2] @ unit[3]]
    assert maker.conditions["bare"].similarity == pytest.approx(float(sum(wanted)) / 3, abs=1e-4)
    assert maker.conditions["bare"].similarity != pytest.approx(bare.conditions["bare"].similarity, abs=1e-3)


def test_a_detector_that_finds_nothing_is_said(
    faces: FaceSet,
    tiny_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("blind_aligner.py").write_text(_MODULE.replace("their", "blind").replace("> 0.15", "> 9"))
    Path("net.onnx").write_bytes(Path(tiny_name.removeprefix("onnx:")).read_bytes())
    told = Path(tiny_name.removeprefix("onnx:")).with_suffix(".yaml").read_text()
    Path("net.yaml").write_text(f"{told}aligner: python:blind_aligner:build\n")
    design = torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0))
    protocol = {"draws": 1, "people": "all", "progress": False, "aligners": ["bare"]}
    evaluate(design, faces, ["onnx:net.onnx"], effects="none", protocol=protocol, controls=["white"])
    assert "blind_aligner:build finds no face on 4 of 4 bare photos; they are enrolled by" in caplog.text
    assert "net, aligner maker, finds no face on any of 4 bare pictures: is it the right" in caplog.text


def test_a_detector_next_to_the_network_is_found_from_anywhere(tiny_name: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(Path(tiny_name.removeprefix("onnx:")).read_bytes())
    (tmp_path / "det.onnx").write_bytes(b"")
    told = Path(tiny_name.removeprefix("onnx:")).with_suffix(".yaml").read_text()
    (tmp_path / "net.yaml").write_text(f"{told}aligner: scrfd:det.onnx\n")
    specification = build_recognizer(f"onnx:{tmp_path / 'net.onnx'}").specification
    assert specification.aligner == f"scrfd:{tmp_path / 'det.onnx'}"


def test_other_processes_feed_the_makers_crop_too(tiny_name: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(Path(tiny_name.removeprefix("onnx:")).read_bytes())
    told = Path(tiny_name.removeprefix("onnx:")).with_suffix(".yaml").read_text()
    (tmp_path / "net.yaml").write_text(f"{told}aligner: box\ncrop: 1.2\n")
    recognizer = build_recognizer(f"onnx:{tmp_path / 'net.onnx'}")
    made = recognizer.as_its_maker_crops()
    assert not torch.equal(made.template, recognizer.template)
    setups = [
        Setup(one, build_aligner("box"), (), name) for one, name in ((recognizer, "box"), (made, "maker"))
    ]
    stage: Any = None
    (_, built) = _Job(stage, tuple(map(_named, setups))).begin().args
    for one, again in zip(setups, built, strict=True):
        assert torch.equal(one.recognizer.template, again.recognizer.template)
