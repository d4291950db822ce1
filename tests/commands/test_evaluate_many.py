"""`advmask evaluate` of several designs, and a sweep from its folder to tables, as a user runs them."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tiny_chain import settings_values, write_network

from advmask import cli
from advmask.training.run import train
from advmask.training.settings import TrainSettings


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Settings of a few seconds."""
    return [
        f"recognizers=[{write_network(tmp_path / 'tiny.onnx')}]",
        f"faces.cache={tmp_path / 'cache'}",
        "faces.size=112",
        "protocol.draws=2",
        "protocol.aligners=[bare]",
        "protocol.progress=false",
        "pictures=false",
    ]


def test_each_table_says_whose_it_is(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [tmp_path / "a design.png", tmp_path / "plain.png"]
    Image.effect_noise((60, 40), 90).save(names[0])
    Image.new("RGB", (60, 40), "white").save(names[1])
    folder = tmp_path / "out"
    given = ["evaluate", *map(str, names), *words, "texels_per_mm=1", f"hydra.run.dir={folder}"]
    assert cli.main(given) == 0
    out = capsys.readouterr().out
    for number, name in enumerate(names, 1):
        assert f"== {number} of 2: {name} ==" in out
        record = json.loads((folder / name.stem / "results.json").read_text())
        assert record["design"]["name"] == name.name
    assert cli.main([*given, "protocol.shard=1/2"]) == 2
    assert "name one design with it" in capsys.readouterr().err


def test_one_that_is_not_there_is_said_before_the_first_is_scored(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (60, 40), "white").save(tmp_path / "plain.png")
    given = ["evaluate", str(tmp_path / "plain.png"), str(tmp_path / "none.png"), *words]
    assert cli.main([*given, f"hydra.run.dir={tmp_path / 'out'}"]) == 6
    assert "none.png" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of one finished run and one that was never begun in earnest."""
    folder = tmp_path_factory.mktemp("trained")
    values = settings_values(write_network(folder / "tiny.onnx"), folder / "cache", steps=1, preview_every=0)
    train(TrainSettings.build(values), folder=folder / "sweep" / "0")
    (folder / "sweep" / "1").mkdir()
    shutil.copy(folder / "sweep" / "0" / "config.yaml", folder / "sweep" / "1")
    return folder / "sweep"


def test_tables_are_of_what_was_measured_now(
    trained: Path, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Results of another evaluation in the run itself are neither told nor overwritten."""
    sweep, chosen = shutil.copytree(trained, tmp_path / "sweep"), tmp_path / "out"
    (sweep / "0" / "results.json").write_text("{}")
    (sweep / "collect.md").write_text("as it was")
    given = ["evaluate", str(sweep), *words[1:], "protocol.people=all"]
    assert cli.main([*given, f"hydra.run.dir={chosen}"]) == 0
    out = capsys.readouterr().out
    (written,) = chosen.rglob("results.json")
    tar = json.loads(written.read_text())["results"][0]["conditions"]["design"]["tar"]["value"]
    record = json.loads((chosen / "collect.json").read_text())
    assert record["runs"][0]["results"][0]["tar"]["value"] == tar
    assert "Left out: " in out
    assert (sweep / "collect.md").read_text() == "as it was"


def test_a_sweep_beside_a_picture_has_its_tables(
    trained: Path,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = shutil.copytree(trained, tmp_path / "sweep")
    Image.new("RGB", (60, 40), "white").save(tmp_path / "plain.png")
    given = ["evaluate", str(sweep), *words, "protocol.people=all"]
    assert cli.main([*given, str(tmp_path / "none.png")]) == 6  # only what a sweep holds is left out
    assert "none.png" in capsys.readouterr().err
    assert cli.main([*given, str(tmp_path / "plain.png")]) == 0
    assert [one["run"] for one in json.loads((sweep / "collect.json").read_text())["runs"]] == ["sweep/0"]


@pytest.mark.slow
def test_a_sweep_ends_in_a_table_and_figures_by_two_commands(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    sweep, settings = tmp_path / "sweep", [*words[:3], "texture.texels_per_mm=1", "trainer.steps=3"]
    settings += ["trainer.batch=2", "trainer.preview_every=0", "trainer.progress=false", "export=false"]
    train = ["train", "-m", "texture=pixels,pyramid", "seed=0,1,2", *settings, "check=false"]
    assert cli.main([*train, f"hydra.sweep.dir={sweep}"]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", str(sweep), *words[3:], "protocol.people=all"]) == 0
    out = capsys.readouterr().out
    assert "== 6 of 6" in out
    record = json.loads((sweep / "collect.json").read_text())
    assert [len(one["runs"]) for one in record["recipes"]] == [3, 3]
    assert (sweep / "collect.tex").read_text().count(r"\begin{table}") >= 3
    assert cli.main(["figures", str(sweep), "probes=2", "steps=1"]) == 0
    drawn = {path.stem for path in (sweep / "0" / "figures").glob("*.svg")}
    assert {"course", "scores", "saliency"} <= drawn
    assert {path.stem for path in (sweep / "figures").glob("*.pdf")} == {"course", "rates"}
