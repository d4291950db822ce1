"""Every file of conf/experiment is composed and run, briefly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from tiny_chain import words

from advmask.commands.composition import composed
from advmask.commands.quoting import quote_overrides
from advmask.core.config_folders import conf_dir
from advmask.core.errors import DesignError
from advmask.textures.picture_texels import read_picture_as_texels
from advmask.training.run import train
from advmask.training.settings import TrainSettings

FOLDER = conf_dir() / "experiment"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
MOTIF = Path(__file__).parents[2] / "textures" / "motif.png"
GIVEN = {"artist": [f"texture.start={MOTIF}"]}


def settings_of(overrides: Sequence[str]) -> TrainSettings:
    values: Any = OmegaConf.to_container(composed("train", quote_overrides(overrides))[0])
    return TrainSettings.build({key: values[key] for key in TrainSettings.model_fields})


def test_the_experiments_are_those_promised():
    assert NAMES == ["adversarial_mask", "artist", "personal", "quick", "transfer", "universal"]


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_opens_with_its_command(name: str):
    header, command, *_ = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    assert header == "# @package _global_"
    words = command.removeprefix("# ").split()
    assert words[:3] == ["advmask", "train", f"experiment={name}"]
    assert any(word.startswith("hydra.run.dir=") for word in words)
    # As it stands there it composes.
    assert settings_of(words[2:])


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_runs(name: str, tiny_dir: Path, tmp_path: Path):
    network = f"onnx:{tiny_dir / 'tiny.onnx'}"
    brief = words(network, tiny_dir / "cache", trainer__steps=2)
    settings = settings_of([f"experiment={name}", *GIVEN.get(name, []), *brief])
    result = train(settings, folder=tmp_path)
    assert (tmp_path / "run.json").exists()
    assert result.design.texels.isfinite().all()


def test_the_artist_is_asked_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DesignError, match=r"drawing\.png"):
        train(settings_of(["experiment=artist"]), folder=tmp_path / "run")


def test_the_artist_keeps_the_whole_drawing_if_asked(tiny_dir: Path, tmp_path: Path):
    asked = ["experiment=artist", *GIVEN["artist"]]
    assert settings_of(asked).texture.palette.inks == 5
    brief = words(f"onnx:{tiny_dir / 'tiny.onnx'}", tiny_dir / "cache", trainer__steps=2)
    settings = settings_of([*asked, "texture=motif", *brief])
    named = TrainSettings.preset(experiment="artist", texture="motif")
    assert named.texture == settings_of(["experiment=artist", "texture=motif"]).texture
    texels = train(settings, folder=tmp_path).design.texels
    start = read_picture_as_texels(MOTIF, height=texels.shape[1], width=texels.shape[2])
    away = (texels - start).abs().max()
    assert 0 < away <= named.texture.change + 1e-6


def test_the_command_line_has_the_last_word():
    settings = settings_of(
        ["experiment=universal", "effects=print-garment", "texture=pixels", "trainer.batch=3"]
    )
    assert settings.printer.name == "direct_to_garment"  # the printer of the effects
    assert settings.texture.kind == "pixels"
    assert settings.trainer.batch == 3
    assert settings.trainer.keep == "best"
    assert settings_of(["experiment=universal", "printer=none"]).printer.name == "none"
    assert settings_of(["experiment=universal"]).printer.name == "sublimation"
    assert settings_of(["experiment=universal", "recognizers=[dlib]"]).recognizers == ["dlib"]


@pytest.mark.parametrize(
    ("name", "start"), [("universal", "mean_face"), ("transfer", "mean_face"), ("personal", "large_face")]
)
def test_designs_to_be_worn_have_what_transfers(name: str, start: str):
    settings = settings_of([f"experiment={name}"])
    assert settings.texture.start == start
    assert settings.holes.most == 3


@pytest.mark.parametrize("name", ["cpu", "gpu", "ddp", "slurm"])
def test_every_trainer_composes(name: str):
    settings = settings_of([f"trainer={name}"])
    assert settings.trainer.accelerator == ("cpu" if name == "cpu" else "gpu")
    assert settings.trainer.strategy == ("ddp" if name in {"ddp", "slurm"} else "auto")
    assert settings_of([f"trainer={name}", "experiment=quick"]).trainer.steps == 60


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_leaves_what_a_gpu_wants(name: str):
    for settings in (
        settings_of([f"experiment={name}", *GIVEN.get(name, []), "trainer=gpu"]),
        TrainSettings.preset(experiment=name, trainer="gpu"),
    ):
        trainer = settings.trainer
        assert (trainer.batch, trainer.precision, trainer.workers) == (64, "bf16-mixed", 4)
        assert trainer.device_gb == "auto"
        assert trainer.steps == settings_of([f"experiment={name}", *GIVEN.get(name, [])]).trainer.steps
