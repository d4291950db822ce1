"""A sweep of two recipes and three seeds as tables, and what is said where runs cannot be compared."""

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from simulated_runs import write_run

from advmask.core.errors import ConfigError, RunError
from advmask.evaluation.sweeps.collected import collect, spread
from advmask.evaluation.sweeps.collected_tables import csv_of, latex, markdown, tables
from advmask.evaluation.sweeps.measured_runs import is_sweep, read_run, read_runs, run_folders
from advmask.evaluation.sweeps.recipes import as_text
from advmask.evaluation.sweeps.written import write_collected

RECIPES = {"pixels": 0.05, "pyramid": 0.22}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep & co_1")
    jobs = [(kind, seed) for kind in RECIPES for seed in range(3)]
    for number, (kind, seed) in enumerate(jobs):
        # The threads and the photos' cache tell no recipes apart.
        write_run(
            folder / str(number),
            lower=RECIPES[kind],
            seed=seed,
            texture={"kind": kind, "levels": len(kind)},
            trainer={"threads": number + 1},
        )
    return folder


@pytest.fixture(scope="module")
def record(sweep: Path) -> dict[str, Any]:
    return collect(read_runs([sweep]))


def test_runs_are_found_by_number_and_each_once(sweep: Path, tmp_path: Path) -> None:
    assert [one.name for one in run_folders([sweep, sweep / "2"])] == [*"012345"]
    for name in ("10", "9"):
        write_run(tmp_path / "deep" / name, lower=0.1, people=8, photos=4)
    write_run(
        tmp_path / "deep" / "9" / "steps-20", lower=0.1, people=8, photos=4
    )  # the earlier design of that run
    assert [one.name for one in run_folders([tmp_path])] == ["9", "10"]
    assert is_sweep(tmp_path)
    assert not is_sweep(tmp_path / "deep" / "9")


def test_recipes_are_what_differs_but_the_seed(record: dict[str, Any], sweep: Path) -> None:
    assert record["differing"] == ["texture.kind", "texture.levels"]
    assert record["columns"] == ["texture.kind"]  # which tells apart what the number of levels does
    assert [one["recipe"] for one in record["recipes"]] == ["texture.kind=pixels", "texture.kind=pyramid"]
    assert [one["seeds"] for one in record["recipes"]] == [[0, 1, 2]] * 2
    assert [run["run"] for run in record["runs"]] == [f"{sweep.name}/{i}" for i in range(6)]


def test_means_and_spreads_come_from_the_runs_own_files(record: dict[str, Any], sweep: Path) -> None:
    for place, recipe in enumerate(record["recipes"]):
        for one in recipe["results"]:
            own = []
            for number in range(3 * place, 3 * place + 3):
                for result in json.loads((sweep / str(number) / "results.json").read_text())["results"]:
                    if result["fmr"] == 0.1 and result["aligner"] == one["aligner"]:
                        own.append(result["conditions"]["design"]["tar"]["value"])
            assert one["tar"]["mean"] == pytest.approx(sum(own) / 3)
            assert one["tar"]["sd"] == pytest.approx(np.std(own, ddof=1))
            assert (one["tar"]["runs"], one["tar"]["least"], one["tar"]["most"]) == (3, min(own), max(own))


def test_one_seed_has_no_spread() -> None:
    assert (spread([0.5, None]).mean, spread([0.5, None]).sd) == (0.5, None)
    assert spread([None]).mean is None


def test_recipes_are_tested_against_the_first_over_people(record: dict[str, Any]) -> None:
    assert [(one["aligner"], one["against"]) for one in record["tests"]] == [
        ("mtcnn", "texture.kind=pixels"),
        ("bare", "texture.kind=pixels"),
    ]
    for one in record["tests"]:
        assert one["people"] == 12
        assert one["probes"] == 36
        assert one["difference"]["value"] < -0.2
        assert one["difference"]["high"] < 0
        assert 0 < one["p"] <= one["p_holm"] < 0.05
    assert record["not_tested"] == []


def test_another_recipe_and_figure(sweep: Path, record: dict[str, Any]) -> None:
    runs = read_runs([sweep])
    other = collect(runs, against=str(sweep / "4"))
    for one, turned in zip(record["tests"], other["tests"], strict=True):
        assert turned["difference"]["value"] == pytest.approx(-one["difference"]["value"])
        assert turned["p"] == one["p"]
    confidence = collect(runs, tested="match_confidence")
    assert {one["figure"] for one in confidence["tests"]} == {"match_confidence"}
    with pytest.raises(
        ConfigError, match=r"no recipe 'mine' to test against; recipes are: texture\.kind=pixels"
    ):
        collect(runs, against="mine")
    with pytest.raises(ConfigError, match=r"No run has a setting texture\.knd; these differ: texture\.kind"):
        collect(runs, columns=["texture.knd"])


def test_a_row_for_each_run(record: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of(record))))
    assert [row["run"] for row in rows] == [run["run"] for run in record["runs"]]
    assert [row["texture.kind"] for row in rows] == ["pixels"] * 3 + ["pyramid"] * 3
    for row, run in zip(rows, record["runs"], strict=True):
        for one in run["results"]:
            name = f"dlib/{one['aligner']}/bare"
            assert float(row[f"{name}_tar"]) == one["tar"]["value"]
            assert float(row[f"{name}_drop_low"]) == one["drop"]["low"]
    text = markdown(record, tables(record))
    assert sum(line.startswith(f"| {record['runs'][0]['run'][:-2]}/") for line in text.splitlines()) == 6


def test_trained_on_judged_by_aligned_by(record: dict[str, Any], tmp_path: Path) -> None:
    assert [
        (one["trained_on"], one["recognizer"], one["aligner"], one["column"]) for one in record["transfer"]
    ] == [
        ("dlib", "dlib", "mtcnn", "trained on"),
        ("dlib", "dlib", "bare", "trained on"),
    ]
    assert {one["tar"]["runs"] for one in record["transfer"]} == {6}
    (table,) = [one for one in tables(record) if one.label == "transfer"]
    assert all(cell.endswith(" *") for cell in table.rows[0][1:])


def test_runs_that_were_judged_otherwise_are_not_tested(tmp_path: Path) -> None:
    write_run(tmp_path / "a", lower=0.1)
    write_run(tmp_path / "b", lower=0.2, people=9, texture={"kind": "pyramid"})
    found = collect(read_runs([tmp_path]))
    assert found["tests"] == []
    (said,) = found["not_tested"]
    assert "texture.kind=pyramid is not tested against texture.kind=pixels: people differ in at_hand" in said
    assert any("different people" in note for note in found["notes"])
    shutil.copytree(tmp_path / "a", tmp_path / "c")
    (tmp_path / "c" / "scores.csv.gz").unlink()
    config = tmp_path / "c" / "config.yaml"
    config.write_text(config.read_text().replace("pixels", "palette"))
    (tmp_path / "b" / "results.json").unlink()
    found = collect(read_runs([tmp_path]))
    assert any("Not measured" in note for note in found["notes"])
    assert any("has no scores.csv.gz" in said for said in found["not_tested"])


def keep(run: Path, key: str, name: str, content: bytes) -> None:
    """Let a run have a file of its own, as training copies it, and its evaluation name that copy."""
    (run / name).parent.mkdir()
    (run / name).write_bytes(content)
    group, own = key.split(".")
    config, results = run / "config.yaml", run / "results.json"
    values = yaml.safe_load(config.read_text())
    values.setdefault(group, {})[own] = name
    config.write_text(yaml.safe_dump(values))
    record = json.loads(results.read_text())
    if group != "texture":  # an evaluation does not ask what a design started from
        record["settings"].setdefault(group, {})[own] = str(run.absolute() / name)
    results.write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("key", "name"), [("texture.start", "started_from/pic.png"), ("printer.profile", "printer/mine.icc")]
)
def test_copies_of_one_file_are_one_recipe(tmp_path: Path, key: str, name: str) -> None:
    for number, content in enumerate((b"a", b"a", b"b")):
        run = write_run(tmp_path / f"{number}", lower=0.1, seed=number, people=8, photos=4)
        keep(run, key, name, content)
    found = collect(read_runs([tmp_path]))
    short = name.split("/")[1]
    assert [one["runs"] for one in found["recipes"]] == [
        [f"{tmp_path.name}/{number}" for number in own] for own in ((0, 1), (2,))
    ]
    assert [one["recipe"] for one in found["recipes"]] == [f"{key}={short} ({n})" for n in (1, 2)]
    assert found["recipes"][0]["settings"] == {key: name}
    first = tables(found)[0]
    assert [row[0] for row in first.rows] == [f"{key}={short} ({n})" for n in (1, 2)]  # no two alike
    if key == "printer.profile":  # judged with it as well
        (said,) = found["not_tested"]
        assert "settings differ in printer.profile" in said
        assert str(tmp_path) not in said
    else:
        assert found["tests"]


def test_no_name_and_no_path_is_in_the_notes(tmp_path: Path) -> None:
    for number, (person, place) in enumerate((("ada", "/home/ada"), ("bob", "/home/bob"))):
        run = write_run(tmp_path / f"{number}", lower=0.1, people=8, photos=4, texture={"levels": number})
        record = json.loads((run / "results.json").read_text())
        record["people"]["probed"][0] = person
        record["settings"]["faces"] = {"root": f"{place}/photos-{number}"}
        (run / "results.json").write_text(json.dumps(record))
    (said,) = collect(read_runs([tmp_path]))["not_tested"]
    assert "people differ in probed (8 and 8, not the same)" in said
    for number in range(2):
        results = tmp_path / f"{number}" / "results.json"
        results.write_text(results.read_text().replace('"ada"', '"eve"').replace('"bob"', '"eve"'))
    (said,) = collect(read_runs([tmp_path]))["not_tested"]
    assert "settings differ in faces.root (photos-1 and photos-0)" in said


def test_each_seed_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seed, lower in (("a", 0, 0.1), ("b", 1, 0.1), ("again", 0, 0.3)):
        write_run(tmp_path / name, lower=lower, seed=seed, people=8, photos=4)
    (tmp_path / "a" / "results.json").rename(tmp_path / "a" / "check.json")
    monkeypatch.chdir(tmp_path)
    found = collect(read_runs(["a", "b", "again", str(tmp_path / "b")]))
    (recipe,) = found["recipes"]
    assert recipe["seeds"] == [0, 1]
    assert {one["tar"]["runs"] for one in recipe["results"]} == {2}
    assert {one["tar"]["runs"] for one in found["transfer"]} == {2}
    names = [read_run(Path(name)).name for name in ("a", "again")]
    assert found["notes"] == [
        f"{names[0]} has the settings and the seed (0) of {names[1]}, so it is not counted again."
    ]


def test_numbers_are_no_truths() -> None:
    assert [as_text(value) for value in (0, 1, 1.0, False, True, None)] == [
        "0",
        "1",
        "1.0",
        "false",
        "true",
        "null",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [({}, "holds no run"), ({"0/config.yaml": "seed: 0\n"}, "Nothing was measured of")],
)
def test_what_is_no_measured_sweep_is_one_sentence(
    tmp_path: Path, content: dict[str, str], said: str
) -> None:
    for name, text in content.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(RunError, match=said) as caught:
        collect(read_runs([tmp_path]))
    assert "\n" not in str(caught.value)
    with pytest.raises(RunError, match="There is no folder"):
        read_runs([tmp_path / "nowhere"])


def test_the_same_runs_give_the_same_bytes(sweep: Path, record: dict[str, Any], tmp_path: Path) -> None:
    paths = write_collected(tmp_path / "a", record, ["tar", "drop"])
    again = write_collected(tmp_path / "b", collect(read_runs([sweep])), ["tar", "drop"])
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]
    assert [path.name for path in paths] == [f"collect.{end}" for end in ("json", "csv", "md", "tex")]


def test_latex_is_balanced_and_escaped(record: dict[str, Any]) -> None:
    text = latex(record, tables(record, intervals=False))
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 4
    assert not re.search(r"(?<!\\)_", text.replace(r"\begin", ""))
    assert r"sweep \& co\_1" in text
    for block in text.split(r"\begin{tabular}{")[1:]:
        columns = len(block.split("}")[0])
        for line in block.split(r"\end{tabular}")[0].splitlines()[1:]:
            if line.endswith(r"\\"):
                spanned = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
                assert len(re.findall(r"(?<!\\)&", line)) + 1 + spanned == columns


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_tables_compile(record: dict[str, Any], tmp_path: Path) -> None:
    write_collected(tmp_path, record, ["tar", "drop"])
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\input{collect}\\end{document}\n"
    )
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
