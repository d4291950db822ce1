"""A run that is stopped, killed or damaged: it goes on bit for bit, or says in one sentence why not."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from advmask.core.errors import ConfigError, RunError
from advmask.textures.texel_files import load_texels
from advmask.training.module import DesignModule
from advmask.training.run import train
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings

Build = Callable[..., TrainSettings]
STEPS = 8
SAME = ("texture.safetensors", "texture.png", "metrics.csv", "config.yaml")


def steps_in(folder: Path) -> list[int]:
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as stream:
        return [int(row["step"]) for row in csv.DictReader(stream)]


def assert_same_run(folder: Path, other: Path) -> None:
    for name in SAME:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    one, two = (torch.load(each / "checkpoints" / "last.ckpt", weights_only=True) for each in (folder, other))
    assert one["global_step"] == two["global_step"]
    for key, value in two["state_dict"].items():
        assert torch.equal(one["state_dict"][key], value)
    moments = [each["optimizer_states"][0]["state"][0] for each in (one, two)]
    assert torch.equal(moments[0]["exp_avg_sq"], moments[1]["exp_avg_sq"])


@pytest.fixture(scope="module")
def settings(tiny_settings: Build) -> TrainSettings:
    return tiny_settings(steps=STEPS, checkpoint_every=3)


@pytest.fixture(scope="module")
def unbroken(settings: TrainSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("unbroken")
    train(settings, folder=folder)
    return folder


@pytest.fixture
def stopped_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, BaseException], None]]:
    """Let the training step of a number raise, once."""
    real = DesignModule.training_step
    handler = signal.getsignal(signal.SIGINT)

    def install(step: int, error: BaseException) -> None:
        def failing(self: DesignModule, batch: Any, batch_idx: int) -> Tensor:
            if batch.step == step:
                monkeypatch.setattr(DesignModule, "training_step", real)
                raise error
            return real(self, batch, batch_idx)

        monkeypatch.setattr(DesignModule, "training_step", failing)

    yield install
    signal.signal(signal.SIGINT, handler)


@pytest.mark.parametrize("step", [0, 2, 3, 4, 7])
def test_resumed_equals_unbroken(
    settings: TrainSettings, unbroken: Path, stopped_at: Any, tmp_path: Path, step: int, told: list[str]
):
    class _PowerCutError(Exception):
        pass

    stopped_at(step, _PowerCutError())
    with pytest.raises(_PowerCutError):
        train(settings, folder=tmp_path)
    assert (tmp_path / "checkpoints" / "last.ckpt").exists() is (step >= 3)
    assert not (tmp_path / "run.json").exists()
    train(settings, folder=tmp_path)
    wanted = f"Resuming {tmp_path} from step {step // 3 * 3} of {STEPS}."
    assert (wanted in told) is (step >= 3)
    assert steps_in(tmp_path) == list(range(STEPS))
    assert_same_run(tmp_path, unbroken)


def test_resumed_twice_equals_unbroken(
    settings: TrainSettings, unbroken: Path, stopped_at: Any, tmp_path: Path
):
    for step in (4, 7):
        stopped_at(step, ValueError("stop"))
        with pytest.raises(ValueError, match="stop"):
            train(settings, folder=tmp_path)
    train(settings, folder=tmp_path)
    assert steps_in(tmp_path) == list(range(STEPS))
    assert_same_run(tmp_path, unbroken)


def test_ctrl_c_stops_cleanly_and_resumes(
    settings: TrainSettings, unbroken: Path, stopped_at: Any, tmp_path: Path
):
    before = signal.getsignal(signal.SIGINT)
    stopped_at(5, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        train(settings, folder=tmp_path)
    assert signal.getsignal(signal.SIGINT) is before  # Lightning leaves Ctrl-C ignored
    train(settings, folder=tmp_path)
    assert_same_run(tmp_path, unbroken)


def test_killed_between_the_last_checkpoint_and_the_texture(
    settings: TrainSettings, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def cut(*_: object, **__: object) -> None:
        raise ValueError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("advmask.training.run.save_texels", cut)
        with pytest.raises(ValueError, match="power cut"):
            train(settings, folder=tmp_path)
    assert not (tmp_path / "texture.safetensors").exists()
    assert steps_in(tmp_path) == list(range(STEPS))
    train(settings, folder=tmp_path)
    assert_same_run(tmp_path, unbroken)


def test_killed_between_texture_and_record(
    settings: TrainSettings, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def cut(*_: object, **__: object) -> None:
        raise ValueError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "finish", cut)
        with pytest.raises(ValueError, match="power cut"):
            train(settings, folder=tmp_path)
    assert not (tmp_path / "run.json").exists()
    train(settings, folder=tmp_path)
    assert_same_run(tmp_path, unbroken)
    assert (tmp_path / "run.json").read_bytes() == (unbroken / "run.json").read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: b"this is not a checkpoint at all",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-50],
        lambda whole: bytes(len(whole)),
    ],
    ids=["empty", "text", "half", "end missing", "zeros"],
)
def test_a_damaged_checkpoint_is_one_sentence(
    settings: TrainSettings, unbroken: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]
):
    checkpoint = _begun(tmp_path, unbroken)
    checkpoint.write_bytes(spoil((unbroken / "checkpoints" / "last.ckpt").read_bytes()))
    _assert_refused(settings, tmp_path, checkpoint)


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        None,
        {"global_step": None},
        {"global_step": 3},
        {"global_step": "x"},
        {"global_step": 3, "state_dict": {}},
        torch.zeros(3),
    ],
    ids=["list", "none", "no step", "step alone", "word", "no texture", "tensor"],
)
def test_a_foreign_checkpoint_is_one_sentence(
    settings: TrainSettings, unbroken: Path, tmp_path: Path, content: Any
):
    checkpoint = _begun(tmp_path, unbroken)
    torch.save(content, checkpoint)
    _assert_refused(settings, tmp_path, checkpoint)


def test_a_checkpoint_of_another_texture_is_one_sentence(
    settings: TrainSettings, unbroken: Path, tmp_path: Path
):
    checkpoint = _begun(tmp_path, unbroken)
    content = torch.load(unbroken / "checkpoints" / "last.ckpt", weights_only=True)
    content["state_dict"] = {
        key: value[..., :-1] if value.ndim else value for key, value in content["state_dict"].items()
    }
    torch.save(content, checkpoint)
    _assert_refused(settings, tmp_path, checkpoint)


def test_a_checkpoint_that_would_run_code_is_not_run(settings: TrainSettings, unbroken: Path, tmp_path: Path):
    checkpoint = _begun(tmp_path, unbroken)
    torch.save({"global_step": 3, "evil": _Evil(tmp_path / "evil")}, checkpoint)
    _assert_refused(settings, tmp_path, checkpoint)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("text", ["", "nonsense\n", "step,loss\nx,1\n", "loss\n0.5\n", "\x00\x01"])
def test_a_damaged_metrics_file_is_no_traceback(
    settings: TrainSettings, unbroken: Path, tmp_path: Path, text: str
):
    """The log is for reading; losing it must not lose the run, nor end in an error nobody understands."""
    _begun(tmp_path, unbroken)
    (tmp_path / "metrics.csv").write_text(text)
    told: list[str] = []
    try:
        train(settings, folder=tmp_path)
    except RunError as error:
        told.append(str(error))
    if told:
        assert told == [
            f"{tmp_path / 'metrics.csv'} is damaged; delete it to go on without its earlier rows."
        ]
    else:
        assert steps_in(tmp_path) == list(range(STEPS))


class _Evil:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


def _begun(folder: Path, unbroken: Path) -> Path:
    (folder / "checkpoints").mkdir()
    (folder / "config.yaml").write_bytes((unbroken / "config.yaml").read_bytes())
    return folder / "checkpoints" / "last.ckpt"


def _assert_refused(settings: TrainSettings, folder: Path, checkpoint: Path) -> None:
    before = checkpoint.read_bytes()
    with pytest.raises(RunError) as caught:
        train(settings, folder=folder)
    sentence = str(caught.value)
    assert str(checkpoint) in sentence
    assert "delete it to start this run again" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 600 + len(str(checkpoint))
    assert checkpoint.read_bytes() == before
    assert not (folder / "texture.safetensors").exists()


_SCRIPT = """\
import sys, yaml
from pathlib import Path
from advmask.training.run import train
from advmask.training.settings import TrainSettings
folder = Path(sys.argv[1])
train(TrainSettings.build(yaml.safe_load(Path(sys.argv[2]).read_text())), folder=folder)
"""


def _killed(folder: Path, config: Path, *, when: Callable[[], bool]) -> None:
    """Run in another process, and end it without warning at the moment that `when` turns true."""
    with subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(folder), str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and not when() and time.monotonic() < deadline:
            time.sleep(0.002)
        process.kill()  # SIGKILL
    assert process.returncode == -signal.SIGKILL


def test_kill_9_after_the_first_checkpoint(tiny_settings: Build, tmp_path: Path, told: list[str]):
    settings = tiny_settings(steps=40, checkpoint_every=2, preview_every=2)
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings.model_dump(mode="json")))
    folder = tmp_path / "killed"
    _killed(folder, config, when=(folder / "checkpoints" / "last.ckpt").exists)
    assert not (folder / "run.json").exists()
    train(settings, folder=folder)
    assert any(sentence.startswith("Resuming") for sentence in told)
    train(settings, folder=tmp_path / "unbroken")
    assert steps_in(folder) == list(range(40))
    assert_same_run(folder, tmp_path / "unbroken")


@pytest.mark.slow
def test_kill_9_at_random_moments(tiny_settings: Build, tmp_path: Path):
    settings = tiny_settings(steps=120, checkpoint_every=1, preview_every=1)
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings.model_dump(mode="json")))
    train(settings, folder=tmp_path / "unbroken")
    texels = load_texels(tmp_path / "unbroken" / "texture.safetensors")
    folder = tmp_path / "killed"
    draw = random.Random(4)
    for _ in range(6):
        path = folder / "checkpoints" / "last.ckpt"
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        begun: list[float] = []
        delay = draw.uniform(0, 0.25)

        def moment() -> bool:
            """Some time after this process wrote its first checkpoint."""
            if path.exists() and path.stat().st_mtime_ns != stamp and not begun:  # noqa: B023
                begun.append(time.monotonic())  # noqa: B023
            return bool(begun) and time.monotonic() > begun[0] + delay  # noqa: B023

        _killed(folder, config, when=moment)
        torch.load(path, weights_only=True)  # whole at any moment
    train(settings, folder=folder)
    assert steps_in(folder) == list(range(120))
    assert torch.equal(load_texels(folder / "texture.safetensors"), texels)
    assert_same_run(folder, tmp_path / "unbroken")


def test_a_mistyped_setting_may_be_mended_before_the_first_checkpoint(
    settings: TrainSettings, unbroken: Path, tmp_path: Path
):
    wrong = settings.model_copy(update={"recognizers": ["dlibb"]})
    with pytest.raises(ConfigError, match="dlibb"):
        train(wrong, folder=tmp_path)
    train(settings, folder=tmp_path)
    assert_same_run(tmp_path, unbroken)
