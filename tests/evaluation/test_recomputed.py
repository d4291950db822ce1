"""The whole protocol on several people with a tiny network: files, from which every figure comes again."""

import csv
import gzip
import json
import random
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from advmask.core.errors import RunError
from advmask.effects.settings import EffectsSettings
from advmask.evaluation.conditions import Conditions
from advmask.evaluation.protocol import Judgement, judge_designs
from advmask.evaluation.report.page import report_page
from advmask.evaluation.result_schema import problems
from advmask.evaluation.result_tables import csv_table, latex_of, markdown_of
from advmask.evaluation.results import BESIDE, load_results, result_record, write_record
from advmask.evaluation.score_files import write_comparisons, write_scores
from advmask.evaluation.settings import ProtocolSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.photos.people_folders import Split
from advmask.printers.settings import PrinterSettings
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.render.settings import RenderSettings

PEOPLE, PHOTOS = 6, 4


def crowd(portrait: FaceSet) -> FaceSet:
    """Six people out of one portrait, each tinted in a way of their own, with four photos each."""
    (crop,) = portrait.crops
    draw = torch.Generator().manual_seed(0)
    crops = []
    for person in range(PEOPLE):
        tint = 0.7 + 0.3 * torch.rand(3, 1, 1, generator=draw)
        for photo in range(PHOTOS):
            noise = 5 * torch.randn(crop.picture.shape, generator=draw)
            picture = (crop.picture * tint + noise).clamp(0, 255).to(torch.uint8)
            crops.append(
                replace(
                    crop,
                    picture=picture,
                    person=f"person_{person}",
                    source=Path(f"person_{person}/{photo}.jpg"),
                    sha256=f"{person}{photo}",
                )
            )
    names = tuple(f"person_{person}" for person in range(PEOPLE))
    return FaceSet(tuple(crops), names, Split((), (), names, held_out=True), (), ())


def texels(value: float | None) -> Tensor:
    height, width = build_mask(MaskSettings()).texture_size(1.0)
    if value is None:
        return torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    return torch.full((3, height, width), value)


def judged(faces: FaceSet, network: str, **protocol: Any) -> Judgement:
    values = {
        "draws": 1,
        "people": "all",
        "progress": False,
        "aligners": ["mtcnn", "bare"],
        "fmr": [0.1, 0.2],
    }
    settings = ProtocolSettings.build(values | protocol)
    return judge_designs(
        {"white": texels(1.0), "surgical_blue": texels(0.8), "design": texels(None)},
        faces,
        prepare_all(build_recognizers([network]), faces.crops, fmr=settings.fmr),
        conditions=Conditions(
            texels_per_mm=1.0,
            effects=EffectsSettings.build({"camera": {"sensor": {"noise": 0.05}}}),
            printer=PrinterSettings(),
            mask=MaskSettings(),
            render=RenderSettings(),
        ),
        protocol=settings,
    )


@pytest.fixture(scope="module")
def judgement(portrait: FaceSet, tiny_name: str) -> Judgement:
    return judged(crowd(portrait), tiny_name, galleries=["bare", "pooled"])


@pytest.fixture(scope="module")
def record(judgement: Judgement) -> dict[str, Any]:
    results = [one for each in judgement.judged for one in each.summaries(seed=1)]
    facts = {
        "date": "2026-01-01",
        "people": {"probed": [f"person_{i}" for i in range(PEOPLE)], "held_out": True, "at_hand": PEOPLE},
        "design": {"name": "stripes & <dots>", "texels_sha256": "0" * 64},
        "recognizers": {"tiny": {"name": "tiny", "family": "user", "column": "trained on", "licence": None}},
    }
    return result_record(results, facts)


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_tar_drop_rank_and_interval_come_again_from_the_scores(
    judgement: Judgement, record: dict[str, Any], tmp_path: Path
):
    """Nothing but the two files and this test's own arithmetic."""
    write_scores(tmp_path / "scores.csv.gz", judgement.judged)
    write_comparisons(tmp_path / "comparisons.csv.gz", judgement.judged)
    tables: dict[tuple[str, ...], dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows_of(tmp_path / "scores.csv.gz"):
        tables[row["recognizer"], row["aligner"], row["gallery"]][row["condition"]].append(row)
    impostors = defaultdict(list)
    for row in rows_of(tmp_path / "comparisons.csv.gz"):
        if row["kind"] == "impostor":
            assert row["probe_person"] != row["gallery_person"]
            impostors[row["recognizer"], row["gallery"]].append(float(row["similarity"]))
    assert {one["fmr"] for one in record["results"]} == {0.1, 0.2}
    for one in record["results"]:
        table = tables[one["recognizer"], one["aligner"], one["gallery"]]
        against = impostors[one["recognizer"], one["gallery"]]
        assert len(against) == PEOPLE * PHOTOS * (PEOPLE - 1)
        let_in = sum(value >= one["threshold"] for value in against)
        assert let_in <= one["fmr"] * len(against) + 1e-9
        assert sum(value >= sorted(against)[-let_in - 1] for value in against) > one["fmr"] * len(against)
        count = len(table["bare"])
        kept = [i for i in range(count) if all(table[name][i]["detected"] == "1" for name in table)]
        assert (one["probes"], one["left_out"]) == (len(kept), count - len(kept))
        matched = {
            name: [float(rows[i]["similarity"]) >= one["threshold"] for i in kept]
            for name, rows in table.items()
        }
        for name, rows in table.items():
            found = one["conditions"][name]
            assert found["tar"]["value"] == pytest.approx(sum(matched[name]) / len(kept))
            first = [float(rows[i]["similarity"]) > float(rows[i]["best_other"]) for i in kept]
            assert found["rank1"]["value"] == pytest.approx(sum(first) / len(kept))
            others = sum(int(rows[i][f"others_matched_{one['fmr']:g}"]) for i in kept)
            assert found["others_fmr"]["value"] == pytest.approx(others / len(kept) / (PEOPLE - 1))
            moved = statistics.median(float(rows[i]["displacement"]) for i in kept)
            assert found["displacement"] == pytest.approx(moved)
        plain = matched[one["strongest_plain"]]
        differences = [a - b for a, b in zip(plain, matched["design"], strict=True)]
        drop = one["conditions"]["design"]["drop"]
        assert drop["value"] == pytest.approx(sum(differences) / len(kept))
        people = [table["bare"][i]["person"] for i in kept]
        low, high = resampled(people, matched["white"])
        tar = one["conditions"]["white"]["tar"]
        if low < high:
            assert tar["low"] == pytest.approx(low, abs=0.06)
            assert tar["high"] == pytest.approx(high, abs=0.06)


def resampled(people: list[str], values: list[bool]) -> tuple[float, float]:
    own = defaultdict(list)
    for person, value in zip(people, values, strict=True):
        own[person].append(value)
    draw, names, means = random.Random(0), sorted(own), []
    for _ in range(4000):
        brought = [value for name in draw.choices(names, k=len(names)) for value in own[name]]
        means.append(sum(brought) / len(brought))
    # The normal probability of sqrt(6/5) times Student's 2.571 for six people.
    outer = statistics.NormalDist().cdf(-2.816) if len(names) == PEOPLE else 0.025
    means.sort()
    return means[int(outer * len(means))], means[int((1 - outer) * len(means)) - 1]


def test_the_same_scores_give_the_same_bytes(judgement: Judgement, tmp_path: Path):
    for name in ("a", "b"):
        write_scores(tmp_path / name / "scores.csv.gz", judgement.judged)
    first, second = ((tmp_path / name / "scores.csv.gz").read_bytes() for name in ("a", "b"))
    assert first == second
    assert first[4:8] == bytes(4)  # no time in the header


def test_what_is_not_supported_is_said(portrait: FaceSet, tiny_name: str):
    found = judged(crowd(portrait), tiny_name, fmr=[0.1, 0.001], aligners=["bare"])
    (one,) = found.judged
    assert [each.fmr for each in one.gallery.thresholds] == [0.1]
    (missing,) = one.gallery.unsupported
    assert missing.fmr == 0.001
    assert "needs at least 10000 impostor comparisons, but there are 120" in missing.reason


def test_one_person_has_no_rank_and_the_stored_threshold(portrait: FaceSet, tiny_name: str):
    found = judged(portrait, tiny_name, aligners=["bare"], draws=3)
    (result,) = found.judged[0].summaries(seed=0)
    assert "tiny" in result.threshold_source
    assert result.conditions["design"].rank1 is None
    assert result.conditions["design"].others_fmr is None
    assert result.conditions["design"].tar.low is None
    page = report_page(result_record([result], {}), found)
    assert "one person" in page
    assert "no ranges" in page


def test_the_record_fits_its_schema_and_is_read_again(record: dict[str, Any], tmp_path: Path):
    assert problems(record) == []
    write_record(tmp_path / "results.json", record)
    assert load_results(tmp_path / "results.json") == record


def test_a_file_of_schema_2_is_read(record: dict[str, Any], tmp_path: Path):
    old = json.loads(json.dumps(record)) | {"schema": 2}
    for result in old["results"]:
        for condition in result["conditions"].values():
            for name in ("rank1", "others_fmr", "displacement"):
                del condition[name]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(old))
    read = load_results(path)
    assert read["schema"] == 4
    assert read["results"][0]["conditions"]["design"]["rank1"] is None
    assert csv_table(read).count("\n") == csv_table(record).count("\n")


def test_in_schema_3_no_interval_said_how_it_was_made(record: dict[str, Any], tmp_path: Path):
    tars = [one["conditions"]["design"]["tar"] for one in record["results"]]
    intervals = {(tar["low"] is not None, tar["method"]) for tar in tars}
    assert (True, "binomial") in intervals, "six people are too few to be resampled"
    assert intervals <= {(True, "binomial"), (False, None)}, "some aligners find the faces of one person only"
    old = json.loads(json.dumps(record)) | {"schema": 3}
    for result in old["results"]:
        for condition in result["conditions"].values():
            for estimate in condition.values():
                if isinstance(estimate, dict):
                    del estimate["method"]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(old))
    read = load_results(path)
    assert read["schema"] == 4
    assert [one["conditions"]["design"]["tar"] for one in read["results"]] == [
        tar | {"method": None} for tar in tars
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"schema": 9}, "schema 9; known are 2, 3 and 4"),
        ({"results": {}}, "the file.results should be a list"),
        ({"results": [{"recognizer": 1}]}, "lacks 'aligner'"),
        ({"people": {"probed": ["a"], "held_out": 1, "at_hand": 1}}, "held_out should be true or false"),
    ],
)
def test_a_file_that_does_not_fit_is_one_sentence(
    record: dict[str, Any], tmp_path: Path, wrong: dict[str, Any], said: str
):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(record | wrong))
    with pytest.raises(RunError, match=said) as caught:
        load_results(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", "{}"])
def test_what_is_no_result_file_is_one_sentence(tmp_path: Path, content: str):
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(RunError, match="valuate the design again"):
        load_results(path)


def test_what_lies_beside_is_kept_under_the_same_number(record: dict[str, Any], tmp_path: Path):
    write_record(tmp_path / "results.json", record)
    (tmp_path / "scores.csv.gz").write_bytes(b"first")
    write_record(tmp_path / "results.json", record | {"date": "2026-01-02"})
    assert (tmp_path / "scores-1.csv.gz").read_bytes() == b"first"
    assert not (tmp_path / "scores.csv.gz").exists()


def test_tables_have_a_row_for_each_result(record: dict[str, Any]):
    assert markdown_of(record).count("\n| tiny |") == len(record["results"])
    latex = latex_of(record)
    assert latex.count(r"\\") == len(record["results"]) + 1
    assert r"surgical\_blue" in latex or "white" in latex
    rows = list(csv.DictReader(csv_table(record).splitlines()))
    assert len(rows) == 4 * len(record["results"])
    said = [(row["tar_method"], row["drop_method"]) for row in rows if row["tar_low"]]
    assert set(said) == {("binomial", ""), ("binomial", "combined")}
    assert "those marked b are binomial" in markdown_of(record)
    assert "those marked b are binomial" in latex
    assert float(rows[0]["tar"]) == pytest.approx(record["results"][0]["conditions"]["bare"]["tar"]["value"])


@pytest.mark.parametrize("missing", ["bare", "strongest"])
def test_a_result_without_its_conditions_is_one_sentence(
    record: dict[str, Any], tmp_path: Path, missing: str
):
    odd = json.loads(json.dumps(record))
    number, one = next((i, one) for i, one in enumerate(odd["results"]) if one["strongest_plain"])
    name = one["strongest_plain"] if missing == "strongest" else missing
    del one["conditions"][name]
    (tmp_path / "results.json").write_text(json.dumps(odd))
    with pytest.raises(RunError, match=rf"the file.results\[{number}\].conditions lacks '{name}'"):
        load_results(tmp_path / "results.json")


def test_killed_while_an_earlier_evaluation_is_put_by(
    record: dict[str, Any], tmp_path: Path, killed_at_rename: Callable[..., bool]
):
    earlier = record | {"date": "2026-01-02"}
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_record(folder / "results.json", earlier)
        for name in BESIDE:
            (folder / name).write_text("earlier")
        killed = killed_at_rename(number, lambda: write_record(folder / "results.json", record))  # noqa: B023
        write_record(folder / "results.json", record)
        assert load_results(folder / "results.json") == record
        assert load_results(folder / "results-1.json") == earlier
        assert all((folder / name.replace(".", "-1.", 1)).read_text() == "earlier" for name in BESIDE)
        assert not [path.name for path in folder.iterdir() if path.name in BESIDE or "-2" in path.name]
        if not killed:
            assert number > len(BESIDE)
            return


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-Infinity", "1" + 400 * "0"])
def test_a_figure_that_is_no_number_is_one_sentence(record: dict[str, Any], tmp_path: Path, odd: str):
    text = json.dumps(record).replace('"fmr": 0.', f'"fmr": {odd}, "was": 0.', 1)
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(RunError, match="fmr should be a number"):
        load_results(tmp_path / "results.json")
