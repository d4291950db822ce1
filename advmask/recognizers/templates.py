"""Five-point alignment templates: where eyes, nose and mouth corners stand in a network's chip."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.photos.chips import ARCFACE_POINTS, ARCFACE_SIDE

# Left-in-image eye, right eye, nose, left and right mouth corner: x, y in pixels of the named chip size, as
# published: pixel centres at whole numbers. Here centres lie at +0.5, which is added on reading.
_NAMED: dict[str, tuple[int, list[tuple[float, float]]]] = {
    # InsightFace's 112 x 112 template, used by ArcFace and its descendants (Deng et al. 2019).
    "arcface": (ARCFACE_SIDE, list(ARCFACE_POINTS)),
    # Fitted so that MTCNN's points give the 150 x 150 chips that dlib cuts with padding 0.25.
    "dlib": (
        150,
        [(47.549, 46.599), (100.476, 46.599), (74.013, 76.562), (50.415, 103.023), (97.610, 103.023)],
    ),
    # Median MTCNN points in MTCNN's own box stretched to 160 x 160, which is what facenet is fed, over 181
    # photos of Labeled Faces in the Wild, mirrored and averaged.
    "facenet": (
        160,
        [(42.2, 61.3), (116.8, 61.3), (79.5, 94.0), (45.3, 119.0), (113.7, 119.0)],
    ),
}


def template_points(
    template: str | Sequence[Sequence[float]], *, size: tuple[int, int]
) -> Float[Tensor, "5 2"]:
    """Template points in a chip of `size`.

    Args:
        template: `arcface`, `dlib`, `facenet`, or five (x, y) pairs in pixels of the chip, centres at +0.5.
        size: Height and width of the chip; named templates are scaled to its height.

    Raises:
        ValueError: The name is unknown or the points are not five pairs.
    """
    if isinstance(template, str):
        if template not in _NAMED:
            raise ValueError(f"unknown alignment template {template!r}; known: {', '.join(sorted(_NAMED))}")
        side, points = _NAMED[template]
        return (torch.tensor(points, dtype=torch.float32) + 0.5) * (size[0] / side)
    result = torch.tensor(template, dtype=torch.float32)
    if result.shape != (5, 2):
        raise ValueError(f"a template is five (x, y) pairs, not an array of shape {tuple(result.shape)}")
    return result


def points_of_a_box(crop: float, *, size: tuple[int, int]) -> Float[Tensor, "5 2"]:
    """Template by which the points that `box` gives cut its box, enlarged about its centre.

    Args:
        crop: Side of the chip in sides of the box.
        size: Height and width of the chip.
    """
    shares = template_points("facenet", size=(1, 1))
    return ((shares - 0.5) / crop + 0.5) * size[0]
