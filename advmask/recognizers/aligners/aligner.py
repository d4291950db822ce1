"""What an aligner is, and the simplest one."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@runtime_checkable
class Aligner(Protocol):
    """Finds the five landmarks that a recognizer aligns by: the first stages of face recognition.

    **Convention.** Points (x, y) in pixels of the picture, pixel centres at +0.5, in the order left-in-image
    eye, right eye, nose tip, left and right corner of the mouth.

    Attributes:
        name: As users write it.
        differentiable: Whether a gradient flows from the landmarks to the picture.
    """

    @property
    def name(self) -> str:
        """As users write it."""

    @property
    def differentiable(self) -> bool:
        """Whether a gradient flows from the landmarks to the picture."""

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the five landmarks on each picture.

        Args:
            pictures: In [0, 1], RGB.
            hint: Landmarks of the bare picture: which face is meant. What else they serve for, each aligner
                says.

        Returns:
            The landmarks, and whether the face was found; where it was not, its landmarks are zero.
        """


class BareAligner:
    """Gives back the landmarks of the bare picture: the control, which isolates the network."""

    name = "bare"
    differentiable = False
    finds_all = True

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Give the hint back, on the pictures' device."""
        return hint.to(pictures.device), torch.ones(len(pictures), dtype=torch.bool, device=pictures.device)


def nearest_face(points: Float[Tensor, "faces 5 2"], hint: Float[Tensor, "5 2"]) -> int | None:
    """Choose the face that is meant, of those a detector found in a picture.

    Args:
        points: Landmarks of each face.
        hint: Landmarks of the face that is meant.

    Returns:
        The face whose landmarks' centre lies nearest to the hint's centre, if it lies within one eye
        distance of the hint.
    """
    if not len(points):
        return None
    distances = torch.linalg.vector_norm(points.detach().mean(dim=1) - hint.mean(dim=0), dim=1)
    nearest = int(distances.argmin())
    return nearest if bool(distances[nearest] <= torch.linalg.vector_norm(hint[1] - hint[0])) else None


def nearest_faces(
    faces: Iterable[Float[Tensor, "faces 5 2"]], hint: Float[Tensor, "batch 5 2"]
) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
    """Of the faces on each picture the one that is meant, as `nearest_face` chooses it.

    Args:
        faces: For each picture, landmarks of each face; their gradient is kept.
        hint: Landmarks of the faces that are meant, on the same device and of the same type.

    Returns:
        The landmarks, zero where no face is near the hint, and whether one is.
    """
    chosen = []
    found = torch.zeros(len(hint), dtype=torch.bool, device=hint.device)
    for row, each in enumerate(faces):
        nearest = nearest_face(each, hint[row])
        if nearest is not None:
            chosen.append(each[nearest])
            found[row] = True
    points = torch.zeros_like(hint)
    return (points.index_put((found,), torch.stack(chosen)) if chosen else points), found


def finds_all(aligner: Aligner) -> bool:
    """Whether every face counts as found by an aligner, so that nobody need ask which were."""
    return bool(getattr(aligner, "finds_all", False))
