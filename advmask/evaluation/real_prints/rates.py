"""Rates per condition: of everybody, and of each person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmask.evaluation.estimates import Estimate, combined
from advmask.evaluation.metrics import difference_over_people, rate_over_people
from advmask.evaluation.real_prints.condition_folders import CONDITIONS
from advmask.evaluation.real_prints.embedded_pictures import Seen
from advmask.evaluation.real_prints.persistence import VideoScore
from advmask.evaluation.real_prints.template_scores import PictureScores

FloatArray = NDArray[np.float64]
_Groups = dict[str, list[list[int]]]  # for each person, the places of the pictures of each file


@dataclass(frozen=True)
class VideoRates:
    """Videos of one condition; for the fields see docs/judge.md."""

    videos: int
    frames: int
    matched_frames: Estimate
    matched_at_all: Estimate
    longest_run_s: float
    first_match_s: float | None


@dataclass(frozen=True)
class ConditionRates:
    """Pictures of one condition; for the fields see docs/judge.md."""

    people: int
    files: int
    pictures: int
    no_face: int
    several_faces: int
    similarity: float
    match_confidence: Estimate
    matched: Estimate
    matched_of_all: Estimate
    people_matched: int
    videos: VideoRates | None


@dataclass(frozen=True)
class Drop:
    """Plain less design, of the people who have both; values are NaN where one has no face."""

    people: int
    matched: Estimate
    match_confidence: Estimate


@dataclass(frozen=True)
class Rates:
    """Rates of some people: by condition, None where there are no such pictures."""

    conditions: Mapping[str, ConditionRates | None]
    drop: Drop | None


def rates_of(
    seen: Seen,
    scored: PictureScores,
    videos: Sequence[VideoScore],
    people: Sequence[str],
    *,
    seed: int = 0,
) -> Rates:
    """Rates of these people: intervals are over people, of one person over files.

    A picture counts where it could be compared. A file's value is the mean over its pictures, a person's the
    mean over the files, the rate the mean over people: neither a long video nor an eager photographer
    outweighs the others.

    Args:
        seen: All pictures.
        scored: One recognizer's opinion of them.
        videos: Its videos.
        people: Whom.
        seed: Of the resampling.
    """
    groups: dict[str, _Groups] = {name: _groups(seen, scored, name, people) for name in CONDITIONS}
    conditions = {
        name: _condition(seen, scored, own, [one for one in videos if one.condition == name], seed)
        if own
        else None
        for name, own in groups.items()
    }
    return Rates(conditions, _drop(scored, groups["plain"], groups["design"], seed))


def _groups(seen: Seen, scored: PictureScores, condition: str, people: Sequence[str]) -> _Groups:
    """Files of people who have such pictures, without those that show a face but have no template."""
    groups: _Groups = {}
    for person in people:
        files: dict[str, list[int]] = {}
        for place in seen.of(person, condition):
            files.setdefault(seen.pictures[place].capture.name, []).append(place)
        faces = [[place for place in own if seen.pictures[place].row is not None] for own in files.values()]
        known = [bool(np.isfinite(scored.similarity[own]).all()) for own in faces]
        kept = [own for own, compared in zip(files.values(), known, strict=True) if compared]
        if kept:
            groups[person] = kept
    return groups


def _condition(
    seen: Seen, scored: PictureScores, groups: _Groups, videos: Sequence[VideoScore], seed: int
) -> ConditionRates:
    of_people = [[place for own in files for place in own] for files in groups.values()]
    places = [place for own in of_people for place in own]
    matched = (scored.matched == 1).astype(np.float64)
    found = scored.similarity[places][np.isfinite(scored.similarity[places])]
    own_videos = [one for one in videos if one.person in groups]
    return ConditionRates(
        people=len(groups),
        files=sum(map(len, groups.values())),
        pictures=len(places),
        no_face=sum(seen.pictures[place].row is None for place in places),
        several_faces=sum(seen.pictures[place].faces > 1 for place in places),
        similarity=float(found.mean()) if len(found) else float("nan"),
        match_confidence=rate_over_people(_means(groups, scored.confidence), seed=seed),
        matched=rate_over_people(_means(groups, scored.matched), seed=seed),
        matched_of_all=rate_over_people(_means(groups, matched), seed=seed),
        people_matched=sum(bool(matched[own].any()) for own in of_people),
        videos=_videos(own_videos, seed) if own_videos else None,
    )


def _videos(videos: Sequence[VideoScore], seed: int) -> VideoRates:
    groups: _Groups = {}
    for number, one in sorted(enumerate(videos), key=lambda pair: pair[1].person):
        groups.setdefault(one.person, []).append([number])
    firsts = [one.first_match_s for one in videos if one.first_match_s is not None]
    share, ever = np.array([(one.matched / one.frames, float(one.matched > 0)) for one in videos]).T
    return VideoRates(
        videos=len(videos),
        frames=sum(one.frames for one in videos),
        matched_frames=rate_over_people(_means(groups, share), seed=seed),
        matched_at_all=rate_over_people(_means(groups, ever), seed=seed),
        longest_run_s=max(one.longest_run_s for one in videos),
        first_match_s=min(firsts, default=None),
    )


def _drop(scored: PictureScores, plain: _Groups, design: _Groups, seed: int) -> Drop | None:
    both = [name for name in plain if name in design]
    if not both:
        return None
    faces = (
        {name for name in both if len(_means({name: own[name]}, scored.matched))} for own in (plain, design)
    )
    seen = sorted(set.intersection(*faces), key=both.index)

    def estimate(values: FloatArray) -> Estimate:
        first, second = (_means({name: own[name] for name in seen}, values) for own in (plain, design))
        if len(seen) == 1:  # files of one person, which are not pairs
            return combined(rate_over_people(first, seed=seed), rate_over_people(second, seed=seed))
        return difference_over_people(first, second, seed=seed)

    return Drop(len(seen), estimate(scored.matched), estimate(scored.confidence))


def _means(groups: _Groups, values: FloatArray) -> FloatArray:
    """A number for each person, or, of one person, for each file; pictures without a value do not count."""
    by_person = [
        [known.mean() for places in files if len(known := values[places][np.isfinite(values[places])])]
        for files in groups.values()
    ]
    if len(by_person) == 1:
        return np.array(by_person[0])
    return np.array([np.mean(of_files) for of_files in by_person if of_files])
