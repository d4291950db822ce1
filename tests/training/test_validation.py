"""Validation on people who do not train: what is scored, what is kept, and when a run ends early."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_chain import write_network
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import FaceSet, load_faces
from advmask.photos.people_folders import Split
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.textures.texel_files import load_texels
from advmask.training.module import DesignModule
from advmask.training.run import train
from advmask.training.settings import TrainSettings
from advmask.training.validation import ValidationProbes, build_probes

Build = Callable[..., TrainSettings]


def _scores(folder: Path) -> dict[int, float]:
    """Validations by the number of steps taken."""
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("val_match_confidence")]
    return {int(row["step"]) + 1: float(row["val_match_confidence"]) for row in rows}


def _probes(settings: TrainSettings) -> ValidationProbes:
    faces = load_faces(settings.faces)
    prepared = prepare_all(build_recognizers(settings.recognizers), faces.crops)
    probes = build_probes(settings, faces, build_mask(settings.mask), prepared)
    assert probes is not None
    return probes


def test_the_score_is_that_of_the_design_and_always_the_same(tiny_settings: Build, tmp_path: Path):
    settings = tiny_settings(steps=6, validate_every=4)
    texels = train(settings, folder=tmp_path).design.texels
    scores = _scores(tmp_path)
    assert list(scores) == [4, 6]  # the last step is always validated
    probes = _probes(settings)
    total = probes.confidences(texels)
    assert float(total.mean()) / len(probes) == pytest.approx(scores[6], rel=1e-4)
    assert torch.equal(probes.confidences(texels), total)  # the draws do not change
    halves = [probes.confidences(texels, rank=rank, processes=2) for rank in (0, 1)]
    torch.testing.assert_close(sum(halves, torch.zeros_like(total)), total)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["validation"]["step"] == min(scores, key=lambda step: scores[step])


def test_validating_changes_nothing_that_is_learned(tiny_settings: Build, tmp_path: Path):
    plain = train(tiny_settings(), folder=tmp_path / "plain")
    watched = train(tiny_settings(validate_every=1), folder=tmp_path / "watched")
    assert torch.equal(plain.design.texels, watched.design.texels)


def _scored(values: list[float], monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Let validations give what is listed, one after another; gives the designs that were validated."""
    seen: list[Tensor] = []

    def score(self: ValidationProbes, texels: Tensor, **_: int) -> Tensor:
        seen.append(texels.clone())
        return torch.full((len(self.recognizers),), values[len(seen) - 1] * len(self), dtype=torch.float64)

    monkeypatch.setattr(ValidationProbes, "confidences", score)
    return seen


@pytest.mark.parametrize("kind", ["pixels", "palette", "pyramid"])
def test_the_best_design_is_kept_as_it_was(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    values = tiny_settings(steps=6, validate_every=2, keep="best").model_dump()
    values["texture"] |= {"kind": kind, "detail_mm": 4.0}
    values["optimiser"] |= {"learning_rate": 2.0}  # so that inks change places in two steps
    seen = _scored([0.8, 0.2, 0.5], monkeypatch)
    result = train(TrainSettings.build(values), folder=tmp_path)
    assert len(seen) == 3
    assert torch.equal(result.design.texels, seen[1])
    assert not torch.equal(seen[1], seen[2])  # training went on, and did not change the copy
    assert torch.equal(load_texels(tmp_path / "texture.safetensors"), seen[1])
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["validation"] == {"step": 4, "match_confidence": pytest.approx(0.2)}
    assert (tmp_path / "inks.png").exists() == (kind == "palette")
    if kind == "palette":
        assert len(seen[0].flatten(1).unique(dim=1).T) <= 6  # decided for its inks at any time


def test_the_best_design_survives_a_break(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = tiny_settings(steps=8, checkpoint_every=3, validate_every=2, keep="best")
    real = DesignModule.training_step

    def failing(self: DesignModule, batch: Any, batch_idx: int) -> Tensor:
        if batch.step == 5:
            raise ValueError("stop")
        return real(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        first = _scored([0.1, 0.6], patch)
        patch.setattr(DesignModule, "training_step", failing)
        with pytest.raises(ValueError, match="stop"):
            train(settings, folder=tmp_path)
    with monkeypatch.context() as patch:
        _scored([0.6, 0.5, 0.4], patch)
        result = train(settings, folder=tmp_path)
    assert torch.equal(result.design.texels, first[0])


def test_patience_ends_a_run(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
):
    settings = tiny_settings(steps=20, checkpoint_every=5, validate_every=2, patience=2, preview_every=0)
    seen = _scored([0.9, 0.4, 0.5, 0.4, 0.1], monkeypatch)
    result = train(settings, folder=tmp_path)
    assert len(seen) == 4
    assert "Stopped at step 8: validation has not improved since step 4 (match confidence 0.400)." in told
    assert torch.equal(result.design.texels, seen[3])  # keep=last
    assert json.loads((tmp_path / "run.json").read_text())["steps"] == 8
    # Killed between the last checkpoint and the design: it ends again where it ended.
    (tmp_path / "run.json").unlink()
    again = train(settings, folder=tmp_path)
    assert torch.equal(again.design.texels, result.design.texels)
    assert len(seen) == 4


def test_with_averaging_the_mean_is_validated(tiny_settings: Build, tmp_path: Path):
    values = tiny_settings(steps=6, validate_every=3, keep="best").model_dump()
    values["optimiser"]["average"] = 0.9
    best = train(TrainSettings.build(values), folder=tmp_path / "best")
    assert min(_scores(tmp_path / "best"), key=_scores(tmp_path / "best").__getitem__) == 6
    values["trainer"]["keep"] = "last"
    last = train(TrainSettings.build(values), folder=tmp_path / "last")
    torch.testing.assert_close(best.design.texels, last.design.texels, rtol=0, atol=0)


def test_a_validation_recognizer_of_its_own(tiny_settings: Build, tmp_path: Path):
    other = write_network(tmp_path / "other.onnx", seed=7)
    settings = tiny_settings(steps=2, preview_every=0, validate_every=1, validation_recognizers=[other])
    train(settings, folder=tmp_path / "run")
    header = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0].split(",")
    assert "val_match_confidence/other" in header
    assert "match_confidence/tiny" in header
    assert "val_match_confidence/tiny" not in header


def test_who_is_validated_on(tiny_settings: Build, monkeypatch: pytest.MonkeyPatch, told: list[str]):
    settings = tiny_settings(validate_every=1)
    faces = load_faces(settings.faces)
    prepared = prepare_all(build_recognizers(settings.recognizers), faces.crops)
    surface = build_mask(settings.mask)
    assert build_probes(settings, faces, surface, prepared) is not None
    assert any("the same people it is trained on" in sentence for sentence in told)
    nobody = FaceSet(faces.crops, faces.people, Split(faces.people, (), (), held_out=True), (), ())
    with pytest.raises(ConfigError, match=r"faces\.split"):
        build_probes(settings, nobody, surface, prepared)
    assert build_probes(tiny_settings(), faces, surface, prepared) is None


@pytest.mark.parametrize(
    ("trainer", "names"),
    [
        ({"patience": 3}, "trainer.patience"),
        ({"keep": "best"}, "trainer.keep=best"),
        ({"validation_recognizers": ["dlib"]}, "trainer.validation_recognizers"),
    ],
)
def test_contradictions_are_refused(tiny_settings: Build, trainer: dict[str, Any], names: str):
    with pytest.raises(ConfigError, match=f"^A run without .* for {names}; set trainer.validate_every"):
        tiny_settings(**trainer)
