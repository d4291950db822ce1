"""The commands as a user runs them, on the default portrait with a tiny network."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from tiny_chain import words, write_network

from advmask import cli
from advmask.textures.texel_files import load_texels


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with a network, which the user stands in; its name needs quotes."""
    folder = tmp_path_factory.mktemp("a user's place, (1)")
    write_network(folder / "tiny.onnx")
    before = Path.cwd()
    os.chdir(folder)
    torch.set_num_threads(1)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module", autouse=True)
def _few_probes() -> Iterator[None]:
    """The check at the end of training takes 64 probes, which is too long here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("advmask.evaluation.protocol.PROBES_WANTED", 3)
        yield


@pytest.fixture(scope="module")
def run_folder(place: Path) -> Path:
    """A finished run."""
    assert cli.main(["train", *words("onnx:tiny.onnx", place / "cache"), "hydra.run.dir=runs/first"]) == 0
    return place / "runs" / "first"


@pytest.fixture
def run_copy(run_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run_folder, tmp_path / "copy"))


def evaluation(design: Path | str, *more: str) -> list[str]:
    return ["evaluate", f"design={design}", "protocol.draws=2", "protocol.progress=false", *more]


def test_train_leaves_a_run_and_says_where(run_folder: Path, place: Path, capsys: pytest.CaptureFixture[str]):
    names = set(files_of(run_folder))
    assert {"config.yaml", "run.json", "texture.png", "texture.safetensors", "metrics.csv"} <= names
    assert {"exports/mask.png", "exports/mask.pdf", "check.json"} <= names
    assert not any(".hydra" in name or name.endswith(".log") for name in names)
    check = json.loads((run_folder / "check.json").read_text())
    assert {result["aligner"] for result in check["results"]} == {"mtcnn", "bare"}
    assert (run_folder / "exports" / "mask.pdf").read_bytes().startswith(b"%PDF")
    assert {path.name for path in place.iterdir()} == {"tiny.onnx", "tiny.yaml", "cache", "runs"}


def test_exports_and_check_may_be_left_out_and_made_up_for(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    command = [
        "train",
        *words("onnx:tiny.onnx", place / "cache", trainer__steps=1),
        f"hydra.run.dir={tmp_path}",
    ]
    assert cli.main([*command, "export=false", "check=false"]) == 0
    out = capsys.readouterr().out
    assert not {"check.json", "exports/mask.png", "exports/mask.pdf"} & set(files_of(tmp_path))
    assert "Checked on" not in out
    assert "To print:" not in out
    assert f"advmask export {tmp_path} paper=a4" in out
    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert "nothing is trained again" in out
    assert "Checked on" in out
    assert {"check.json", "exports/mask.png", "exports/mask.pdf"} <= set(files_of(tmp_path))


def test_a_finished_run_stays_as_it_is(run_folder: Path, place: Path, capsys: pytest.CaptureFixture[str]):
    before = files_of(run_folder)
    capsys.readouterr()
    assert cli.main(["train", *words("onnx:tiny.onnx", place / "cache"), "hydra.run.dir=runs/first"]) == 0
    out, err = capsys.readouterr()
    assert "finished; nothing is trained again" in out
    assert err == ""
    assert "The design:" in out
    after = files_of(run_folder)
    assert {name: content for name, (_, content) in after.items()} == {
        name: content for name, (_, content) in before.items()
    }
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"exports/mask.png", "exports/mask.pdf"}  # written again, to the same bytes


def test_other_settings_in_the_folder_of_a_run(
    run_folder: Path, place: Path, capsys: pytest.CaptureFixture[str]
):
    before = files_of(run_folder)
    capsys.readouterr()
    assert (
        cli.main(
            ["train", *words("onnx:tiny.onnx", place / "cache", trainer__steps=5), "hydra.run.dir=runs/first"]
        )
        == 7
    )
    err = capsys.readouterr().err
    assert "trainer.steps was 6, now 5" in err
    assert err.count("\n") == 1
    assert files_of(run_folder) == before


def test_preview_of_a_run_lands_beside_it(run_copy: Path, capsys: pytest.CaptureFixture[str]):
    before = files_of(run_copy)
    assert cli.main(["preview", f"design={run_copy}", "progress=false"]) == 0
    out, err = capsys.readouterr()
    assert f"Written to {run_copy / 'preview.png'}" in out
    assert err == ""
    after = files_of(run_copy)
    assert set(after) - set(before) == {"preview.png"}
    assert {name: after[name] for name in before} == before
    with Image.open(run_copy / "preview.png") as picture:
        assert picture.width > 3 * 112  # the crop size of the run, not the command's own 224
        assert picture.width < 3 * 150


def test_preview_of_a_picture_file(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    picture = tmp_path / "my, design=[1].png"
    Image.new("RGB", (40, 30), (200, 30, 30)).save(picture)
    words = [f"design={picture}", f"faces.cache={place / 'cache'}", "faces.size=112", "texels_per_mm=1"]
    assert cli.main(["preview", *words, f"hydra.run.dir={tmp_path / 'out'}"]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["preview.png"]


def test_evaluate_takes_its_settings_from_the_run(run_copy: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(evaluation(run_copy)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    record = json.loads((run_copy / "results.json").read_text())
    run = yaml.safe_load((run_copy / "config.yaml").read_text())
    for key in ("recognizers", "faces", "mask", "render", "effects"):
        assert record["settings"][key] == run[key], key
    assert record["settings"]["texels_per_mm"] == 1.0
    assert record["settings"]["protocol"]["draws"] == 2
    assert {result["recognizer"] for result in record["results"]} == {"tiny"}
    conditions = set(record["results"][0]["conditions"])
    assert conditions == {"bare", "white", "surgical_blue", "black", "noise", "lower_face", "design"}
    assert record["people"] == {"probed": ["astronaut"], "held_out": False, "at_hand": 1}
    assert "tiny, aligned as on the bare picture: 2 probes" in out
    assert "the design was trained on some or all of them" in out
    assert "not a promise" in out
    assert "protected" not in out.lower()


def test_the_command_line_wins_over_the_run(run_copy: Path, tmp_path: Path):
    other = write_network(tmp_path / "nets" / "other.onnx", seed=5)
    given = [
        f"recognizers=[{other}]",
        "protocol.aligners=[bare]",
        "faces.min_probability=0.5",
        "effects=none",
        "render.shading=false",
        "protocol.people=all",
    ]
    assert cli.main(evaluation(run_copy, *given)) == 0
    settings = json.loads((run_copy / "results.json").read_text())["settings"]
    run = yaml.safe_load((run_copy / "config.yaml").read_text())
    assert settings["recognizers"] == [other]
    assert settings["protocol"]["aligners"] == ["bare"]
    assert settings["faces"] == run["faces"] | {"min_probability": 0.5}  # the rest is the run's
    assert settings["effects"]["camera"]["sensor"]["noise"] == 0.0
    assert settings["effects"]["wear"]["shift_mm"] == 0.0
    assert settings["render"] == run["render"] | {"shading": False}


def test_an_override_equal_to_the_default_wins_too(run_copy: Path):
    """The run was cut at 112 px; asking for the command's own default of 224 is asking."""
    assert cli.main(evaluation(run_copy, "faces.size=224", "protocol.aligners=[bare]")) == 0
    assert json.loads((run_copy / "results.json").read_text())["settings"]["faces"]["size"] == 224


def test_evaluating_again_keeps_earlier_results(run_copy: Path):
    for seed in (1, 1, 2):
        assert cli.main(evaluation(run_copy, f"protocol.seed={seed}", "protocol.aligners=[bare]")) == 0
    assert json.loads((run_copy / "results.json").read_text())["settings"]["protocol"]["seed"] == 2
    assert json.loads((run_copy / "results-1.json").read_text())["settings"]["protocol"]["seed"] == 1
    assert not (run_copy / "results-2.json").exists()


def test_evaluate_a_picture_file(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    picture = tmp_path / "design.png"
    Image.new("RGB", (466, 304), "white").save(picture)
    given = [
        f"recognizers=[onnx:{place / 'tiny.onnx'}]",
        f"faces.cache={place / 'cache'}",
        "faces.size=112",
        "texels_per_mm=1",
        "protocol.aligners=[bare]",
        f"hydra.run.dir={tmp_path / 'out'}",
    ]
    assert cli.main(evaluation(picture, *given)) == 0
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    (result,) = record["results"]
    assert result["conditions"]["design"]["similarity"] == pytest.approx(
        result["conditions"]["white"]["similarity"], abs=1e-3
    )
    assert record["people"]["held_out"] is None  # a picture was trained on nobody we know of
    assert "trained on" not in capsys.readouterr().out


def test_evaluate_elsewhere_leaves_the_run_alone(run_copy: Path, tmp_path: Path):
    before = files_of(run_copy)
    given = ["protocol.aligners=[bare]", f"hydra.run.dir={tmp_path / 'elsewhere'}"]
    assert cli.main(evaluation(run_copy, *given)) == 0
    assert files_of(run_copy) == before
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == [
        "card.png",
        "card.svg",
        "comparisons.csv.gz",
        "report.html",
        "results.csv",
        "results.json",
        "results.md",
        "results.tex",
        "scores.csv.gz",
    ]


def test_the_default_folder_of_a_run_is_dated(place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    short = words(f"onnx:{place / 'tiny.onnx'}", place / "cache", trainer__steps=1, trainer__preview_every=0)
    assert cli.main(["train", *short]) == 0
    (folder,) = (tmp_path / "runs" / "train").iterdir()
    assert load_texels(folder / "texture.safetensors").shape[0] == 3


@pytest.mark.slow
def test_the_console_script_in_a_process_of_its_own(place: Path, tmp_path: Path):
    """Interrupted by Ctrl-C, the run says how to go on, and then does."""
    # A shell's background jobs ignore Ctrl-C, and so would this one if the tests run in such a job.
    script = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from advmask.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", script, "train"]
    command += words(f"onnx:{place / 'tiny.onnx'}", place / "cache", trainer__steps=200)
    command += ["hydra.run.dir=out"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not (tmp_path / "out" / "checkpoints" / "last.ckpt").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    said, _, to_resume = err.rstrip("\n").partition(": advmask ")
    assert said == "Stopped. To resume"
    command[3:] = shlex.split(to_resume)  # as a shell reads the line
    assert command[-1] == "hydra.run.dir=out"
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stderr
    assert "Resuming" in again.stdout
    rows = (tmp_path / "out" / "metrics.csv").read_text().splitlines()
    assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(200))
