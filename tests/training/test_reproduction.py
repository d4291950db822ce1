"""A run made again: bit-equal here, and in plain words what differs where something does."""

import csv
import json
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from advmask import cli
from advmask.core.errors import AdvmaskError, ConfigError, RunError
from advmask.photos.loading import portrait_path
from advmask.textures.texel_files import load_texels, save_texels
from advmask.training.made_with import not_recorded
from advmask.training.not_tested import not_tested
from advmask.training.reproduction import REPRODUCTION, reproduce
from advmask.training.run import train
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings

Build = Callable[..., TrainSettings]


@pytest.fixture(scope="module")
def made(tiny_settings: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on photos of one person in a folder, started from and styled after pictures that are gone."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "photos" / "ada").mkdir(parents=True)
    shutil.copy(portrait_path(), folder / "photos" / "ada" / "1.png")
    Image.new("RGB", (40, 30), (90, 140, 200)).save(folder / "sky.png")
    values = tiny_settings(steps=3, preview_every=0).model_dump()
    values["faces"]["root"] = folder / "photos"
    values["texture"]["start"] = str(folder / "sky.png")
    Image.new("RGB", (40, 30), (200, 90, 40)).save(folder / "art.png")
    values["objective"]["style"] = {"picture": str(folder / "art.png"), "weight": 20.0}
    train(TrainSettings.build(values), folder=folder / "run")
    (folder / "sky.png").unlink()
    (folder / "art.png").unlink()
    return folder / "run"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def edit(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((run / "run.json").read_text())
    change(record)
    (run / "run.json").write_text(json.dumps(record))


def test_a_run_of_20_steps_is_bit_equal(tiny_settings: Build, tmp_path: Path):
    train(tiny_settings(steps=20, preview_every=0), folder=tmp_path / "run")
    found = reproduce(tmp_path / "run", folder=tmp_path / "again", bars=False)
    assert found.equal
    assert found.made_with == found.not_recorded == ()
    assert found.text().startswith("Bit-equal: all 3 x ")
    one, other = ((tmp_path / name / "texture.safetensors").read_bytes() for name in ("run", "again"))
    assert one == other
    kept = json.loads((tmp_path / "again" / REPRODUCTION).read_text())
    assert (kept["equal"], kept["design"]) == (True, found.design)
    assert any("nobody was held out" in one for one in kept["not_tested"])
    assert any("evaluate" in one for one in kept["not_tested"])


def test_the_record_locks_what_a_run_depends_on(made: Path):
    record = json.loads((made / "run.json").read_text())
    assert {"advmask", "torch", "numpy", "kornia", "pillow", "scipy", "pydantic"} <= set(record["packages"])
    assert "pytest" not in record["packages"]
    assert len(record["package_sha256"]) == len(record["texture_sha256"]) == 64
    assert record["machine"]["device"] == "cpu"
    assert record["machine"]["threads"] == 1
    assert set(record) >= {"commit", "python", "system"}
    assert record["commit"] is None or len(record["commit"]["id"]) == 40
    (photo,) = csv.DictReader((made / "photos.csv").read_text("utf-8").splitlines())
    assert (photo["person"], photo["photo"], len(photo["sha256"])) == ("ada", "ada/1.png", 64)
    assert (made / "started_from" / "sky.png").exists()
    assert (made / "styled_after" / "art.png").exists()
    assert {len(record["files"][key]) for key in ("texture.start", "objective.style.picture")} == {64}


def test_photos_are_known_by_their_content(made: Path, run: Path, tmp_path: Path):
    moved = tmp_path / "elsewhere" / "ada"
    moved.mkdir(parents=True)
    shutil.copy(portrait_path(), moved / "called otherwise.png")
    found = reproduce(run, folder=tmp_path / "again", faces={"root": moved.parent}, bars=False)
    assert found.equal
    assert found.made_with == ()
    other = Image.open(moved / "called otherwise.png")
    other.point(lambda value: value // 2 + 40).save(moved / "called otherwise.png")
    (tmp_path / "again" / "run.json").unlink()
    shutil.rmtree(tmp_path / "again")
    found = reproduce(run, folder=tmp_path / "again", faces={"root": moved.parent}, bars=False)
    assert not found.equal
    assert "1 photo, by content, not here of the 1 there were: ada/1.png." in found.made_with
    assert found.design.startswith("Not bit-equal: ")


def test_what_differs_is_said_in_words(run: Path, tmp_path: Path):
    def older(record: dict[str, Any]) -> None:
        record["packages"] |= {"torch": "2.0.1", "gone": "1.0"}
        record["package_sha256"] = "0" * 64
        record["commit"] = {"id": "abc" * 13 + "d", "changed": True}
        record["machine"]["instructions"] = "AVX7"
        record["recognizers"][0]["weights_sha256"] = "1" * 64
        record["files"]["texture.start"] = "2" * 64

    edit(run, older)
    texels = load_texels(run / "texture.safetensors").clone()
    texels[0, 0, 0] = 1 - texels[0, 0, 0]
    save_texels(run / "texture.safetensors", texels)
    found = reproduce(run, folder=tmp_path / "again", bars=False)
    assert not found.equal
    text = found.text()
    for sentence in (
        f"torch was 2.0.1 and is {metadata.version('torch')} here.",
        "gone was 1.0 and is not installed here.",
        "advmask's own files are others: commit abcabcabcabc with changes then, ",
        "Instructions of the processor that torch uses: AVX7 then, ",
        "The weights of onnx:",
        "The picture of texture.start is another (SHA-256).",
        "and may be the reason:",
    ):
        assert sentence in text, text


def test_a_run_of_an_earlier_version_is_made_again(run: Path, tmp_path: Path):
    kept = ("seed", "mask_sha256", "steps", "split", "photos", "recognizers")
    record = json.loads((run / "run.json").read_text())
    older = {"packages": {"advmask": "0.0.9"}} | {key: record[key] for key in kept}
    (run / "run.json").write_text(json.dumps(older))
    (run / "photos.csv").unlink()
    found = reproduce(run, folder=tmp_path / "again", bars=False)
    assert found.equal
    assert [one.split(" and ")[0] for one in found.made_with] == ["advmask was 0.0.9"]
    assert len(found.not_recorded) == 2
    assert "What is not as it was when the run was made:" in found.text()


def test_a_run_made_longer_is_made_again_in_the_same_parts(tiny_settings: Build, tmp_path: Path):
    for steps in (2, 4):
        train(tiny_settings(steps=steps, preview_every=0), folder=tmp_path / "run")
    for _ in range(2):  # the second time nothing is trained, and nothing is in the way
        assert reproduce(tmp_path / "run", folder=tmp_path / "again", bars=False).equal


def test_what_cannot_be_made_again_is_said(run: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match="is the run itself"):
        reproduce(run, folder=run / ".." / "run")
    with pytest.raises(ConfigError, match="trained against 1 recognizers"):
        reproduce(run, folder=tmp_path / "again", recognizers=["dlib", "dlib"])
    with pytest.raises(RunError, match="holds no finished run"):
        reproduce(tmp_path / "nowhere", folder=tmp_path / "again")
    with pytest.raises(ConfigError, match=r"say where they are with faces\.root=PATH"):
        reproduce(run, folder=tmp_path / "again", faces={"root": tmp_path / "nowhere"})
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("texture.safetensors", "no texels", "texture.safetensors"),
        ("photos.csv", "person,photo\nada,1.png\n", "photos.csv is damaged"),
        ("run.json", '{"packages": ["torch"]}', "run.json or "),
    ],
)
def test_a_damaged_run_is_said_before_it_is_made_again(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, said: str
):
    monkeypatch.setattr("advmask.training.reproduction.train", lambda *_, **__: pytest.fail("trained"))
    (run / name).write_text(content)
    with pytest.raises(AdvmaskError, match=said):
        reproduce(run, folder=tmp_path / "again")


def test_the_first_of_several_processes_compares(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("advmask.training.reproduction.train", lambda *_, **__: None)
    monkeypatch.setattr("advmask.training.reproduction.is_first_process", lambda: False)
    assert reproduce(made, folder=tmp_path / "again", bars=False) is None
    assert not (tmp_path / "again").exists()


def test_results_of_another_texture_are_told(run: Path):
    own = json.loads((run / "run.json").read_text())["texture_sha256"]
    for checksum, told in ((own, False), ("0" * 64, True)):
        (run / "results.json").write_text(json.dumps({"design": {"texels_sha256": checksum}}))
        bill = not_tested(RunFolder(run))
        assert any("is of another one" in one for one in bill) is told


def test_other_photos_after_a_stop_are_kept_and_told(
    made: Path, tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    values = tiny_settings(steps=4, checkpoint_every=2, preview_every=0).model_dump()
    values["faces"]["root"] = shutil.copytree(made.parent / "photos", tmp_path / "photos")
    settings = TrainSettings.build(values)
    with monkeypatch.context() as patch:
        patch.setattr("advmask.training.run.save_texels", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(settings, folder=tmp_path / "run")
    before = (tmp_path / "run" / "photos.csv").read_text()
    (tmp_path / "photos" / "ada" / "1.png").rename(tmp_path / "photos" / "ada" / "2.png")
    train(settings, folder=tmp_path / "run")
    assert (tmp_path / "run" / "photos.1.csv").read_text() == before
    assert (tmp_path / "run" / "photos.csv").read_text() != before
    (told,) = not_recorded(RunFolder(tmp_path / "run"))
    assert "resumed on other photos than it began with (photos.1.csv)" in told


def test_versions_that_change_between_two_sittings_are_kept(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = tiny_settings(steps=4, checkpoint_every=2, preview_every=0)
    with monkeypatch.context() as patch:
        patch.setattr("advmask.training.run.save_texels", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(settings, folder=tmp_path / "run")
    sittings = tmp_path / "run" / "checkpoints" / "sittings.json"
    (first,) = json.loads(sittings.read_text())
    sittings.write_text(json.dumps([first | {"python": "3.0"}]))
    train(settings, folder=tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert [(one["step"], one["python"]) for one in record["sittings"]] == [(0, "3.0"), (4, first["python"])]
    found = reproduce(tmp_path / "run", folder=tmp_path / "again", bars=False)
    assert found.equal
    assert any(one.startswith("From step 4 on") for one in found.not_recorded)


def test_the_command(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["reproduce", "run", "hydra.run.dir=again", "progress=false"]) == 0
    told = capsys.readouterr().out
    assert "Bit-equal: " in told
    assert "Not tested:" in told
    assert (tmp_path / "again" / REPRODUCTION).exists()
    assert cli.main(["reproduce", "hydra.run.dir=again"]) == 2
    (run / "objects.json").write_text('{"terms": ["mine"]}')
    assert cli.main(["reproduce", "run", "hydra.run.dir=more"]) == 7
    assert "was given objects from Python" in capsys.readouterr().err
