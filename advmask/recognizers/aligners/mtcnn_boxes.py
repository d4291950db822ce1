"""The boxes on which MTCNN runs its landmark network."""

from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.photos.mtcnn_cascade import Mtcnn

_AT_ONCE_PX = 3 * 10**6  # of pictures, which bounds memory


class MtcnnBoxes:
    """The first two networks of MTCNN, and the third one's opinion which of their boxes hold faces.

    Args:
        min_face_px: Smallest longer side of a face box, px.
        min_probability: Smallest probability of a face, in [0, 1].
    """

    def __init__(self, *, min_face_px: int, min_probability: float) -> None:
        self._min_face_px, self._min_probability = min_face_px, min_probability

    @cached_property
    def _networks(self) -> Mtcnn:
        return Mtcnn()

    def find(self, pictures: Float[Tensor, "batch 3 rows columns"]) -> list[Float[Tensor, "faces 4"]]:
        """Find the faces of each picture.

        Args:
            pictures: In [0, 1], RGB.

        Returns:
            For each face of each picture the box on which the landmark network runs: left, top, right,
            bottom, with the first pixel counted as 1.
        """
        return [both[:, 0] for both in self._both(pictures)]

    def outlines(self, pictures: Float[Tensor, "batch 3 rows columns"]) -> list[Float[Tensor, "faces 4"]]:
        """The boxes that MTCNN gives for the faces of each picture, in the order of `find`; edges in px."""
        return [both[:, 1] for both in self._both(pictures)]

    def _both(self, pictures: Tensor) -> list[Float[Tensor, "faces 2 4"]]:
        rows, columns = pictures.shape[-2:]
        bytes_ = (pictures * 255).round().byte().permute(0, 2, 3, 1)
        results = []
        for part in bytes_.split(max(1, _AT_ONCE_PX // (rows * columns))):
            for found in self._networks.find(list(part), [self._min_face_px] * len(part)):
                both = torch.stack([found.seen, found.boxes], dim=1)
                longer = (found.boxes[:, 2:] - found.boxes[:, :2]).amax(dim=1)
                wanted = (
                    (found.probability >= self._min_probability)
                    & (longer >= self._min_face_px)
                    & torch.isfinite(both).all(dim=2).all(dim=1)
                )
                results.append(both[wanted].to(pictures))
        return results
