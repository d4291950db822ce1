"""Figures from the files of runs: the same bytes each time, what they show, what is said without them."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from simulated_runs import write_run

from advmask import cli
from advmask.core.errors import ConfigError, MissingPackageError
from advmask.evaluation.curves import roc
from advmask.evaluation.figures import figure_style as style
from advmask.evaluation.figures.course_figure import columns_drawn, course_figure
from advmask.evaluation.figures.curves_figure import bands, bands_of, curves_figure
from advmask.evaluation.figures.measured import Measured, measured
from advmask.evaluation.figures.people_figure import by_person
from advmask.evaluation.figures.scores_figure import scores_figure
from advmask.evaluation.sweeps.measured_runs import read_run, read_runs

pytest.importorskip("matplotlib")
METRICS = "step,loss,match_confidence/dlib\n" + "".join(
    f"{i},{2 - i / 9},{0.9 - i / 20}\n" for i in range(10)
)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures") / "sweep"
    for number, (kind, seed) in enumerate([("pixels", 0), ("pyramid", 0)]):
        run = write_run(folder / str(number), lower=0.1 + 0.1 * number, seed=seed, texture={"kind": kind})
        (run / "metrics.csv").write_text(METRICS)
    return folder


@pytest.fixture(scope="module")
def one(sweep: Path) -> Measured:
    return measured(read_run(sweep / "0"))[0]


def test_one_command_draws_a_sweep(
    sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["figures", str(sweep), "figures=[people,course,rates]", "formats=[svg]"]) == 0
    drawn = {str(path.relative_to(sweep)): path.read_bytes() for path in sweep.rglob("figures/*")}
    each = {f"{number}/figures/{name}.svg" for number in (0, 1) for name in ("people", "course")}
    assert drawn.keys() == each | {"figures/rates.svg", "figures/course.svg"}
    assert all(ElementTree.fromstring(content).tag.endswith("svg") for content in drawn.values())
    assert str(sweep / "figures" / "rates.svg") in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_the_same_files_give_the_same_bytes(one: Measured, tmp_path: Path) -> None:
    for place in ("a", "b"):
        with style.styled():
            curves = bands_of([one], points=5)
            for name, missed in (("roc", False), ("det", True)):
                figure = curves_figure([one], curves, missed=missed)
                style.write_figure(tmp_path / place, name, figure, ["svg", "pdf"])
            style.write_figure(tmp_path / place, "scores", scores_figure([one]), ["svg", "pdf"])
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert len(first) == 6
    assert {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()} == first
    assert not any(re.search(rb"20\d\d-\d\d-\d\dT|CreationDate", content) for content in first.values())


def test_bands_are_the_tables_intervals_at_their_threshold(one: Measured) -> None:
    values = one.conditions()["design"]
    everywhere = bands(values, one.people(), one.impostor, seed=one.seed, points=10_000)
    fmr, tar, low, high = everywhere
    place = int(np.searchsorted(fmr, one.result["fmr"], side="right")) - 1
    recorded = one.result["conditions"]["design"]["tar"]
    assert (tar[place], low[place], high[place]) == pytest.approx(
        (recorded["value"], recorded["low"], recorded["high"])
    )
    assert np.all((low <= tar) & (tar <= high))
    exact = {
        (round(rate, 12), round(share, 12)) for rate, share in zip(*roc(values, one.impostor), strict=True)
    }
    assert {(round(rate, 12), round(share, 12)) for rate, share in zip(fmr, tar, strict=True)} <= exact


def test_people_add_up_to_the_drop(one: Measured) -> None:
    rates = by_person(one)
    lower = [plain - design for plain, design in rates.values()]
    assert lower == sorted(lower, reverse=True)
    assert np.mean(lower) == pytest.approx(one.result["conditions"]["design"]["drop"]["value"])


def test_the_course_of_several_seeds_has_a_band() -> None:
    course: dict[str, Any] = {
        "loss": [(0.0, 1.0), (1.0, float("nan")), (2.0, 0.5)],
        "similarity/a": [(0.0, 0.3)],
    }
    assert columns_drawn([course]) == ["similarity/a", "loss"]
    assert columns_drawn([{"match_confidence/b": [(0.0, 1.0)]} | course])[0] == "match_confidence/b"
    with style.styled():
        figure = course_figure({"one": [course], "two": [course, course]})
    assert [len(axis.lines) for axis in figure.axes] == [2, 2]
    assert [len(axis.collections) for axis in figure.axes] == [1, 1]


def test_every_recipe_stands_in_the_legend_and_none_looks_like_another() -> None:
    courses: dict[str, Any] = {f"{n}": [{f"similarity/{n % 2}": [(0.0, 0.3)]}] for n in range(9)}
    with style.styled():
        figure = course_figure(courses)
    (legend,) = figure.legends
    assert sorted(text.get_text() for text in legend.get_texts()) == [*courses]
    looks = {(line.get_color(), str(line._dash_pattern)) for axis in figure.axes for line in axis.lines}
    assert len(looks) == 9


@pytest.mark.parametrize("missing", ["scores.csv.gz", "comparisons.csv.gz", "results.json"])
def test_without_files_there_is_less(tmp_path: Path, missing: str) -> None:
    run = write_run(tmp_path / "run", lower=0.1)
    (run / missing).unlink()
    assert measured(read_runs([run])[0]) == []


def test_nothing_to_draw_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    assert cli.main(["figures", str(tmp_path)]) == 7
    assert "Nothing was found to draw" in capsys.readouterr().err


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.style", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'advmask\[figures\]'"):
        style.need_matplotlib()


def test_a_style_sheet_of_ones_own(tmp_path: Path) -> None:
    import matplotlib

    (tmp_path / "mine.mplstyle").write_text("font.size: 11\n")
    with style.styled(tmp_path / "mine.mplstyle"):
        assert matplotlib.rcParams["font.size"] == 11
        assert matplotlib.rcParams["svg.hashsalt"] == "advmask"
    assert matplotlib.rcParams["svg.hashsalt"] is None
    with (
        pytest.raises(ConfigError, match="no matplotlib style sheet"),
        style.styled(tmp_path / "none.mplstyle"),
    ):
        pass


def test_names_in_any_letters_are_drawn(tmp_path: Path) -> None:
    course: dict[str, Any] = {"loss": [(0.0, 1.0), (2.0, 0.5)]}
    with style.styled():
        style.write_figure(
            tmp_path, "f", course_figure({"面 $x_1$": [course], "b": [course]}), ["svg", "png"]
        )
    assert (tmp_path / "f.png").stat().st_size > 1000


def test_lines_differ_without_colour() -> None:
    looks = [style.look(name, "white") for name in ("bare", "white", "design")]
    assert len({str(look["linestyle"]) for look in looks}) == 3
    assert len({look["color"] for look in looks}) == 3
