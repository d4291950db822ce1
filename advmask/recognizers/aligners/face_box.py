"""The box that a detector would put around a face, told from its five landmarks."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.core.constants import numbers
from advmask.recognizers.alignment import similarity_to_template


@dataclass(frozen=True, kw_only=True)
class BoxRelation:
    """Where a detector's square boxes lie on faces, in mean eye distances.

    In the frame of the face: the origin is the centre of the five landmarks, x points from the left-in-image
    eye to the right one, y down. The box itself stands upright in the picture.

    Attributes:
        centre: Centre of the box (x, y).
        side: Its side.
        source: Over which faces that was measured.
    """

    centre: tuple[float, float]
    side: float
    source: str


# Mean face in eye distances: the five landmarks of the working crop's layout, about their centre.
MEAN_FACE = ((-0.5, -0.5154), (0.5, -0.5154), (0.0, 0.0133), (-0.4547, 0.5088), (0.4547, 0.5088))


def box_from_landmarks(points: Float[Tensor, "batch 5 2"], relation: BoxRelation) -> Float[Tensor, "batch 4"]:
    """Place a detector's box by five landmarks; without gradient.

    Returns:
        Left, top, right and bottom edge, in pixels of the picture (edges lie at whole numbers).
    """
    with torch.no_grad():
        face = numbers(points, MEAN_FACE)
        to_face = similarity_to_template(points, face - face.mean(dim=0))
        # The inverse of a similarity [[a, -b], [b, a]] is its transpose over a² + b², the squared scale.
        power = to_face[:, 0, 0] ** 2 + to_face[:, 1, 0] ** 2
        centre = points.mean(dim=1)
        offset = numbers(points, relation.centre)
        centre = centre + torch.einsum("bji,j->bi", to_face[:, :, :2], offset) / power[:, None]
        half = relation.side / (2 * power.sqrt()[:, None])
        return torch.cat([centre - half, centre + half], dim=1)
