"""A face detector in ONNX form as an aligner: SCRFD, RetinaFace or YuNet, run as its maker runs it."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from advmask.core.precision import as_file, full_precision, like
from advmask.recognizers.aligners.aligner import nearest_faces
from advmask.recognizers.aligners.detector_layouts import LAYOUTS, Faces

_LARGEST_STRIDE = 32


class DetectorAligner:
    """Finds faces by one dense network that gives their five points as well.

    A place counts as a face by a decision without gradient; its points carry one to the picture, where the
    network does.

    Args:
        name: As users write it.
        network: One picture (1, 3, H, W) to a tuple of outputs, each (places, width) or (1, places, width).
        family: `scrfd`, `retinaface` or `yunet`: how it is fed and read.
        size: Height and width of its input, where the file fixes them.
        differentiable: Whether the network carries a gradient.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        family: str,
        *,
        size: tuple[int, int] | None = None,
        differentiable: bool = True,
    ) -> None:
        self.name, self.differentiable = name, differentiable
        self._network, self._layout = network, LAYOUTS[family]
        self._size = size or (self._layout.side and (self._layout.side, self._layout.side)) or None

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the five landmarks on each picture.

        Args:
            pictures: In [0, 1], RGB; cut to that and rounded to 8 bits, as any file would be.
            hint: Landmarks of the bare picture; used to choose between faces, never returned.

        Returns:
            The landmarks, zero where no face was found near the hint, and whether one was found.
        """
        with (
            full_precision(pictures),
            torch.set_grad_enabled(torch.is_grad_enabled() and self.differentiable),
        ):
            seen = as_file(like(pictures))
            return nearest_faces((self.faces(one).points for one in seen), hint.to(seen))

    @property
    def confidence(self) -> float:
        """Lowest score of a face."""
        return self._layout.confidence

    @property
    def scales(self) -> bool:
        """Whether pictures are brought to a size of the network's own."""
        return self._size is not None

    def faces(self, picture: Float[Tensor, "3 rows columns"]) -> Faces:
        """Every face of a picture in [0, 1], RGB: score, box and points in its pixels, centres at +0.5."""
        from torchvision.ops import nms  # type: ignore[import-untyped]  # two seconds to load

        layout = self._layout
        fed, scale = self._fed(picture)
        network = self._network.to(fed)
        outputs = [each.reshape(-1, each.shape[-1]) for each in network(fed[None])]
        faces = layout.decode(outputs, (fed.shape[1], fed.shape[2]))
        sure = (faces.scores.detach() >= layout.confidence).nonzero()[:, 0]
        boxes = faces.boxes.detach()[sure] / scale
        boxes[:, 2:] += 1  # an edge pixel counts as a whole one in their overlap
        kept = sure[nms(boxes.float(), faces.scores.detach()[sure].float(), layout.overlap)]
        return Faces(faces.scores[kept], faces.boxes[kept] / scale + 0.5, faces.points[kept] / scale + 0.5)

    def _fed(self, picture: Float[Tensor, "3 rows columns"]) -> tuple[Tensor, float]:
        """The picture as the network wants it, and by how much it was enlarged."""
        layout, scale = self._layout, 1.0
        rows, columns = picture.shape[1:]
        if self._size is None:
            height, width = (-(-each // _LARGEST_STRIDE) * _LARGEST_STRIDE for each in (rows, columns))
        else:
            height, width = self._size
            tall = rows / columns > height / width
            inside = (height, int(height * columns / rows)) if tall else (int(width * rows / columns), width)
            scale = inside[0] / rows
            picture = F.interpolate(picture[None], inside, mode="bilinear", align_corners=False)[0]
        picture = F.pad(picture, (0, width - picture.shape[2], 0, height - picture.shape[1])) * 255
        if layout.channels == "bgr":
            picture = picture.flip(0)
        return (picture - torch.tensor(layout.mean).to(picture)[:, None, None]) / layout.std, scale
