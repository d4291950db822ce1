"""MTCNN run afresh on a picture, as a recognizer in the field would run it. No gradient."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor

from advmask.photos import Face, FaceDetector


class MtcnnAligner:
    """Finds the face anew on every picture it is given.

    Args:
        detector: The detector to run; None builds one with its defaults.
    """

    name = "mtcnn"

    def __init__(self, detector: FaceDetector | None = None) -> None:
        self._detector = detector or FaceDetector()

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], expected: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the five landmarks on each picture.

        Of several faces the one whose landmarks' centre lies nearest to the expected centre is taken, if it
        lies within one eye distance; the face a working crop was cut for is the one under test.

        Args:
            pictures: In [0, 1], RGB; rounded to 8 bits, as any file would be.
            expected: Landmarks of the bare picture; used to choose between faces, never returned.

        Returns:
            The landmarks, zero where no face was found, and whether one was found.
        """
        found = torch.zeros(len(pictures), dtype=torch.bool)
        points = torch.zeros(len(pictures), 5, 2)
        for i, picture in enumerate(pictures):
            array = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
            face = _nearest(self._detector.detect(Image.fromarray(array)), expected[i].cpu().numpy())
            if face is not None:
                points[i] = torch.from_numpy(face.landmarks).float()
                found[i] = True
        return points, found


def _nearest(faces: list[Face], expected: np.ndarray) -> Face | None:
    limit = float(np.linalg.norm(expected[1] - expected[0]))
    distances = [float(np.linalg.norm(face.landmarks.mean(axis=0) - expected.mean(axis=0))) for face in faces]
    if not distances or min(distances) > limit:
        return None
    return faces[int(np.argmin(distances))]
