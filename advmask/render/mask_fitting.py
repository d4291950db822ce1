"""From a photo and its landmarks to packed placements of a mask."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from advmask.core.errors import PhotoError
from advmask.masks.dense_pose import fit_dense_pose
from advmask.masks.follow_person import follow_person
from advmask.masks.placement import Wear, place
from advmask.masks.pose import HeadPose, fit_pose
from advmask.masks.surface import MaskSurface
from advmask.render.packing import PackedPlacement, pack
from advmask.render.pyramid import MipPyramid
from advmask.render.settings import RenderSettings
from advmask.render.skin_light import PhotoLight

LARGEST_YAW_DEG = 60.0  # beyond it neither the pose nor the surface is to be believed
_LARGEST_RESIDUAL = 0.2  # of the pose fit, in eye distances; real photos stay below 0.12, noise seldom
_LEAST_INSIDE = 0.6  # share of the masked pixels that must show the photo and not what lies beyond its border


@dataclass(frozen=True, eq=False)
class PosedFace:
    """What is known of a face before a mask is put on it.

    Attributes:
        picture: The bare photo, sRGB in [0, 1].
        pose: Of the head.
        dense: 468 points on it (x, y, z in px), where they are known: then the mask follows the person.
        occluder: Alpha in [0, 1] of what is in front of the mask: hair, hands, glasses.
        inside: Which pixels show the photo; None where all do.
    """

    picture: Float[Tensor, "3 height width"]
    pose: HeadPose
    dense: Float[Tensor, "468 3"] | None = None
    occluder: Float[Tensor, "height width"] | None = None
    inside: Bool[Tensor, "height width"] | None = None


def find_pose(landmarks: Float[Tensor, "5 2"], dense: Float[Tensor, "468 3"] | None = None) -> HeadPose:
    """Find the pose of a head, and refuse one that no mask should be put on.

    Args:
        landmarks: Eyes, nose and mouth corners, px.
        dense: The 468 points, px, where they are known.

    Raises:
        PhotoError: The head is turned too far, or the landmarks do not look like a face.
    """
    pose = fit_pose(landmarks.double().numpy()) if dense is None else fit_dense_pose(dense.double().numpy())
    if abs(pose.yaw) > math.radians(LARGEST_YAW_DEG):
        raise PhotoError(
            f"The head is turned by {abs(math.degrees(pose.yaw)):.0f} degrees; masks are placed up to "
            f"{LARGEST_YAW_DEG:.0f}."
        )
    if pose.residual > _LARGEST_RESIDUAL:
        raise PhotoError(
            f"The landmarks do not lie like those of a face (off by {100 * pose.residual:.0f} % of the eye "
            f"distance; {100 * _LARGEST_RESIDUAL:.0f} % is the most); choose a clearer photo."
        )
    return pose


def fit_masks(
    face: PosedFace,
    surface: MaskSurface,
    *,
    wears: Sequence[Wear | None],
    texels_per_mm: float,
    settings: RenderSettings,
) -> list[PackedPlacement]:
    """Place a mask on a photo in several ways of wearing it.

    Args:
        face: The photo and the pose of the head on it.
        surface: The mask.
        wears: One packed placement is made for each; None is the ideal place.
        texels_per_mm: Of the textures that will be rendered; they have the size `surface.texture_size` gives.
        settings: How masks are drawn.

    Raises:
        PhotoError: No part of the mask lies on the picture, or much of it beyond the photo's border.
    """
    pyramid = MipPyramid(*surface.texture_size(texels_per_mm))
    vertices = None
    if face.dense is not None:
        vertices = follow_person(surface.vertices_mm, face.dense.double().numpy(), face.pose)
    photo = PhotoLight.of(face.picture)
    packed = [
        pack(
            place(surface, face.pose, wear=wear, vertices_mm=vertices, ear_loops=settings.ear_loops),
            face.picture,
            pyramid=pyramid,
            texels_per_mm=texels_per_mm,
            settings=settings,
            occluder=face.occluder,
            photo=photo,
        )
        for wear in wears
    ]
    for item in packed:
        share = (
            1.0 if face.inside is None else float(face.inside.flatten()[item.pixel.long()].double().mean())
        )
        if len(item.pixel) == 0 or share < _LEAST_INSIDE:
            raise PhotoError(
                "The mask would lie on the photo's border or beyond it; use one that shows the whole face."
            )
    return packed
