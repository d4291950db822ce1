"""How surely recognizers match one face of a picture, before it wears a design and after."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.core.errors import PhotoError
from advmask.core.shown_names import drawable
from advmask.photos.crops import apply_transform, crop_transform, cut_crop
from advmask.recognizers.recognizer import Recognizer, embed_all

_MATCHES = 0.5  # match confidence from which a recognizer says "the same person"
_CROP_PX = 176


@dataclass(frozen=True)
class MatchFigures:
    """What recognizers make of one face.

    Attributes:
        rows: For each recognizer its label and the match confidence before and after; None where it finds no
            face.
        photos: Other photos that the person is known from; 0 where this very photo is.
    """

    rows: tuple[tuple[str, float | None, float | None], ...]
    photos: int

    def lines(self, number: int) -> list[str]:
        """A line for each recognizer: of the bare face (0), or of the worn design (1)."""
        return [f"{label}: {_said((before, after)[number])}" for label, before, after in self.rows]

    def notes(self, number: int) -> list[str]:
        """What the figures are, in small print, half below each picture."""
        known = (
            f"from {self.photos} other photo{'s' * (self.photos != 1)}"
            if self.photos
            else "from this very photo"
        )
        return [("Match confidence; known " + known, "Drawn by a computer; no promise")[number]]


@dataclass(frozen=True, eq=False)
class Known:
    """A recognizer and the person it knows.

    Attributes:
        recognizer: Calibrated.
        template: Of the person; None enrols each bare photo that is measured.
        photos: That the template is made of.
    """

    recognizer: Recognizer
    template: Float[Tensor, " dim"] | None
    photos: int


def known_from(
    enrolment: Sequence[Image.Image], recognizers: Sequence[Recognizer], finder: FaceFinder
) -> list[Known]:
    """Have recognizers learn what a person looks like, once for all pictures.

    Args:
        enrolment: Photos of the person, of each the largest face; none enrols the photos that are measured.
        recognizers: Calibrated.
        finder: Of faces.

    Raises:
        PhotoError: On no photo for enrolment is a face.
        CalibrationError: A recognizer has no threshold.
    """
    for one in recognizers:
        _ = one.calibrated
    faces = [(photo, found[0]) for photo in enrolment if (found := finder.find_however_turned(photo))]
    if enrolment and not faces:
        raise PhotoError("No face was found on any photo of enrolment=; name photos that show the person.")
    known = []
    for one in recognizers:
        template = one.enrol(torch.cat([_embedded(one, *each) for each in faces])) if faces else None
        known.append(Known(one, template, len(faces)))
    return known


def match_figures(
    known: Sequence[Known], bare: Image.Image, worn: Image.Image, face: FoundFace, finder: FaceFinder
) -> MatchFigures:
    """Measure both pictures; the face with the mask is looked for afresh, near where it was.

    Args:
        known: What `known_from` gives; at least one.
        bare: The photo, RGB.
        worn: The same with the mask.
        face: Where it is.
        finder: Of faces.
    """
    again = finder.find_same(worn, face)
    rows = []
    for each in known:
        one, probe = each.recognizer, _embedded(each.recognizer, bare, face)
        template = one.enrol(probe) if each.template is None else each.template
        before = _confidence(one, probe, template)
        after = None if again is None else _confidence(one, _embedded(one, worn, again), template)
        rows.append((drawable(one.label), before, after))
    return MatchFigures(tuple(rows), known[0].photos)


def _embedded(recognizer: Recognizer, picture: Image.Image, face: FoundFace) -> Float[Tensor, "1 dim"]:
    transform = crop_transform(face.five, size=_CROP_PX)
    crop = torch.from_numpy(cut_crop(picture, transform, size=_CROP_PX)).permute(2, 0, 1).float() / 255
    landmarks = torch.from_numpy(apply_transform(transform, face.five)).float()
    return embed_all(recognizer, crop[None], landmarks[None])


def _confidence(
    recognizer: Recognizer, probe: Float[Tensor, "1 dim"], template: Float[Tensor, " dim"]
) -> float:
    return float(recognizer.confidence(recognizer.similarity(probe, template[None]))[0])


def _said(confidence: float | None) -> str:
    if confidence is None:
        return "no face found"
    return f"{confidence:.2f}, {'match' if confidence >= _MATCHES else 'no match'}"
