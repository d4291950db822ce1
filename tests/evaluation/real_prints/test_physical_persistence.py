"""Runs of matched frames against looking at every stretch of the video."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_scores import made_up

from advmask.evaluation.real_prints.persistence import longest_run, video_scores


def by_every_stretch(times: list[float], matched: list[bool], step: float) -> float:
    best = 0.0
    for first in range(len(times)):
        for last in range(first, len(times)):
            whole = all(matched[first : last + 1])
            gaps = [times[i + 1] - times[i] for i in range(first, last)]
            if whole and all(gap <= 1.5 * step for gap in gaps):
                best = max(best, times[last] - times[first] + step)
    return best


@given(
    st.lists(st.tuples(st.sampled_from([0.5, 0.5, 0.5, 1.0, 0.25]), st.booleans()), max_size=14),
)
def test_the_longest_run(steps: list[tuple[float, bool]]) -> None:
    times, matched, now = [], [], 0.0
    for gap, one in steps:
        times.append(now)
        matched.append(one)
        now += gap
    assert longest_run(times, matched, step=0.5) == pytest.approx(by_every_stretch(times, matched, 0.5))


def test_a_video() -> None:
    confidences = [0.2, 0.7, 0.9, None, 0.8, 0.1]
    rows = [("ada", "design", "a.mp4", 0.5 * i, value) for i, value in enumerate(confidences)]
    rows += [("ada", "design", "b.mp4", 0.0, 0.3), ("ada", "plain", "1.jpg", None, 0.9)]
    seen, scored = made_up(rows)
    first, second = video_scores(seen, scored, every_s=0.5)
    assert (first.file, first.frames, first.no_face, first.matched) == ("ada/design/a.mp4", 6, 1, 3)
    assert (first.longest_run_s, first.first_match_s, first.step_s) == (1.0, 0.5, 0.5)
    assert (second.longest_run_s, second.first_match_s, second.step_s) == (0.0, None, 0.5)


def test_a_video_without_faces_is_counted() -> None:
    seen, scored = made_up([("ada", "design", "a.mp4", 0.5 * i, None) for i in range(3)])
    (one,) = video_scores(seen, scored, every_s=0.5)
    assert (one.frames, one.no_face, one.matched, one.first_match_s) == (3, 3, 0, None)


def test_a_video_that_is_the_only_enrolment_is_not() -> None:
    seen, scored = made_up([("ada", "bare", "a.mp4", 0.5 * i, 0.9) for i in range(3)])
    scored.similarity[:] = float("nan")
    assert video_scores(seen, scored, every_s=0.5) == []
