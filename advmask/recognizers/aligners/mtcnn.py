"""MTCNN as an aligner: run on a picture, or its landmark network alone on a box told by the hint."""

from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.core.constants import numbers
from advmask.core.precision import as_file, full_precision, like
from advmask.recognizers.aligners.aligner import nearest_face
from advmask.recognizers.aligners.face_box import BoxRelation, box_from_landmarks
from advmask.recognizers.aligners.landmark_head import LandmarkHead
from advmask.recognizers.aligners.mtcnn_boxes import MtcnnBoxes

# What MTCNN's second network hands to the third. Its boxes jump about: standard deviations over the photos
# are 0.19 and 0.12 (centre) and 0.20 (side) eye distances.
MTCNN_BOX = BoxRelation(
    centre=(-0.026, -0.136), side=2.70, source="medians over 361 photos of 72 people (LFW), bare"
)

# Pixels cut off when facenet-pytorch truncates a box, on average, and its counting from 1.
_TO_COUNTED = (1.5, 1.5, 0.5, 0.5)


class MtcnnAligner:
    """Detects the face on every picture it is given, as a recognizer in the field would.

    Equal to running MTCNN. The box is found without gradient; the landmark network is then run on it with a
    gradient to the picture.

    Args:
        min_face_px: Smallest longer side of a face box, px.
        min_probability: Smallest probability of a face, in [0, 1].
    """

    name = "mtcnn"
    differentiable = True

    def __init__(self, *, min_face_px: int = 20, min_probability: float = 0.9) -> None:
        self._boxes = MtcnnBoxes(min_face_px=min_face_px, min_probability=min_probability)

    @cached_property
    def _head(self) -> LandmarkHead:
        return LandmarkHead()

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the five landmarks on each picture.

        Of several faces the one whose landmarks' centre lies nearest to the hint's centre is taken, if it
        lies within one eye distance; the face a working crop was cut for is the one under test.

        Args:
            pictures: In [0, 1], RGB; cut to that and rounded to 8 bits, as any file would be. The gradient
                passes both unchanged.
            hint: Landmarks of the bare picture; used to choose between faces, never returned.

        Returns:
            The landmarks, zero where no face was found, and whether one was found.
        """
        with full_precision(pictures):
            seen = as_file(like(pictures))
            boxes = self._boxes.find(seen.detach())
            points = torch.zeros(len(seen), 5, 2).to(seen)
            found = torch.zeros(len(seen), dtype=torch.bool, device=seen.device)
            if not any(map(len, boxes)):
                return points, found
            owners = [row for row, some in enumerate(boxes) for _ in some]
            candidates = self._head.to(seen)(seen[owners], torch.cat(boxes))
            chosen, start = [], 0
            for row, some in enumerate(boxes):
                nearest = nearest_face(candidates[start : start + len(some)], hint[row].to(seen))
                if nearest is not None:
                    chosen.append(start + nearest)
                    found[row] = True
                start += len(some)
            return points.index_put((found,), candidates[chosen]), found


class MtcnnBoxAligner:
    """MTCNN's landmark network on the box that the hint tells: cheap enough for every training step.

    The box lies where MTCNN's own lies on a bare face with these landmarks, so nothing is looked for, and
    every face counts as found.
    """

    name = "mtcnn-box"
    differentiable = True
    finds_all = True

    @cached_property
    def _head(self) -> LandmarkHead:
        return LandmarkHead()

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the five landmarks in the box around the hint.

        Args:
            pictures: In [0, 1], RGB.
            hint: Landmarks of the bare picture, which place the box.
        """
        with full_precision(pictures):
            seen = like(pictures)
            boxes = box_from_landmarks(hint.to(seen), MTCNN_BOX) + numbers(seen, _TO_COUNTED)
            points: Tensor = self._head.to(seen)(seen, boxes)
            return points, torch.ones(len(seen), dtype=torch.bool, device=seen.device)
