"""Photos of somebody else in a person's folder, by what recognizers make of the bare photos."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from advmask.photos.crops import FaceCrop
from advmask.recognizers.recognizer import Recognizer

# Photos compared with all others of a person at once.
_ROWS = 256
_NAMED = 6  # photos in a sentence

# A smaller share of matching pairs is that of several people: two with equally many photos have less.
_ONE_PERSON = 0.5


def doubtful_photos(
    recognizers: Sequence[Recognizer], embeddings: Sequence[Float[Tensor, "n dim"]], crops: Sequence[FaceCrop]
) -> list[str]:
    """Say which photos seem to show somebody else than the person whose they are said to be.

    Two photos of a person match when half of the recognizers say so. Those without a threshold say nothing,
    and those that see the eyes alone too little.

    Args:
        recognizers: That made the embeddings.
        embeddings: By each of them.
        crops: Bare photos.

    Returns:
        Sentences for the user: of each person with photos that match none of the others, and of each whose
        photos do not match one another. None of people with one photo.
    """
    judges = [
        (recognizer, of_it)
        for recognizer, of_it in zip(recognizers, embeddings, strict=True)
        if recognizer.calibration is not None and not recognizer.eyes_only and not recognizer.asked
    ]
    rows: dict[str, list[int]] = {}
    for row, crop in enumerate(crops):
        rows.setdefault(crop.person, []).append(row)
    said = []
    for person, own in rows.items():
        if judges and len(own) > 1:
            matches = _matches([(recognizer, of_it[own]) for recognizer, of_it in judges])
            doubt = _doubt(person, [crops[row] for row in own], matches.tolist())
            if doubt is not None:
                seen, advice = doubt
                by = ", ".join(recognizer.label for recognizer, _ in judges)
                hint = "; put each person's photos into a folder of their own" * (len(rows) == 1)
                said.append(f"{seen} (judged by {by}). {advice}{hint}.")
    return said


def _matches(judges: Sequence[tuple[Recognizer, Float[Tensor, "n dim"]]]) -> Int[Tensor, " n"]:
    """For each photo of a person, how many of the others match it."""
    number = len(judges[0][1])
    counts = []
    for start in range(0, number, _ROWS):
        votes = torch.stack([_matched(*judge, start) for judge in judges]).sum(dim=0)
        counts.append((2 * votes >= len(judges)).sum(dim=1))
    return torch.cat(counts)


def _matched(
    recognizer: Recognizer, embeddings: Float[Tensor, "n dim"], start: int
) -> Bool[Tensor, "rows n"]:
    assert recognizer.calibration is not None
    part = embeddings[start : start + _ROWS]
    matched = recognizer.similarity_matrix(part, embeddings) >= recognizer.calibration.threshold
    here = torch.arange(len(part))
    matched[here, here + start] = False
    return matched


def _doubt(person: str, photos: Sequence[FaceCrop], matches: Sequence[int]) -> tuple[str, str] | None:
    """What is seen, and what to do about it."""
    number = len(photos)
    lonely = [photo for photo, count in zip(photos, matches, strict=True) if count == 0]
    others = number - len(lonely)
    if sum(matches) < _ONE_PERSON * others * (others - 1) or others == 0:
        share = sum(matches) / (number * (number - 1))
        return (
            f"The {number} photos of {person} do not match one another ({share:.0%} of their pairs do): they "
            "seem to show several people",
            "A design for all of them is one for nobody",
        )
    if not lonely:
        return None
    shown = ", ".join(str(photo.source) for photo in lonely[:_NAMED])
    shown += f" and {len(lonely) - _NAMED} more" * (len(lonely) > _NAMED)
    return (
        f"No other photo of {person} matches {shown}: somebody else may be shown there",
        "Take out what is not of this person",
    )
