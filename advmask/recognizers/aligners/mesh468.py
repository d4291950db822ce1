"""The 468-point face mesh as an aligner, differentiable in the picture."""

import os
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.core.errors import WeightsError
from advmask.core.precision import full_precision, like
from advmask.photos.mesh_network import SIDE_PX, MeshNetwork, in_picture, square_around, square_of
from advmask.photos.mesh_points import FIVE_FROM_MESH, MESH_POINTS
from advmask.recognizers.aligners.face_box import BoxRelation, box_from_landmarks
from advmask.recognizers.aligners.mtcnn import MtcnnAligner
from advmask.recognizers.alignment import cut_chips

MODEL_VARIABLE = "ADVMASK_FACE_MESH"
"""Environment variable that names the network's file where no setting does."""

# Box around the points of the mesh, upright in the face's own frame.
MESH_BOX = BoxRelation(
    centre=(0.0, -0.050), side=2.57, source="medians over 361 photos of 72 people (LFW), bare, mirrored"
)


class MeshAligner:
    """Puts the mesh on a face and takes the five landmarks from it.

    Without a box MTCNN finds the face and the network looks twice, the second time at a square around the
    points of the first look, which makes the points independent of where MTCNN saw the face. With `given_box`
    it looks once, at the square that the hint tells. The gradient goes through the last look; the place of
    its square is taken as fixed.

    Args:
        given_box: Take the face's place from the hint instead of finding it.
        model: The mediapipe 0.10.21 wheel, or the face_landmark.tflite out of it; None takes the file that
            the environment variable ADVMASK_FACE_MESH names.

    Raises:
        WeightsError: No file is named, or it cannot be read.

    Source:
        Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019.
    """

    differentiable = True

    def __init__(self, *, given_box: bool = False, model: Path | None = None) -> None:
        self.name = "mesh468-box" if given_box else "mesh468"
        named = model or (Path(given).expanduser() if (given := os.environ.get(MODEL_VARIABLE)) else None)
        if named is None:
            raise WeightsError(
                f"{self.name} needs the face mesh network; run `pip download --no-deps --only-binary :all: "
                f"mediapipe==0.10.21` and set {MODEL_VARIABLE} to the wheel's path."
            )
        self._network = MeshNetwork(named)
        self._given_box = given_box

    @cached_property
    def _detector(self) -> MtcnnAligner:
        return MtcnnAligner()

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the five landmarks on each picture.

        Args:
            pictures: In [0, 1], RGB.
            hint: Landmarks of the bare picture; they tell which face is meant, or where it is.

        Returns:
            The landmarks, zero where MTCNN or the mesh network saw no face, and whether both did.
        """
        points, found = self.mesh(pictures, hint)
        if not len(points):
            return points.new_zeros(0, 5, 2), found
        five = torch.stack([points[:, list(indices)].mean(dim=1) for indices in FIVE_FROM_MESH], dim=1)
        return five, found

    def mesh(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 468 2"], Bool[Tensor, " batch"]]:
        """As `landmarks`, for all points of the mesh."""
        with full_precision(pictures):
            seen = like(pictures)
            self._network.to(seen)
            start, found = hint.to(seen), torch.ones(len(seen), dtype=torch.bool, device=seen.device)
            if not self._given_box:
                with torch.no_grad():
                    start, found = self._detector.landmarks(seen, hint)
            points = torch.zeros(len(seen), MESH_POINTS, 2).to(seen)
            if not bool(found.any()):
                return points, found
            faces, squares = seen[found], _square_from_five(start[found])
            if not self._given_box:
                with torch.no_grad():
                    squares = square_around(self.look(faces, squares)[0])
            looked, logit = self.look(faces, squares)
            sure = logit >= 0  # at least even chances of a face
            rows = found.nonzero()[:, 0][sure]
            found = torch.zeros_like(found).index_fill(0, rows, True)
            return points.index_put((rows,), looked[sure]), found

    def look(
        self, pictures: Float[Tensor, "batch 3 rows columns"], squares: Float[Tensor, "batch 2 3"]
    ) -> tuple[Float[Tensor, "batch 468 2"], Float[Tensor, " batch"]]:
        """Run the network on a square of each picture; differentiable in the pictures.

        Args:
            pictures: In [0, 1], RGB.
            squares: Similarities that take points of the picture to points of what the network sees.

        Returns:
            The mesh in pixels of the picture, and the logit of a face.
        """
        points, logit = self._network(_cut(pictures, squares))
        return in_picture(points[..., :2], squares), logit


def _cut(pictures: Tensor, squares: Tensor) -> Tensor:
    """What the network sees; pictures more than twice as fine are first reduced by area means."""
    fineness = 1 / squares[:, :, 0].norm(dim=1)
    factor = max(1, min(int(fineness.amin()), *(side // SIDE_PX for side in pictures.shape[2:])))
    if factor > 1:
        pictures = F.avg_pool2d(pictures, factor)
        squares = torch.cat([squares[:, :, :2] * factor, squares[:, :, 2:]], dim=2)
    return cut_chips(pictures, squares, size=(SIDE_PX, SIDE_PX))


def _square_from_five(five: Tensor) -> Tensor:
    box = box_from_landmarks(five, MESH_BOX)
    return square_of((box[:, :2] + box[:, 2:]) / 2, box[:, 2] - box[:, 0], five[:, 1] - five[:, 0])
