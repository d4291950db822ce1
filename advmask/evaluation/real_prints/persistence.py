"""How long and how soon somebody is matched in a video."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from advmask.evaluation.real_prints.condition_folders import Capture
from advmask.evaluation.real_prints.embedded_pictures import Seen
from advmask.evaluation.real_prints.template_scores import PictureScores


@dataclass(frozen=True)
class VideoScore:
    """One video to one recognizer.

    Attributes:
        recognizer: Its label.
        person: Whose video.
        condition: What the person wears.
        file: Its name.
        step_s: Time between the frames looked at.
        frames: How many.
        no_face: Of these, without a face found.
        matched: Of these, matched.
        longest_run_s: Longest time matched without a break; 0 if never.
        first_match_s: When first matched; None if never.
    """

    recognizer: str
    person: str
    condition: str
    file: str
    step_s: float
    frames: int
    no_face: int
    matched: int
    longest_run_s: float
    first_match_s: float | None


def longest_run(times: Sequence[float], matched: Sequence[bool], *, step: float) -> float:
    """Longest time matched without a break, seconds.

    A run goes from its first frame to one step after its last. A frame that is missing, so that two follow
    each other at more than one and a half steps, ends it.

    Args:
        times: Of the frames looked at, ascending, seconds.
        matched: Whether each matched.
        step: Time that a frame stands for, seconds.
    """
    longest = 0.0
    start: float | None = None
    before = -math.inf
    for time, one in zip(times, matched, strict=True):
        if not one:
            start = None
            continue
        if start is None or time - before > 1.5 * step:
            start = time
        before = time
        longest = max(longest, time - start + step)
    return longest


def video_scores(seen: Seen, scored: PictureScores, *, every_s: float) -> list[VideoScore]:
    """Score every video that the recognizer could compare with something.

    Args:
        seen: All pictures.
        scored: The recognizer's opinion of them.
        every_s: Time between frames that was asked for.
    """
    places: dict[Capture, list[int]] = {}
    for place, picture in enumerate(seen.pictures):
        if picture.time_s is not None:
            places.setdefault(picture.capture, []).append(place)
    scores = []
    for capture, own in places.items():
        frames = [seen.pictures[place] for place in own]
        found = [place for place, frame in zip(own, frames, strict=True) if frame.row is not None]
        if found and all(math.isnan(scored.similarity[place]) for place in found):
            continue  # enrolled with this file alone
        times = [frame.time_s for frame in frames if frame.time_s is not None]
        matched = [bool(scored.matched[place] == 1) for place in own]
        step = _step(times, every_s)
        scores.append(
            VideoScore(
                recognizer=scored.recognizer.label,
                person=capture.person,
                condition=capture.condition,
                file=capture.name,
                step_s=step,
                frames=len(own),
                no_face=sum(frame.row is None for frame in frames),
                matched=sum(matched),
                longest_run_s=longest_run(times, matched, step=step),
                first_match_s=next((time for time, one in zip(times, matched, strict=True) if one), None),
            )
        )
    return scores


def _step(times: Sequence[float], every_s: float) -> float:
    """Median time from frame to frame; of a single frame what was asked for."""
    gaps = sorted(after - before for before, after in pairwise(times))
    return gaps[len(gaps) // 2] if gaps else every_s
