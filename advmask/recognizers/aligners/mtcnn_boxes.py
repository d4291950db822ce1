"""The boxes on which MTCNN runs its landmark network."""

import warnings
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from advmask.core.threads import one_thread


class MtcnnBoxes:
    """The first two networks of MTCNN, and the third one's opinion which of their boxes hold faces.

    Args:
        min_face_px: Smallest longer side of a face box, px.
        min_probability: Smallest probability of a face, in [0, 1].

    Source:
        Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded CNNs, 2016.
    """

    def __init__(self, *, min_face_px: int, min_probability: float) -> None:
        self._min_face_px, self._min_probability = min_face_px, min_probability

    @cached_property
    def _mtcnn(self) -> Any:
        with warnings.catch_warnings():
            # Older torch versions warn about the way in which the wheel stores its weights.
            warnings.simplefilter("ignore")
            from facenet_pytorch import MTCNN

            return MTCNN(keep_all=True).eval()

    def find(self, picture: Float[Tensor, "3 rows columns"]) -> Float[Tensor, "faces 4"]:
        """Find the faces of one picture.

        Args:
            picture: In [0, 1], RGB.

        Returns:
            For each face the box on which the landmark network runs: left, top, right, bottom, with the first
            pixel counted as 1. Empty when there is none.
        """
        return self._both(picture)[:, 0]

    def outlines(self, picture: Float[Tensor, "3 rows columns"]) -> Float[Tensor, "faces 4"]:
        """The boxes that MTCNN gives for the faces of one picture, in the order of `find`; edges in px."""
        return self._both(picture)[:, 1]

    @torch.no_grad()
    def _both(self, picture: Float[Tensor, "3 rows columns"]) -> Float[Tensor, "faces 2 4"]:
        if min(picture.shape[1:]) < self._min_face_px:
            return picture.new_zeros(0, 2, 4)  # MTCNN would build an empty pyramid and fail
        bytes_ = (picture * 255).round().permute(1, 2, 0)
        try:
            return self._run(bytes_).to(picture)
        except IndexError:
            # When a candidate box leaves the picture altogether, MTCNN drops it from one list and not from
            # the other. A margin keeps every candidate inside.
            margin = max(picture.shape) // 2
            wide = F.pad(bytes_.permute(2, 0, 1), (margin,) * 4, value=128).permute(1, 2, 0)
        try:
            return (self._run(wide) - margin).to(picture)
        except IndexError:
            return picture.new_zeros(0, 2, 4)

    def _run(self, picture: Tensor) -> Tensor:
        from facenet_pytorch.models.utils.detect_face import detect_face

        mtcnn = self._mtcnn.to(picture.device)

        def telling_its_box(faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            # MTCNN keeps to itself where its landmark network looks. It maps landmarks from shares of that
            # box to the picture; so the "landmarks" (0, 0) and (1, 1) become the corners of the box.
            correction, landmarks, probability = mtcnn.onet(faces)
            corners = torch.zeros_like(landmarks)
            corners[:, [1, 6]] = 1
            return correction, corners, probability

        with one_thread():
            (outlines,), (corners,) = detect_face(
                picture,
                self._min_face_px,
                mtcnn.pnet,
                mtcnn.rnet,
                telling_its_box,
                mtcnn.thresholds,
                mtcnn.factor,
                picture.device,
            )
        outlines = torch.tensor(outlines.astype("f8")).view(-1, 5)
        corners = torch.tensor(corners.astype("f8")).view(-1, 5, 2)
        boxes = torch.cat([corners[:, 0] + 1, corners[:, 1]], dim=1)
        longer = (outlines[:, 2:4] - outlines[:, :2]).amax(dim=1)
        wanted = (
            (outlines[:, 4] >= self._min_probability)
            & (longer >= self._min_face_px)
            & torch.isfinite(torch.cat([outlines, boxes], dim=1)).all(dim=1)
        )
        return torch.stack([boxes, outlines[:, :4]], dim=1)[wanted]
