"""Rates against loops over rows, and what is said where something is missing."""

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from made_up_scores import Row, made_up

from advmask.evaluation.real_prints.persistence import video_scores
from advmask.evaluation.real_prints.rates import Rates, rates_of


def rates(rows: list[Row], people: list[str] | None = None) -> Rates:
    seen, scored = made_up(rows)
    names = people or sorted({row[0] for row in rows})
    return rates_of(seen, scored, video_scores(seen, scored, every_s=0.5), names, seed=0)


def many_rows(seed: int) -> list[Row]:
    draw = np.random.default_rng(seed)
    rows: list[Row] = []
    for person in ("ada", "ben", "cleo", "dan"):
        for condition, level in (("bare", 0.9), ("plain", 0.7), ("design", 0.3)):
            for file in range(draw.integers(1, 5)):
                frames = int(draw.integers(2, 9)) if draw.random() < 0.4 else 0
                for frame in range(max(frames, 1)):
                    value = None if draw.random() < 0.2 else float(np.clip(draw.normal(level, 0.3), 0, 1))
                    rows.append((person, condition, str(file), 0.5 * frame if frames else None, value))
    return rows


def by_loops(rows: list[Row], condition: str, of: Any, *, no_face: float | None) -> float:
    """Mean over people of the mean over files of the mean over pictures."""
    files: dict[tuple[str, str], list[float]] = defaultdict(list)
    for person, worn, file, _, value in rows:
        if worn == condition:
            if value is not None:
                files[person, file].append(of(value))
            elif no_face is not None:
                files[person, file].append(no_face)
    people: dict[str, list[float]] = defaultdict(list)
    for (person, _), values in files.items():
        people[person].append(sum(values) / len(values))
    return float(np.mean([sum(values) / len(values) for values in people.values()]))


@pytest.mark.parametrize("seed", range(4))
def test_rates_by_loops(seed: int) -> None:
    rows = many_rows(seed)
    found = rates(rows)
    for condition in ("bare", "plain", "design"):
        one = found.conditions[condition]
        assert one is not None
        own = [row for row in rows if row[1] == condition]
        assert one.pictures == len(own)
        assert one.no_face == sum(row[4] is None for row in own)
        assert one.files == len({(row[0], row[2]) for row in own})
        matched = by_loops(rows, condition, lambda value: float(value >= 0.5), no_face=None)
        assert one.matched.value == pytest.approx(matched)
        of_all = by_loops(rows, condition, lambda value: float(value >= 0.5), no_face=0.0)
        assert one.matched_of_all.value == pytest.approx(of_all)
        confidence = by_loops(rows, condition, lambda value: value, no_face=None)
        assert one.match_confidence.value == pytest.approx(confidence)
        ever = {row[0] for row in own if row[4] is not None and row[4] >= 0.5}
        assert one.people_matched == len(ever)
    assert found.drop is not None
    plain, design = found.conditions["plain"], found.conditions["design"]
    assert plain is not None
    assert design is not None
    if found.drop.people == plain.people == design.people:
        assert found.drop.matched.value == pytest.approx(plain.matched.value - design.matched.value)


def test_a_long_video_and_an_eager_photographer_weigh_no_more() -> None:
    rows: list[Row] = [("ada", "design", "v.mp4", 0.5 * i, 0.9) for i in range(99)]
    rows += [("ada", "design", "1.jpg", None, 0.1)]
    rows += [("ben", "design", f"{i}.jpg", None, 0.1) for i in range(50)]
    found = rates(rows).conditions["design"]
    assert found is not None
    assert found.matched.value == pytest.approx((0.5 + 0.0) / 2)
    assert found.videos is not None
    assert found.videos.matched_frames.value == 1.0
    assert found.videos.longest_run_s == pytest.approx(49.5)


def test_the_difference_is_of_people_with_both() -> None:
    rows: list[Row] = [("ada", "plain", "1", None, 0.9), ("ada", "design", "1", None, 0.1)]
    rows += [("ben", "design", "1", None, 0.9), ("cleo", "plain", "1", None, 0.2)]
    found = rates(rows)
    assert found.drop is not None
    assert (found.drop.people, found.drop.matched.value) == (1, 1.0)
    assert rates(rows, ["ben"]).drop is None


def test_one_person_has_intervals_over_files() -> None:
    rows: list[Row] = [("ada", "design", str(i), None, 0.1) for i in range(12)]
    one = rates(rows).conditions["design"]
    assert one is not None
    assert one.people == 1
    assert one.matched.high == pytest.approx(1 - 0.025 ** (1 / 12))
    assert rates(rows).conditions["plain"] is None


def test_no_face_anywhere() -> None:
    rows: list[Row] = [("ada", "plain", "1", None, 0.9), ("ada", "design", "1", None, None)]
    found = rates([*rows, ("ben", "design", "1", None, None)])
    one = found.conditions["design"]
    assert one is not None
    assert (one.no_face, one.people_matched, one.matched_of_all.value) == (2, 0, 0.0)
    assert math.isnan(one.matched.value)
    assert found.drop is not None
    assert found.drop.people == 0
    assert math.isnan(found.drop.matched.value)


def test_bare_pictures_with_nothing_to_compare_are_no_row() -> None:
    seen, scored = made_up([("ada", "bare", "1", None, 0.9), ("ada", "design", "1", None, 0.9)])
    scored.similarity[0] = np.nan
    assert rates_of(seen, scored, [], ["ada"]).conditions["bare"] is None
