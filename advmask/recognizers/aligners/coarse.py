"""Aligners that use less than five landmarks: a detector's box alone, or the eyes and the mouth."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.core.precision import as_file, full_precision, like
from advmask.recognizers.aligners.aligner import nearest_faces
from advmask.recognizers.aligners.face_box import MEAN_FACE
from advmask.recognizers.aligners.mtcnn import MtcnnAligner
from advmask.recognizers.aligners.mtcnn_boxes import MtcnnBoxes
from advmask.recognizers.alignment import similarity_to_template
from advmask.recognizers.templates import template_points


class BoxAligner:
    """Crops the box that MTCNN detects and aligns by nothing, as many older pipelines do.

    The five landmarks given lie where they lie in the median box: the head may turn or nod as it likes, and a
    network is shown an upright square. For the template `facenet` that is the square about the centre of the
    box whose side is the mean of the box's sides; `points_of_a_box` is the template of larger ones.

    Args:
        min_face_px: Smallest longer side of a face box, px.
        min_probability: Smallest probability of a face, in [0, 1].
    """

    name = "box"
    differentiable = False

    def __init__(self, *, min_face_px: int = 20, min_probability: float = 0.9) -> None:
        self._boxes = MtcnnBoxes(min_face_px=min_face_px, min_probability=min_probability)

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the box on each picture; without gradient.

        Args:
            pictures: In [0, 1], RGB; rounded to 8 bits, as any file would be.
            hint: Landmarks of the bare picture; used to choose between faces, never returned.

        Returns:
            Five points in the box, zero where no face was found, and whether one was found.
        """
        with torch.no_grad():
            seen = as_file(like(pictures))
            inside = template_points("facenet", size=(1, 1)).to(seen) - 0.5
            boxes = (box.reshape(-1, 2, 2) for box in self._boxes.outlines(seen))
            faces = (
                box.mean(dim=1, keepdim=True) + (box[:, 1] - box[:, 0]).mean(dim=1)[:, None, None] * inside
                for box in boxes
            )
            return nearest_faces(faces, hint.to(seen))


class ThreePointAligner:
    """Aligns by both eyes and the middle of the mouth, as MTCNN finds them; differentiable.

    A mean face is laid on the three by least squares, and its five landmarks are given.
    """

    name = "three-point"
    differentiable = True

    def __init__(self) -> None:
        self._five = MtcnnAligner()

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the three points on each picture; see `MtcnnAligner.landmarks`."""
        with full_precision(pictures):
            five, found = self._five.landmarks(pictures, hint)
            mean = torch.tensor(MEAN_FACE).to(five)
            there = similarity_to_template(_three(five), _three(mean[None])[0])
            power = (there[:, 0, 0] ** 2 + there[:, 1, 0] ** 2).clamp(min=1e-12)[:, None, None]
            points = (mean - there[:, None, :, 2]) @ there[:, :, :2] / power
            return torch.where(found[:, None, None], points, 0.0), found


def _three(points: Float[Tensor, "batch 5 2"]) -> Float[Tensor, "batch 3 2"]:
    return torch.cat([points[:, :2], points[:, 3:].mean(dim=1, keepdim=True)], dim=1)
