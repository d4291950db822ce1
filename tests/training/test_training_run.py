"""A whole run, tiny: what it leaves, that it learns, and that nothing is done twice."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file

from advmask.core.errors import ConfigError, RunError
from advmask.textures.design_files import read_design
from advmask.textures.texel_files import load_texels
from advmask.training.module import DesignModule
from advmask.training.run import TrainResult, train
from advmask.training.settings import TrainSettings

Build = Callable[..., TrainSettings]


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(tiny_settings: Build, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    torch.set_num_threads(1)
    return train(tiny_settings(), folder=tmp_path_factory.mktemp("runs") / "first")


def test_the_run_folder_holds_what_was_promised(finished: TrainResult):
    files = set(files_of(finished.folder))
    assert files == {
        "config.yaml",
        "checkpoints/last.ckpt",
        "checkpoints/sittings.json",
        "metrics.csv",
        "photos.csv",
        "progress.png",
        "texture.safetensors",
        "texture.png",
        "previews/design_000003.png",
        "previews/design_000006.png",
        "previews/step_000003.png",
        "previews/step_000006.png",
        "run.json",
    }


def test_config_and_record_say_what_was_done(finished: TrainResult, tiny_dir: Path):
    config = yaml.safe_load((finished.folder / "config.yaml").read_text())
    assert TrainSettings.build(config) == finished.settings
    record = json.loads((finished.folder / "run.json").read_text())
    assert record["steps"] == 6
    assert torch.__version__.startswith(record["packages"]["torch"])
    (recognizer,) = record["recognizers"]
    assert recognizer["name"] == f"onnx:{tiny_dir / 'tiny.onnx'}"
    assert len(recognizer["weights_sha256"]) == 64
    assert recognizer["calibration"]["threshold"] == 0.5
    assert record["photos"] == {"used": 1, "left_out": 0}
    assert record["split"]["held_out"] is False


def test_metrics_have_one_row_per_step(finished: TrainResult):
    rows = rows_of(finished.folder)
    assert [int(row["step"]) for row in rows] == list(range(6))
    for row in rows:
        assert {"step", "loss", "match_confidence", "match_confidence/tiny", "similarity/tiny"} <= set(row)
        assert all(value != "" for value in row.values())
        assert 0 < float(row["match_confidence"]) < 1
        assert -1 <= float(row["similarity/tiny"]) <= 1


def test_the_texture_files_agree(finished: TrainResult):
    texels = load_texels(finished.folder / "texture.safetensors")
    assert torch.equal(texels, finished.design.texels)
    assert list(load_file(finished.folder / "texture.safetensors")) == ["texels"]
    design = read_design(finished.folder / "texture.png")
    assert design.texels_per_mm == 1.0
    assert design.pattern == "contour"
    assert float((design.texels - texels).abs().max()) <= 0.5 / 255 + 1e-6
    assert float((texels - 0.5).abs().max()) > 0.05  # it started grey


def test_previews_show_bare_and_masked(finished: TrainResult):
    with Image.open(finished.folder / "previews" / "step_000006.png") as picture:
        assert picture.width > 2 * 112
        assert picture.height > 112


def test_designs_on_the_way_are_kept_as_pictures_that_can_be_printed(finished: TrainResult):
    early, late = (read_design(finished.folder / "previews" / f"design_{step:06d}.png") for step in (3, 6))
    assert (early.pattern, early.texels_per_mm) == ("contour", 1.0)
    assert not torch.equal(early.texels, late.texels)
    assert float((late.texels - finished.design.texels).abs().max()) <= 0.5 / 255 + 1e-6


def test_the_checkpoint_holds_the_texture_alone(finished: TrainResult):
    path = finished.folder / "checkpoints" / "last.ckpt"
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    assert checkpoint["global_step"] == 6
    assert checkpoint["state_dict"]
    assert all(key.startswith("texture.") for key in checkpoint["state_dict"])
    texels = finished.design.texels.numel() * 4
    assert path.stat().st_size < 5 * texels + 50_000  # texture, start and Adam's two moments


def test_a_finished_run_is_not_trained_again(
    finished: TrainResult, tiny_settings: Build, monkeypatch: pytest.MonkeyPatch, told: list[str]
):
    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(DesignModule, "training_step", refuse)
    before = files_of(finished.folder)
    again = train(tiny_settings(), folder=finished.folder)
    assert torch.equal(again.design.texels, finished.design.texels)
    assert files_of(finished.folder) == before
    assert any("finished" in sentence for sentence in told)


def test_progress_and_previews_may_change_on_a_finished_run(finished: TrainResult, tiny_settings: Build):
    before = files_of(finished.folder)
    train(tiny_settings(preview_every=0, threads=1), folder=finished.folder)
    assert files_of(finished.folder) == before


def test_other_settings_in_the_same_folder_are_refused(finished: TrainResult, tiny_settings: Build):
    before = files_of(finished.folder)
    with pytest.raises(RunError) as caught:
        train(tiny_settings(seed=3, batch=1), folder=finished.folder)
    sentence = str(caught.value)
    assert "seed was 0, now 3" in sentence
    assert "trainer.batch was 2, now 1" in sentence
    assert "hydra.run.dir=" in sentence
    assert "trainer.steps" not in sentence
    assert files_of(finished.folder) == before


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", RunError, "holds no settings"),
        ("a: [", RunError, "cannot be read"),
        ("- 1\n", RunError, "holds no settings"),
        ("seeed: 1\n", ConfigError, "seeed"),
    ],
)
def test_a_spoilt_config_is_reported(
    tiny_settings: Build, tmp_path: Path, text: str, error: type[Exception], says: str
):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(error, match=says):
        train(tiny_settings(), folder=tmp_path)
    assert (tmp_path / "config.yaml").read_text() == text


def test_a_folder_that_cannot_be_written(tiny_settings: Build, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="Cannot write"):
        train(tiny_settings(), folder=tmp_path / "file" / "run")


def test_same_seed_same_texture_other_seed_another(
    finished: TrainResult, tiny_settings: Build, tmp_path: Path
):
    torch.manual_seed(99)  # the surroundings must not matter
    torch.rand(7)
    same = train(tiny_settings(), folder=tmp_path / "same")
    other = train(tiny_settings(seed=1), folder=tmp_path / "other")
    assert torch.equal(same.design.texels, finished.design.texels)
    assert not torch.allclose(other.design.texels, finished.design.texels, atol=1e-3)
    for name in ("texture.safetensors", "texture.png", "metrics.csv"):
        assert (tmp_path / "same" / name).read_bytes() == (finished.folder / name).read_bytes()


@pytest.mark.parametrize("match", ["log_confidence", "confidence", "similarity"])
def test_the_loss_falls(tiny_settings: Build, tmp_path: Path, match: str):
    settings = tiny_settings(
        steps=30, preview_every=0, checkpoint_every=100, objective={"match": match, "smoothness": 0.0}
    )
    train(settings, folder=tmp_path)
    losses = [float(row["loss"]) for row in rows_of(tmp_path)]
    similarities = [float(row["similarity/tiny"]) for row in rows_of(tmp_path)]
    first, last = sum(losses[:5]) / 5, sum(losses[-5:]) / 5
    assert last < first - 0.05
    assert sum(similarities[-5:]) < sum(similarities[:5])
    assert not (tmp_path / "previews").exists()


def test_recognizers_stay_in_evaluation_mode(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen = []
    real = DesignModule.training_step

    def watched(self: DesignModule, batch: object, batch_idx: int) -> torch.Tensor:
        modes = [part.training for member in self.ensemble.members for part in member.modules()]
        frozen = not any(parameter.requires_grad for parameter in self.ensemble.parameters())
        seen.append((any(modes), frozen, self.texture.training))
        return real(self, batch, batch_idx)

    monkeypatch.setattr(DesignModule, "training_step", watched)
    train(tiny_settings(steps=3, preview_every=0), folder=tmp_path)
    assert seen == [(False, True, True)] * 3


def test_the_last_stretch_may_be_short(tiny_settings: Build, tmp_path: Path):
    """Five steps in stretches of three: the run ends at five, and the checkpoint says so."""
    train(tiny_settings(steps=5, checkpoint_every=3, preview_every=0), folder=tmp_path)
    checkpoint = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 5
    assert [int(row["step"]) for row in rows_of(tmp_path)] == list(range(5))


def test_no_thread_of_lightning_is_left_and_no_foreign_file(finished: TrainResult):
    assert list(finished.folder.parent.iterdir()) == [finished.folder]
    assert not any(name.startswith(".") or "lightning" in name for name in files_of(finished.folder))


def test_a_run_of_another_seed_lays_no_mask_anew(
    finished: TrainResult, tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("advmask.wearing.placing.fit_masks", None)  # nothing may be laid
    other = train(tiny_settings(seed=1), folder=tmp_path / "other")
    assert not torch.equal(other.design.texels, finished.design.texels)
