"""A run that is made longer: it goes on from its last checkpoint, and its earlier design is kept."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from advmask.core.errors import RunError
from advmask.textures.texel_files import load_texels
from advmask.training.optimisers import TailAverage, share_of_rate
from advmask.training.run import train
from advmask.training.run_folder import RunFolder
from advmask.training.settings import OptimiserSettings, TrainSettings

Build = Callable[..., TrainSettings]


@pytest.fixture
def of_steps(tiny_settings: Build) -> Callable[..., TrainSettings]:
    """Settings of a run of so many steps."""

    def build(steps: int, **optimiser: Any) -> TrainSettings:
        values = tiny_settings(steps=steps, checkpoint_every=3, preview_every=0).model_dump()
        return TrainSettings.build(values | {"optimiser": optimiser})

    return build


@pytest.mark.parametrize("first", [2, 3, 4])
def test_without_a_schedule_it_equals_the_longer_run(of_steps: Build, tmp_path: Path, first: int):
    """Whether the first part ends at a checkpoint, before the first one, or between two."""
    longer, unbroken = tmp_path / "longer", tmp_path / "unbroken"
    train(of_steps(first, schedule="constant"), folder=longer)
    early = (longer / "texture.safetensors").read_bytes()
    left = ("check.json", "pairs.csv.gz", "reproduction.json", "results.json")
    for name in left:
        (longer / name).write_text("{}")
    train(of_steps(8, schedule="constant"), folder=longer)
    train(of_steps(8, schedule="constant"), folder=unbroken)
    for name in ("texture.safetensors", "texture.png", "metrics.csv", "config.yaml"):
        assert (longer / name).read_bytes() == (unbroken / name).read_bytes(), name
    earlier = RunFolder(longer / f"steps-{first}")
    assert earlier.finished
    assert earlier.read_settings().trainer.steps == first
    assert earlier.texture.read_bytes() == early
    assert earlier.metrics.read_text().count("\n") == first + 1
    assert not any((longer / name).exists() for name in left)
    assert all((earlier.path / name).exists() for name in left)


def test_the_learning_rate_is_that_of_the_longer_run(
    of_steps: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rates: list[float] = []
    real = torch.optim.Adam.step

    def step(self: torch.optim.Adam, closure: Any = None) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return real(self, closure)

    monkeypatch.setattr(torch.optim.Adam, "step", step)
    train(of_steps(3), folder=tmp_path)
    train(of_steps(6), folder=tmp_path)
    settings = OptimiserSettings()
    wanted = [share_of_rate(settings, step, 3 if step < 3 else 6) for step in range(6)]
    assert rates == pytest.approx([settings.learning_rate * share for share in wanted])


def test_nothing_but_the_steps_may_differ(of_steps: Build, tmp_path: Path):
    train(of_steps(3), folder=tmp_path)
    for other in (of_steps(6, learning_rate=0.2), of_steps(2)):
        with pytest.raises(RunError, match="holds a run with other settings"):
            train(other, folder=tmp_path)
    assert RunFolder(tmp_path).finished
    assert load_texels(tmp_path / "texture.safetensors").shape[0] == 3
    assert not (tmp_path / "steps-3").exists()


def test_killed_while_it_is_made_longer(of_steps: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """At any of the moves, the same command again makes it longer all the same."""
    real = Path.rename
    for survived in range(3):
        folder = tmp_path / str(survived)
        train(of_steps(3, schedule="constant"), folder=folder)
        left = survived

        def rename(self: Path, target: Any) -> Any:
            nonlocal left
            if "steps-3" in str(target):
                left -= 1
                if left < 0:
                    raise ValueError("power cut")
            return real(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", rename)
            with pytest.raises(ValueError, match="power cut"):
                train(of_steps(4, schedule="constant"), folder=folder)
        train(of_steps(4, schedule="constant"), folder=folder)
        assert RunFolder(folder / "steps-3").finished
        with (folder / "metrics.csv").open(newline="") as stream:
            assert [row["step"] for row in csv.DictReader(stream)] == ["0", "1", "2", "3"]


def test_the_mean_of_the_last_steps_leaves_out_the_earlier_end():
    module = nn.Linear(1, 1, bias=False)
    average = TailAverage(module, 0.5)
    for step, steps in [*((step, 4) for step in range(1, 5)), *((step, 12) for step in range(5, 13))]:
        nn.init.constant_(module.weight, float(step))
        average.update(module, step, steps)
    average.apply_to(module)
    assert module.weight.item() == pytest.approx(sum(range(6, 13)) / 7)


def test_killed_while_the_earlier_design_is_put_by(
    of_steps: Build, tmp_path: Path, killed_at_rename: Callable[..., bool]
):
    short, longer = of_steps(3), of_steps(5)
    begun = tmp_path / "begun"
    train(short, folder=begun)
    (begun / "check.json").write_text("{}")
    (begun / "exports").mkdir()
    (begun / "exports" / "mask.png").write_bytes(b"earlier")
    for number in range(20):
        folder = tmp_path / str(number)
        shutil.copytree(begun, folder)
        killed = killed_at_rename(number, lambda: RunFolder(folder).begin(longer))  # noqa: B023
        RunFolder(folder).begin(longer)
        assert not any((folder / name).exists() for name in ("check.json", "exports", "texture.safetensors"))
        earlier = RunFolder(folder / "steps-3")
        assert earlier.finished
        assert earlier.read_settings().trainer.steps == 3
        assert (earlier.path / "exports" / "mask.png").read_bytes() == b"earlier"
        for name in ("texture.safetensors", "texture.png", "check.json", "metrics.csv", "run.json"):
            assert (earlier.path / name).read_bytes() == (begun / name).read_bytes(), name
        if not killed:
            assert number > 6
            return


def test_a_second_run_in_the_same_folder_is_told(of_steps: Build, tmp_path: Path):
    other = RunFolder(tmp_path)
    with (
        other.alone(),
        pytest.raises(RunError, match=r"Another advmask is training in .*hydra\.run\.dir=DIR"),
    ):
        train(of_steps(2), folder=tmp_path)
    assert not (tmp_path / "config.yaml").exists()
    train(of_steps(2), folder=tmp_path)
    assert RunFolder(tmp_path).finished


@pytest.mark.parametrize("name", ["config.yaml", "stopped.json", "objects.json"])
@pytest.mark.parametrize("text", ["[" * 100_000, "{", "day: 2020-13-45", "\x00"])
def test_damaged_records_of_a_run_are_one_sentence(of_steps: Build, tmp_path: Path, name: str, text: str):
    run = RunFolder(tmp_path)
    run.begin(of_steps(2))
    (tmp_path / name).write_text(text)
    read = run.read_stops if name == "stopped.json" else lambda: run.begin(of_steps(2))
    with pytest.raises(RunError, match=rf"{name} (is damaged|cannot be read); (restore|delete) it"):
        read()
