"""Rates per condition: of everybody, and of each person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.real_prints.condition_folders import CONDITIONS
from advmask.evaluation.real_prints.embedded_pictures import Seen
from advmask.evaluation.real_prints.intervals import difference, rate
from advmask.evaluation.real_prints.persistence import VideoScore
from advmask.evaluation.real_prints.template_scores import PictureScores

FloatArray = NDArray[np.float64]
_OfPlaces = Callable[[Sequence[int]], float | None]


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
    conditions: dict[str, ConditionRates | None] = {
        name: _condition(seen, scored, group, [one for one in videos if one.condition == name], seed)
        if group
        else None
        for name, group in groups.items()
    }
    return Rates(conditions, _drop(seen, scored, groups, seed))


_Groups = dict[str, list[list[int]]]


def _groups(seen: Seen, scored: PictureScores, condition: str, people: Sequence[str]) -> _Groups:
    """For each person who has such pictures, the places of each file that can be compared."""
    groups: _Groups = {}
    for person in people:
        files: dict[str, list[int]] = {}
        for place in seen.of(person, condition):
            files.setdefault(seen.pictures[place].capture.name, []).append(place)
        kept = [
            places
            for places in files.values()
            if not any(
                seen.pictures[place].row is not None and np.isnan(scored.similarity[place])
                for place in places
            )
        ]
        if kept:
            groups[person] = kept
    return groups


def _condition(
    seen: Seen, scored: PictureScores, groups: _Groups, videos: Sequence[VideoScore], seed: int
) -> ConditionRates:
    places = [place for files in groups.values() for own in files for place in own]
    pictures = [seen.pictures[place] for place in places]
    found = [place for place in places if np.isfinite(scored.similarity[place])]
    ever = [any(scored.matched[place] == 1 for own in files for place in own) for files in groups.values()]
    own_videos = [one for one in videos if one.person in groups]
    return ConditionRates(
        people=len(groups),
        files=sum(map(len, groups.values())),
        pictures=len(places),
        no_face=sum(picture.row is None for picture in pictures),
        several_faces=sum(picture.faces > 1 for picture in pictures),
        similarity=float(scored.similarity[found].mean()) if found else float("nan"),
        match_confidence=rate(_values(groups, _mean_of(scored.confidence)), seed=seed),
        matched=rate(_values(groups, _mean_of(scored.matched)), seed=seed),
        matched_of_all=rate(_values(groups, _share_of_all(scored.matched)), seed=seed),
        people_matched=sum(ever),
        videos=_videos(own_videos, seed) if own_videos else None,
    )


def _drop(seen: Seen, scored: PictureScores, groups: Mapping[str, _Groups], seed: int) -> Drop | None:
    both = [name for name in groups["plain"] if name in groups["design"]]
    if not both:
        return None

    def estimate(values: FloatArray) -> tuple[Estimate, int]:
        of = _mean_of(values)
        kept = [
            name
            for name in both
            if all(len(_values({name: groups[worn][name]}, of)) for worn in ("plain", "design"))
        ]
        plain, design = (
            _values({name: groups[worn][name] for name in kept}, of) for worn in ("plain", "design")
        )
        return difference(plain, design, paired=len(kept) > 1, seed=seed), len(kept)

    matched, people = estimate(scored.matched)
    return Drop(people, matched, estimate(scored.confidence)[0])


def _values(groups: _Groups, of: _OfPlaces) -> FloatArray:
    """A number for each person, or, of one person, for each file."""
    by_person = [
        [value for places in files if (value := of(places)) is not None] for files in groups.values()
    ]
    if len(by_person) == 1:
        return np.array(by_person[0])
    return np.array([np.mean(values) for values in by_person if values])


def _mean_of(values: FloatArray) -> _OfPlaces:
    """Mean over the pictures of a file that show a face; None where none does."""

    def of(places: Sequence[int]) -> float | None:
        known = [values[place] for place in places if np.isfinite(values[place])]
        return float(np.mean(known)) if known else None

    return of


def _share_of_all(matched: FloatArray) -> _OfPlaces:
    return lambda places: float(np.mean([matched[place] == 1 for place in places]))


def _videos(videos: Sequence[VideoScore], seed: int) -> VideoRates:
    names = sorted({one.person for one in videos})
    shares = {name: [one.matched / one.frames for one in videos if one.person == name] for name in names}
    ever = {name: [float(one.matched > 0) for one in videos if one.person == name] for name in names}
    firsts = [one.first_match_s for one in videos if one.first_match_s is not None]
    return VideoRates(
        videos=len(videos),
        frames=sum(one.frames for one in videos),
        matched_frames=rate(_of_people(shares), seed=seed),
        matched_at_all=rate(_of_people(ever), seed=seed),
        longest_run_s=max(one.longest_run_s for one in videos),
        first_match_s=min(firsts, default=None),
    )


def _of_people(values: Mapping[str, list[float]]) -> FloatArray:
    if len(values) == 1:
        return np.array(next(iter(values.values())))
    return np.array([np.mean(own) for own in values.values()])
