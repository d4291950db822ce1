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


def match_figures(
    recognizers: Sequence[Recognizer],
    bare: Image.Image,
    worn: Image.Image,
    face: FoundFace,
    finder: FaceFinder,
    *,
    enrolment: Sequence[Image.Image] = (),
) -> MatchFigures:
    """Measure both pictures; the face with the mask is looked for afresh, near where it was.

    Args:
        recognizers: Calibrated.
        bare: The photo, RGB.
        worn: The same with the mask.
        face: Where it is.
        finder: Of faces.
        enrolment: Other photos of the person, of each the largest face; none enrols the bare photo.

    Raises:
        PhotoError: On no photo for enrolment is a face.
        CalibrationError: A recognizer has no threshold.
    """
    known = [(photo, found[0]) for photo in enrolment if (found := finder.find_however_turned(photo))]
    if enrolment and not known:
        raise PhotoError("No face was found on any photo of enrolment=; name photos that show the person.")
    again = finder.find_again(worn, face.box)
    rows = []
    for one in recognizers:
        template = one.enrol(torch.cat([_embedded(one, *each) for each in known or [(bare, face)]]))
        before = _confidence(one, _embedded(one, bare, face), template)
        after = None if again is None else _confidence(one, _embedded(one, worn, again), template)
        rows.append((drawable(one.label), before, after))
    return MatchFigures(tuple(rows), len(known))


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
