"""How sure each recognizer is of a match in a picture that was just drawn: bare, in plain masks, in a design.

A quick look, without changes of light, print or place; *Measure* is the sound figure.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.applying.settings import FindSettings
from advmask.photos.crops import apply_transform, crop_transform, cut_crop
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers

_CROP_PX = 176
_SMALLEST_FACE_PX = 60
Sureness = dict[str, float | None]
"""Of each recognizer, by its label: match confidence; None where no face is found."""


@dataclass(frozen=True, eq=False)
class Enrolled:
    """A person, as recognizers know them.

    Attributes:
        templates: One of each recognizer, in their order.
        recognizers: With a threshold to be judged by.
    """

    templates: tuple[Tensor, ...]
    recognizers: tuple[Recognizer, ...]


class MatchMeter:
    """Compares pictures with a person, by the recognizers that a design is made against."""

    def __init__(self) -> None:
        self._finder: FaceFinder | None = None
        self._built: dict[tuple[str, ...], tuple[Recognizer, ...]] = {}
        self._one_at_a_time = threading.RLock()

    def enrol(self, names: Sequence[str], faces: Sequence[tuple[Image.Image, FoundFace]]) -> Enrolled:
        """Have recognizers learn what a person looks like.

        Args:
            names: Of recognizers; those without a threshold are left out.
            faces: Bare pictures of one person, at least one.

        Raises:
            AdvmaskError: A recognizer cannot be built.
        """
        with self._one_at_a_time:
            key = tuple(names)
            if key not in self._built:
                built = build_recognizers(names)
                self._built[key] = tuple(one for one in built if one.calibration is not None)
            crops = [_crop(picture, face) for picture, face in faces]
            templates = [
                one.enrol(torch.cat([_embedded(one, *crop) for crop in crops])) for one in self._built[key]
            ]
            return Enrolled(tuple(templates), self._built[key])

    def sure(self, enrolled: Enrolled, picture: Image.Image, *, near: FoundFace) -> Sureness:
        """How sure each recognizer is that a picture shows the person, whose face is looked for anew.

        Args:
            enrolled: The person.
            picture: With or without a mask.
            near: Where the face is in the bare picture.
        """
        with self._one_at_a_time:
            self._finder = self._finder or FaceFinder(FindSettings(min_face_px=_SMALLEST_FACE_PX))
            face = self._finder.find_same(picture, near)
            if face is None:
                return {one.label: None for one in enrolled.recognizers}
            crop = _crop(picture, face)
            sure: Sureness = {}
            for one, template in zip(enrolled.recognizers, enrolled.templates, strict=True):
                similarity = one.similarity(_embedded(one, *crop)[0], template)
                sure[one.label] = float(one.calibrated.confidence(similarity))
            return sure


def as_meters(by_condition: Mapping[str, Sureness]) -> list[dict[str, object]]:
    """What was looked at, recognizer by recognizer, in the form of a run's check at its end."""
    labels = list(next(iter(by_condition.values()), {}))
    return [
        {
            "recognizer": label,
            "confidence": {name: sure[label] for name, sure in by_condition.items()},
            "undetected": {name: int(sure[label] is None) for name, sure in by_condition.items()},
            "probes": 1,
        }
        for label in labels
    ]


def _crop(picture: Image.Image, face: FoundFace) -> tuple[Tensor, Tensor]:
    """A face as recognizers get it, (1, 3, size, size) in [0, 1], and its landmarks."""
    transform = crop_transform(face.five, size=_CROP_PX)
    cut = cut_crop(picture, transform, size=_CROP_PX)
    points = apply_transform(transform, face.five).astype(np.float32)
    return torch.from_numpy(cut).permute(2, 0, 1)[None].float() / 255, torch.from_numpy(points)[None]


def _embedded(recognizer: Recognizer, picture: Tensor, points: Tensor) -> Tensor:
    with torch.no_grad():
        embedding: Tensor = recognizer(picture, points)
        return embedding
