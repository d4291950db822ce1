"""From hand-made similarities to results, file and table."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_specification import tiny_specification
from torch import nn

from advmask.evaluation.probe_scores import Scores
from advmask.evaluation.results import RecognizerResult, summarise, write_results
from advmask.evaluation.terminal_table import results_table
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.recognizer import Recognizer

NAN = float("nan")
STORED = Calibration(fmr=0.01, threshold=0.2, scale=4.0, source="stored")
AT_HAND = Calibration(fmr=0.02, threshold=0.5, scale=9.0, source="at hand")

# Six probes of three people; the fourth is not detected under the design, the sixth not under white.
PEOPLE = ("ann", "ann", "bob", "bob", "cid", "cid")
SIMILARITY = {
    "bare": [0.9, 0.8, 0.9, 0.9, 0.7, 0.9],
    "white": [0.6, 0.7, 0.6, 0.9, 0.4, NAN],
    "surgical_blue": [0.6, 0.4, 0.6, 0.9, 0.4, 0.1],
    "black": [0.9, 0.4, 0.6, 0.1, 0.6, 0.1],
    "noise": [0.1, 0.1, 0.1, 0.1, 0.6, 0.9],
    "design": [0.1, 0.6, 0.4, NAN, 0.4, 0.9],
}


def recognizer(distance: str = "cosine", calibration: Calibration = STORED) -> Recognizer:
    specification = tiny_specification(distance=distance)
    return Recognizer("onnx:nets/mine.onnx", nn.Identity(), specification, calibration=calibration)


def scores(similarity: dict[str, list[float]] = SIMILARITY, people: tuple[str, ...] = PEOPLE) -> Scores:
    values = {name: np.array(each, dtype=np.float64) for name, each in similarity.items()}
    return Scores("mine", "mtcnn", "bare", values, people)


@pytest.fixture
def result() -> RecognizerResult:
    return summarise(scores(), recognizer(), AT_HAND)


def test_a_probe_undetected_anywhere_is_left_out_everywhere(result: RecognizerResult):
    kept = [0, 1, 2, 4]
    assert (result.probes, result.left_out) == (4, 2)
    for name, values in SIMILARITY.items():
        left = [values[i] for i in kept]
        condition = result.conditions[name]
        assert condition.similarity == pytest.approx(sum(left) / 4)
        assert condition.tar.value == pytest.approx(sum(value >= 0.5 for value in left) / 4)
        confidence = sum(1 / (1 + math.exp(-AT_HAND.scale * (value - 0.5))) for value in left) / 4
        assert condition.match_confidence.value == pytest.approx(confidence)
        assert condition.tar.low is not None


def test_undetected_probes_are_counted_by_condition(result: RecognizerResult):
    counts = {name: condition.undetected for name, condition in result.conditions.items()}
    assert counts == {"bare": 0, "white": 1, "surgical_blue": 0, "black": 0, "noise": 0, "design": 1}


def test_the_strongest_plain_mask_leaves_the_lowest_tar(result: RecognizerResult):
    # TAR over the kept probes: white 3/4, blue 2/4, black 3/4; noise at 1/4 is not a plain mask.
    assert result.strongest_plain == "surgical_blue"


def test_equal_tar_is_decided_by_similarity():
    similarity = {"bare": [0.9, 0.9], "white": [0.6, 0.4], "black": [0.6, 0.3], "design": [0.1, 0.1]}
    found = summarise(scores(similarity, ("a", "b")), recognizer(), AT_HAND)
    assert found.strongest_plain == "black"


def test_the_drop_is_paired(result: RecognizerResult):
    # Blue matches probes 0 and 2, the design probe 1: differences 1, -1, 1, 0 by probe.
    drop = result.conditions["design"].drop
    assert drop is not None
    assert drop.value == pytest.approx(1 / 4)
    assert drop.low is not None
    assert drop.high is not None
    assert -1 <= drop.low <= drop.value <= drop.high <= 1
    plain = {name for name, condition in result.conditions.items() if condition.drop is None}
    assert plain == {"bare", "white", "surgical_blue", "black"}


def test_a_design_that_matches_like_the_plain_mask_has_a_drop_of_zero_that_is_not_certain():
    similarity = {"bare": [0.9] * 4, "white": [0.6, 0.4, 0.6, 0.1], "design": [0.6, 0.4, 0.6, 0.1]}
    found = summarise(scores(similarity, ("a", "a", "b", "c")), recognizer(), AT_HAND)
    drop = found.conditions["design"].drop
    assert drop is not None
    assert drop.value == 0.0
    # That no probe of three people differs.
    room = 1 - 0.025 ** (1 / 3)
    assert (drop.low, drop.high) == pytest.approx((-room, room))


def test_without_a_plain_mask_there_is_no_drop():
    similarity = {"bare": [0.9, 0.9], "design": [0.1, 0.6]}
    found = summarise(scores(similarity, ("a", "b")), recognizer(), AT_HAND)
    assert found.strongest_plain is None
    assert all(condition.drop is None for condition in found.conditions.values())


def test_nothing_detected_is_no_error(tmp_path: Path):
    similarity = {"bare": [0.9, 0.8], "white": [NAN, NAN], "design": [NAN, 0.1]}
    found = summarise(scores(similarity, ("a", "b")), recognizer(), AT_HAND)
    assert (found.probes, found.left_out) == (0, 2)
    assert found.strongest_plain is None
    assert math.isnan(found.conditions["bare"].similarity)
    write_results(tmp_path / "results.json", [found], {})
    record = json.loads((tmp_path / "results.json").read_text())
    assert record["results"][0]["conditions"]["bare"]["similarity"] is None
    table = results_table([found])
    assert "0 probes, 2 left out" in table


def test_the_file_has_no_nan_and_keeps_everything(result: RecognizerResult, tmp_path: Path):
    path = tmp_path / "below" / "results.json"
    broken = replace(result, threshold=NAN)
    write_results(path, [result, broken], {"seed": 3})

    def refuse(text: str) -> None:
        raise AssertionError(text)

    record = json.loads(path.read_text(), parse_constant=refuse)
    assert record["seed"] == 3
    assert record["schema"] == 4
    first, second = record["results"]
    assert first["threshold"] == 0.5
    assert second["threshold"] is None
    assert first["conditions"]["design"]["drop"]["value"] == pytest.approx(0.25)
    assert first["threshold_source"] == "at hand"


def test_an_earlier_file_is_kept_under_a_number(result: RecognizerResult, tmp_path: Path):
    path = tmp_path / "results.json"
    for seed in (1, 2, 2, 3, 1):
        write_results(path, [result], {"seed": seed})
    kept = {file.name: json.loads(file.read_text())["seed"] for file in tmp_path.iterdir()}
    assert kept == {"results.json": 1, "results-1.json": 1, "results-2.json": 2, "results-3.json": 3}


def test_an_earlier_file_that_is_no_text_is_kept_too(result: RecognizerResult, tmp_path: Path):
    path = tmp_path / "results.json"
    path.write_bytes(b"\xff\xfe\x00")
    write_results(path, [result], {})
    assert (tmp_path / "results-1.json").read_bytes() == b"\xff\xfe\x00"
    json.loads(path.read_text())


def test_the_table_reads(result: RecognizerResult):
    result = replace(result, probes=40)
    lines = results_table([result, replace(result, aligner="bare", left_out=0)]).splitlines()
    assert lines[0].startswith("mine, re-detected and aligned by MTCNN on the masked picture: 40 probes, ")
    assert "2 left out" in lines[0]
    assert "threshold 0.500 at FMR 0.02 (at hand)" in lines[0]
    header = lines[1]
    for caption in ("condition", "similarity", "match confidence", "TAR %", "no face"):
        assert caption in header
    body = {line.split()[0]: line for line in lines[2:8]}
    assert list(body) == list(SIMILARITY)
    assert body["surgical_blue"].split()[1] == "*"
    assert sum("*" in line for line in lines[2:8]) == 1
    # Columns stand under each other: every row ends where the header ends.
    assert {len(line) for line in body.values()} == {len(header)}
    assert "25.0 [" in lines[8]
    assert "TAR below that of the strongest plain mask (*)" in lines[8]
    assert any(line.startswith("mine, aligned as on the bare picture: 40 probes;") for line in lines)


def test_a_distance_is_shown_as_one():
    similarity = {"bare": [-0.3, -0.3], "white": [-0.5, -0.5], "design": [-0.9, -0.7]}
    threshold = Calibration(fmr=0.01, threshold=-0.6, scale=9.0, source="stored")
    network = recognizer("euclidean", threshold)
    table = results_table([summarise(scores(similarity, ("a", "b")), network, threshold)])
    assert "distance" in table
    assert "threshold 0.600" in table
    assert "0.800" in table
    assert "-0." not in table


def test_a_cosine_below_zero_is_no_distance():
    """A design can drive a cosine below zero; its sign must stay."""
    similarity = {"bare": [-0.1, -0.1], "white": [-0.2, -0.2], "design": [-0.4, -0.4]}
    table = results_table([summarise(scores(similarity, ("a", "b")), recognizer(), AT_HAND)])
    assert "distance" not in table
    assert "-0.400" in table


def test_detected_needs_every_condition():
    assert scores().detected().tolist() == [True, True, True, False, True, False]
    assert torch.tensor(scores().detected()).sum() == 4


def test_few_probes_give_no_verdict(result: RecognizerResult):
    table = results_table([result])
    assert "design: 4 probes are too few for a verdict" in table
    assert "strongest plain mask (*)" not in table


def test_confidence_above_one_half_is_a_match(result: RecognizerResult):
    """One threshold for both columns of a row: what is shown as matched is what is believed to match."""
    found = summarise(scores({"bare": [0.51] * 6, "white": [0.49] * 6}), recognizer(), AT_HAND)
    assert found.conditions["bare"].tar.value == 1.0
    assert found.conditions["bare"].match_confidence.value > 0.5
    assert found.conditions["white"].tar.value == 0.0
    assert found.conditions["white"].match_confidence.value < 0.5
