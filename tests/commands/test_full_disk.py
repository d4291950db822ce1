"""A full disk, or a folder that can only be read, for every command that writes: a sentence, nothing lost."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from tiny_chain import words, write_network

from advmask import cli
from advmask.commands import compare, evaluate, judge
from advmask.photos.loading import portrait_path
from advmask.textures.design_files import Design

resource = pytest.importorskip("resource")

LIMIT = 4_000  # bytes that a file may have
MINE = b"the user's own"


@contextmanager
def no_room() -> Iterator[None]:
    """No file grows beyond a few kilobytes, which a program is told as it is told of a full disk."""
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing can be written into a folder and those in it."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for each in folders:
        each.chmod(0o500)
    try:
        yield
    finally:
        for each in folders:
            each.chmod(0o700)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network, a finished run and pictures of a face."""
    folder = tmp_path_factory.mktemp("full")
    network = write_network(folder / "tiny.onnx")
    given = words(network, folder / "cache", trainer__steps=2, trainer__preview_every=0)
    assert cli.main(["train", *given, "check=false", f"hydra.run.dir={folder / 'run'}"]) == 0
    portrait = Image.open(portrait_path()).convert("RGB")
    for name in ("a.png", "a.jpg", "a.tif", "a.webp"):
        portrait.save(folder / name)
    return folder


@pytest.fixture
def run(place: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(place / "run", tmp_path / "run"))


def train(place: Path, run: Path) -> list[str]:
    given = words(f"onnx:{place / 'tiny.onnx'}", place / "cache", trainer__steps=2)
    return ["train", *given, "check=false", f"hydra.run.dir={run.parent / 'new'}"]


def train_longer(place: Path, run: Path) -> list[str]:
    given = words(f"onnx:{place / 'tiny.onnx'}", place / "cache", trainer__steps=4, trainer__preview_every=0)
    return ["train", *given, "check=false", f"hydra.run.dir={run}"]


def evaluate_run(place: Path, run: Path) -> list[str]:
    given = ["protocol.draws=2", "protocol.progress=false", "protocol.aligners=[bare]"]
    return ["evaluate", str(run), *given]


def applied(ending: str) -> Callable[[Path, Path], list[str]]:
    def given(place: Path, run: Path) -> list[str]:
        source, target = place / f"a{ending}", run / f"out{ending}"
        return ["apply", str(place / "run"), f"input={source}", f"output={target}", "progress=false"]

    return given


def preview(place: Path, run: Path) -> list[str]:
    return ["preview", str(run), "progress=false"]


def pattern(place: Path, run: Path) -> list[str]:
    return ["pattern", "mask=contour", f"out={run}"]


def export(place: Path, run: Path) -> list[str]:
    return ["export", str(run), "printing.dpi=72"]


def chart(place: Path, run: Path) -> list[str]:
    pytest.importorskip("cv2")
    return ["calibrate", "chart", "dpi=150", f"out={run}"]


COMMANDS = [train, train_longer, evaluate_run, preview, pattern, export, chart]


@pytest.mark.slow
@pytest.mark.parametrize(
    "given", [*COMMANDS, *map(applied, (".png", ".jpg", ".tif", ".webp"))], ids=lambda one: one.__name__
)
def test_a_full_disk(
    given: Callable[[Path, Path], list[str]], place: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "mine.txt").write_bytes(MINE)
    before, argv = sums(run), given(place, run)
    with no_room():
        code = cli.main(argv)
    err = capsys.readouterr().err
    assert code == 7, err
    assert err.startswith("Cannot write ")
    assert err.endswith(": File too large. Choose another folder or free the disk.\n")
    assert err.count("\n") == 1
    after = sums(run)
    assert set(before.values()) <= set(after.values()), "nothing is lost, though it may be put by"
    assert not list(run.parent.rglob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize("given", [*COMMANDS, applied(".png")], ids=lambda one: one.__name__)
def test_a_folder_that_can_only_be_read(
    given: Callable[[Path, Path], list[str]], place: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, argv = sums(run), given(place, run)
    with read_only(run.parent):
        if os.access(run, os.W_OK):
            pytest.skip("the superuser may write anywhere")
        code = cli.main(argv)
    err = capsys.readouterr().err
    assert code == 7, err
    assert "Permission denied" in err
    assert err.count("\n") == 1
    assert sums(run) == before


def test_who_cannot_write_does_not_score_first(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def scored(*_: object, **__: object) -> Design:
        raise AssertionError("that took hours")

    monkeypatch.setattr(evaluate, "evaluate_design", scored)
    monkeypatch.setattr(compare, "load_faces", scored)
    monkeypatch.setattr(judge, "judge_folder", scored)
    monkeypatch.setattr("advmask.commands.output.os.access", lambda *_: False)
    runs = [str(place / "run")] * 2
    for argv in (["evaluate", runs[0]], ["compare", *runs], ["judge", f"photos={place}"]):
        assert cli.main([*argv, f"hydra.run.dir={tmp_path}"]) == 7
        assert "Cannot write to" in capsys.readouterr().err


def sums(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
