"""Two processes that share the photos of each step end where one process does."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from tiny_chain import words

from advmask.effects.settings import HolesSettings, default_effects
from advmask.textures.texel_files import load_texels
from advmask.training.settings import TrainSettings

Build = Callable[..., TrainSettings]

# By plain gradient descent: Adam divides by the size of a gradient, and so makes much of the last bits of one
# that is nearly zero, which differ where two processes add up in another order.
_SCRIPT = """\
import logging, sys, torch, yaml
from functools import partial
from pathlib import Path
from advmask.training.run import train
from advmask.training.settings import TrainSettings
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
settings = TrainSettings.build(yaml.safe_load(Path(sys.argv[2]).read_text()))
train(settings, folder=Path(sys.argv[1]), optimiser=partial(torch.optim.SGD, lr=1000.0))
"""


def _run(settings: TrainSettings, folder: Path) -> str:
    folder.parent.mkdir(exist_ok=True)
    script, config = folder.parent / "script.py", folder.parent / f"{folder.name}.yaml"
    script.write_text(_SCRIPT)
    config.write_text(yaml.safe_dump(settings.model_dump(mode="json")))
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(config)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _settings(build: Build, **trainer: object) -> TrainSettings:
    settings = build(steps=6, batch=4, checkpoint_every=3, **trainer)
    return settings.model_copy(update={"effects": default_effects(), "holes": HolesSettings(most=2)})


@pytest.mark.ddp
def test_two_processes_end_where_one_does(tiny_settings: Build, tmp_path: Path):
    watched = {"validate_every": 3, "keep": "best"}
    _run(_settings(tiny_settings, **watched), tmp_path / "one")
    said = _run(_settings(tiny_settings, devices=2, strategy="ddp", **watched), tmp_path / "two")
    one, two = tmp_path / "one", tmp_path / "two"
    texels = [load_texels(folder / "texture.safetensors") for folder in (one, two)]
    assert float((texels[0] - 0.5).abs().max()) > 0.05
    assert float((texels[1] - texels[0]).abs().max()) < 1e-5
    assert sorted(p.relative_to(one) for p in one.rglob("*")) == sorted(
        p.relative_to(two) for p in two.rglob("*")
    )
    rows = []
    for folder in (one, two):
        with (folder / "metrics.csv").open(newline="", encoding="utf-8") as stream:
            rows.append(list(csv.DictReader(stream)))
    assert len(rows[0]) == len(rows[1]) == 6
    for single, double in zip(*rows, strict=True):
        assert single.keys() == double.keys()
        for name, value in single.items():
            assert (value == "") == (double[name] == "")
            if value:
                assert float(double[name]) == pytest.approx(float(value), rel=1e-3, abs=1e-5), name
    assert said.count("Landmarks lie") == 1  # only one of them speaks


@pytest.mark.ddp
def test_two_processes_resume(tiny_settings: Build, tmp_path: Path):
    settings = _settings(tiny_settings, devices=2, strategy="ddp")
    _run(settings, tmp_path / "whole")
    # A folder as a kill after the last checkpoint but before the design leaves it.
    _run(settings, tmp_path / "again")
    for name in ("run.json", "texture.safetensors", "texture.png"):
        (tmp_path / "again" / name).unlink()
    said = _run(settings, tmp_path / "again")
    assert said.count("Resuming") == 1
    one, two = (load_texels(tmp_path / name / "texture.safetensors") for name in ("whole", "again"))
    assert torch.equal(one, two)


@pytest.mark.ddp
def test_each_run_of_a_sweep_starts_its_processes(tiny_dir: Path, tmp_path: Path):
    settings = words(
        f"onnx:{tiny_dir / 'tiny.onnx'}", tiny_dir / "cache", trainer__steps=2, trainer__devices=2
    )
    command = [sys.executable, "-m", "advmask", "train", "--multirun", *settings, "trainer.strategy=ddp"]
    command += ["seed=0,1", "export=false", "check=false", "hydra.sweep.dir=sweep"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    one, two = (load_texels(tmp_path / "sweep" / job / "texture.safetensors") for job in "01")
    assert not torch.equal(one, two)
