"""`advmask compare` as a user runs it, on the default portrait with a tiny network."""

import csv
import gzip
import json
from pathlib import Path

import pytest
from PIL import Image
from tiny_chain import write_network

from advmask import cli
from advmask.commands.settings import CompareCommand
from advmask.core.errors import ConfigError


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Two pictures, one of them twice, and settings of a few seconds."""
    network = write_network(tmp_path / "tiny.onnx")
    Image.effect_noise((60, 40), 90).save(tmp_path / "a design.png")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (60, 40), "white").save(tmp_path / folder / "plain.png")
    names = [tmp_path / "a design.png", tmp_path / "one" / "plain.png", tmp_path / "two" / "plain.png"]
    settings = [
        f"recognizers=[{network}]",
        f"faces.cache={tmp_path / 'cache'}",
        "faces.size=112",
        "texels_per_mm=1",
        "protocol.draws=2",
        "protocol.aligners=[bare]",
        "protocol.progress=false",
        f"hydra.run.dir={tmp_path / 'out'}",
    ]
    return ["compare", *map(str, names), *settings]


def test_designs_stand_side_by_side(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "compare.json").read_text())
    (result,) = record["results"]
    names = ["a design", "plain (2)", "plain (3)", "white", "surgical_blue", "black"]
    assert list(record["designs"]) == names[:3]
    assert list(result["designs"]) == names
    assert result["designs"]["a design"]["tar_more"] is None
    # The same picture twice, and the white mask once more: the same figures.
    assert result["designs"]["plain (2)"] == result["designs"]["plain (3)"]
    white = result["designs"]["white"]["confidence_more"]["value"]
    assert result["designs"]["plain (2)"]["confidence_more"]["value"] == pytest.approx(white, abs=1e-3)
    assert (result["probes"], result["left_out"], result["people"]) == (2, 0, 1)
    assert "more than a design" in out
    rows = list(csv.DictReader((tmp_path / "out" / "compare.csv").read_text().splitlines()))
    assert [row["design"] for row in rows] == names
    assert float(rows[1]["tar_more"]) == result["designs"]["plain (2)"]["tar_more"]["value"]
    assert [row["tar_p"] for row in rows] == ["", *["1.0"] * 5]  # one person, whose difference flips
    assert "plain (2) & " in (tmp_path / "out" / "compare.tex").read_text()
    with gzip.open(tmp_path / "out" / "compare-scores.csv.gz", "rt") as text:
        assert {row["condition"] for row in csv.DictReader(text)} == {"bare", *names}
    assert (tmp_path / "out" / "compare-comparisons.csv.gz").exists()
    with Image.open(tmp_path / "out" / "variants.png") as sheet:
        assert sheet.width == 2 * 28 + 3 * 340 + 2 * 24
        wide, high = sheet.size
    assert cli.main([*words, "pictures=false"]) == 0
    with Image.open(tmp_path / "out" / "variants.png") as sheet:
        assert sheet.size == (wide, high - 412), "nobody is shown"


@pytest.mark.parametrize("count", [0, 1])
def test_one_design_cannot_be_compared(words: list[str], count: int, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["compare", *words[1 : 1 + count], *words[4:]]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "designs" in err


def test_a_design_that_is_not_there_is_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str]):
    assert cli.main([*words[:2], "nowhere", *words[4:]]) == 6
    assert "no run folder or picture file at nowhere" in capsys.readouterr().err


def test_pairs_are_for_evaluate(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Pairs are judged by `advmask evaluate`"):
        CompareCommand.build({"designs": ["a.png", "b.png"], "protocol": {"pairs": "p", "stricter_fmr": []}})
