"""Pairs of photos: equal error rate, rates by loops, and the whole way from a list to the report."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_specification import tiny_specification
from torch import nn
from two_people import two_people

from advmask.core.errors import ConfigError
from advmask.evaluation.curves import equal_error_rate
from advmask.evaluation.evaluate import evaluate
from advmask.evaluation.pair_rates import equal_error_over_people
from advmask.evaluation.pairs import PairScores, score_pairs, summarise_pairs
from advmask.evaluation.probe_scores import Scores
from advmask.evaluation.report.page import report_page
from advmask.evaluation.result_schema import problems
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.photos.pairs_list import PhotoPair
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.recognizer import Recognizer

THRESHOLD = Calibration(fmr=0.01, threshold=0.5, scale=9.0, source="planted")


def test_equal_error_rate_of_normal_scores_is_what_theory_says() -> None:
    draws = np.random.default_rng(0)
    genuine, impostor = draws.normal(2.0, size=40_000), draws.normal(0.0, size=40_000)
    assert equal_error_rate(genuine, impostor) == pytest.approx(0.1587, abs=0.004)  # Phi(-1)


def test_equal_error_rate_of_few_scores() -> None:
    assert equal_error_rate(np.array([0.8, 0.9]), np.array([0.1, 0.2])) == 0.0
    assert equal_error_rate(np.array([0.1, 0.2]), np.array([0.8, 0.9])) == 1.0
    assert equal_error_rate(np.ones(3), np.ones(3)) == 0.5  # ties are let in together
    assert equal_error_rate(np.array([0.3, 0.9]), np.array([0.1, 0.5])) == 0.5
    assert np.isnan(equal_error_rate(np.ones(2), np.zeros(0)))


def test_weights_count_as_often_as_they_say() -> None:
    draws = np.random.default_rng(1)
    genuine, impostor = draws.normal(1.0, size=30), draws.normal(size=50)
    weights = draws.integers(0, 4, size=30).astype(float), draws.integers(0, 4, size=50).astype(float)
    repeated = (
        np.repeat(one, times.astype(int)) for one, times in zip((genuine, impostor), weights, strict=True)
    )
    assert equal_error_rate(genuine, impostor, weights) == pytest.approx(equal_error_rate(*repeated))


def test_the_interval_holds_the_truth_and_has_a_width() -> None:
    held = 0
    for seed in range(20):
        draws = np.random.default_rng(seed)
        own = np.repeat(np.arange(30), 2)
        genuine = (draws.normal(2.0, 0.6, size=30)[own] + draws.normal(0, 0.8, size=60)) / 1
        first, second = draws.integers(30, size=(2, 300))
        impostor = draws.normal(size=300)[first != second]
        pairs = ([str(n) for n in first[first != second]], [str(n) for n in second[first != second]])
        found = equal_error_over_people(genuine, [str(n) for n in own], impostor, pairs, seed=seed)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
        held += found.low <= 0.1587 <= found.high
    assert held >= 18
    certain = equal_error_over_people(
        np.ones(40), [str(n % 20) for n in range(40)], np.zeros(9), (["1"] * 9, ["2"] * 9)
    )
    assert (certain.value, certain.method) == (0.0, "binomial")
    assert certain.high == pytest.approx(1 - 0.025 ** (1 / 20), abs=1e-6)


def planted(ways: int = 2) -> tuple[list[PhotoPair], Scores, torch.Tensor, list[Path]]:
    draws = np.random.default_rng(3)
    photos = [Path(f"{name}/{number}.png") for name in ("ann", "bob", "cid") for number in range(2)]
    references = torch.from_numpy(draws.normal(size=(6, 4)))
    probes = {name: draws.normal(size=(6 * ways, 4)) for name in ("bare", "white", "design")}
    probes["design"][3] = np.nan  # no face was found
    pairs = [PhotoPair(one, two, one.parent == two.parent) for one in photos for two in photos if one != two]
    people = tuple(path.parent.name for path in photos) * ways
    scores = Scores(
        "mine",
        "mtcnn",
        "bare",
        {},
        people,
        photos=tuple(map(str, photos)) * ways,
        draws=tuple(way for way in range(ways) for _ in photos),
        embeddings=probes,
    )
    return pairs, scores, references, photos


def scored(faces: FaceSet) -> PairScores:
    pairs, scores, references, photos = planted()
    (crop,) = faces.crops
    crops = [replace(crop, person=path.parent.name, source=path) for path in photos]
    network = Recognizer("mine", nn.Identity(), tiny_specification())
    return score_pairs(pairs, scores, network, references, crops, crops)


def test_similarities_and_rates_are_those_of_loops(portrait: FaceSet) -> None:
    pairs, scores, references, photos = planted()
    found = scored(portrait)
    row = 0
    same, strangers = {name: [] for name in scores.embeddings}, {name: [] for name in scores.embeddings}
    for way in range(2):
        for pair in pairs:
            assert (found.photos[0][row], found.photos[1][row]) == (str(pair.first), str(pair.second))
            for name, probes in scores.embeddings.items():
                a = references[photos.index(pair.first)].numpy()
                b = probes[photos.index(pair.second) + 6 * way]
                value = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
                assert found.similarity[name][row] == pytest.approx(value, nan_ok=True)
                if not np.isnan(scores.embeddings["design"][photos.index(pair.second) + 6 * way]).any():
                    (same if pair.same else strangers)[name].append(value >= 0.5)
            row += 1
    result = summarise_pairs(found, THRESHOLD)
    assert (result.same, result.different, result.left_out) == (11, 44, 5)
    assert result.threshold_source == "planted"
    for name, one in result.conditions.items():
        assert one.tar.value == pytest.approx(np.mean(same[name]))
        assert one.others_fmr is not None
        assert one.others_fmr.value == pytest.approx(np.mean(strangers[name]))
    drop = result.conditions["design"].drop
    assert drop is not None
    assert drop.value == pytest.approx(np.mean(same["white"]) - np.mean(same["design"]))


def test_enough_bare_pairs_of_strangers_give_the_threshold() -> None:
    draws = np.random.default_rng(0)
    people = tuple(str(n % 50) for n in range(1200)), tuple(str((n + (n >= 100)) % 50) for n in range(1200))
    same = np.asarray(people[0]) == np.asarray(people[1])
    bare = np.where(same, 2.0, 0.0) + draws.normal(size=1200)
    scores = PairScores("mine", "mtcnn", people, people, (0,) * 1200, {"bare": bare})
    result = summarise_pairs(scores, THRESHOLD)
    assert result.threshold_source == "1,100 bare pairs of strangers"
    assert np.mean(bare[~same] >= result.threshold) == pytest.approx(0.01)
    few = summarise_pairs(replace(scores, draws=(0,) * 600 + (1,) * 600), THRESHOLD)
    assert few.threshold_source == "planted"  # 550 pairs in two draws


def noise() -> torch.Tensor:
    return torch.rand(
        3, *build_mask(MaskSettings()).texture_size(1.0), generator=torch.Generator().manual_seed(1)
    )


def test_from_a_list_to_table_record_report_and_files(
    portrait: FaceSet, tiny_name: str, tmp_path: Path
) -> None:
    (tmp_path / "pairs.csv").write_text("ann/0,ann/1,1\nann/0,bob/1,0\nbob/0,bob/1,1\n")
    quick = {"draws": 2, "people": "all", "progress": False, "aligners": ["bare"]}
    quick["pairs"] = str(tmp_path / "pairs.csv")
    found = evaluate(
        noise(),
        two_people(portrait, photos=3),
        [tiny_name],
        controls=["white"],
        effects="none",
        protocol=quick,
    )
    (one,) = found.record["pairs"]
    assert (one["same"], one["different"], one["left_out"]) == (4, 2, 0)
    assert list(one["conditions"]) == ["bare", "white", "design"]
    assert one["conditions"]["bare"]["tar"]["value"] == 1.0
    assert found.main[0].probes == 4  # the second photos alone are probed
    assert problems(found.record) == []
    assert "Pairs, the first photo bare and the mask on the second: 4 of one person" in found.text()
    assert "Pairs of photos" in report_page(found.record, found.judgement, pictures=False)
    found.write(tmp_path / "out")
    assert (tmp_path / "out" / "pairs.csv.gz").is_file()
    assert [each["condition"] for each in found.record["linkability"]] == ["bare", "design"]


def test_pairs_of_people_who_are_not_probed(portrait: FaceSet, tiny_name: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("ann/0,ann/1,1\n")
    faces = two_people(portrait, photos=3)
    faces = replace(faces, split=replace(faces.split, train=("ann",), test=("bob",)))
    with pytest.raises(ConfigError, match=r"No pair has its second photo.*protocol\.people=test"):
        evaluate(noise(), faces, [tiny_name], controls=[], protocol={"pairs": str(tmp_path / "pairs.csv")})
