"""The script that computes a report again with numpy alone: it agrees, and it sees what was changed."""

import gzip
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scipy.special import betainc, ndtri, stdtrit
from simulated_runs import write_run

SCRIPT = Path(__file__).parents[2] / "tools" / "recompute.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("recompute", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "many", lower=0.15, people=25, photos=4, lost=0.02)


@pytest.mark.parametrize(
    ("people", "lower", "lost"), [(25, 0.15, 0.02), (12, 0.3, 0.0), (8, 0.1, 0.05), (14, 0.02, 0.0)]
)
def test_every_figure_comes_again(
    script: ModuleType, tmp_path: Path, people: int, lower: float, lost: float
) -> None:
    """Many people and few, so that each method of intervals is met."""
    found = script.recompute(write_run(tmp_path / "run", lower=lower, people=people, photos=4, lost=lost))
    assert found.wrong == []
    assert found.compared > 200


def test_all_methods_were_met(tmp_path: Path) -> None:
    methods = set()
    for people, lower in ((25, 0.15), (8, 0.1)):
        folder = write_run(tmp_path / f"{people}", lower=lower, people=people, photos=4)
        for one in json.loads((folder / "results.json").read_text())["results"]:
            for condition in one["conditions"].values():
                methods |= {each["method"] for each in condition.values() if isinstance(each, dict)}
    assert {"bootstrap", "binomial", "combined", "student"} <= methods


@pytest.mark.parametrize("path", ["tar.value", "tar.low", "match_confidence.high", "drop.low", "rank1.value"])
def test_a_figure_that_was_changed_is_seen(script: ModuleType, run: Path, tmp_path: Path, path: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    record = json.loads((folder / "results.json").read_text())
    figure, end = path.split(".")
    record["results"][0]["conditions"]["design"][figure][end] += 1e-4
    (folder / "results.json").write_text(json.dumps(record))
    (wrong,) = script.recompute(folder).wrong
    assert f"design {path}" in wrong


def test_a_score_that_was_changed_is_seen(script: ModuleType, run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    lines = gzip.decompress((folder / "scores.csv.gz").read_bytes()).decode().splitlines()
    rows = [(place, line.split(",")) for place, line in enumerate(lines) if ",design," in line]
    place, cells = next(row for row in rows if float(row[1][7] or 0) > 0.4)  # matched
    cells[7] = "-0.5"
    lines[place] = ",".join(cells)
    (folder / "scores.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    wrong = script.recompute(folder).wrong
    assert any("design similarity" in line for line in wrong)
    assert any("light from" in line and "design tar" in line for line in wrong)


@pytest.mark.parametrize("gone", ["scores", "record"])
def test_a_condition_that_is_missing_is_seen(
    script: ModuleType, run: Path, tmp_path: Path, gone: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    if gone == "scores":
        lines = gzip.decompress((folder / "scores.csv.gz").read_bytes()).decode().splitlines()
        kept = "\n".join(line for line in lines if ",design," not in line)
        (folder / "scores.csv.gz").write_bytes(gzip.compress(kept.encode()))
    else:
        record = json.loads((folder / "results.json").read_text())
        for one in record["results"]:
            del one["conditions"]["design"]
        (folder / "results.json").write_text(json.dumps(record))
    wrong = [line for line in script.recompute(folder).wrong if "in results.json and scores" in line]
    assert len(wrong) == 4  # two aligners, two false match rates
    assert all(" design in results.json" in line for line in wrong)


def test_what_is_no_report_is_one_sentence(
    script: ModuleType, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "older"
    shutil.copytree(run, older)
    record = json.loads((older / "results.json").read_text())
    del record["people"]["at_hand"]
    (older / "results.json").write_text(json.dumps(record))
    for folder, said in ((tmp_path, "holds no report"), (older, "of another version, at 'at_hand'")):
        assert script.main([str(folder)]) == 2
        told = capsys.readouterr().out
        assert said in told
        assert told.count("\n") == 1


def test_it_runs_with_numpy_alone(run: Path) -> None:
    code = (
        "import sys, runpy\n"
        "class Only:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'advmask', 'scipy', 'torch', 'pandas'}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Only())\n"
        f"sys.argv = ['recompute.py', {str(run)!r}]\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 differ" in done.stdout


@pytest.mark.parametrize("freedom", [1, 2.5, 7, 40])
def test_its_distributions_are_those_of_scipy(script: ModuleType, freedom: float) -> None:
    # The lowest scipy has eight digits of it.
    assert script.student_quantile(0.025, freedom) == pytest.approx(float(stdtrit(freedom, 0.025)), rel=1e-8)
    assert script.normal_quantile(0.9) == pytest.approx(float(ndtri(0.9)), rel=1e-12)
    for x in (0.01, 0.3, 0.8):
        found: Any = script.beta_share(freedom, 3.2, x)
        assert found == pytest.approx(float(betainc(freedom, 3.2, x)), rel=1e-10)
