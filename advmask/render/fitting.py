"""From a photo and its landmarks to packed placements of a mask."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from advmask.errors import PhotoError
from advmask.masks import MaskSurface, Wear, fit_pose, place
from advmask.render.packing import PackedPlacement, RenderSettings, pack
from advmask.render.pyramid import MipPyramid

_LARGEST_YAW_DEG = 60.0  # beyond it the five-point pose and the generic surface are not to be believed
_LARGEST_RESIDUAL = 0.2  # of the pose fit, in eye distances; real photos stay below 0.12, noise seldom


def fit_masks(
    picture: Float[Tensor, "3 height width"],
    landmarks: Float[Tensor, "5 2"],
    surface: MaskSurface,
    *,
    wears: Sequence[Wear | None],
    texels_per_mm: float,
    settings: RenderSettings,
) -> list[PackedPlacement]:
    """Place a mask on a photo in several ways of wearing it.

    Args:
        picture: The bare photo, sRGB in [0, 1].
        landmarks: Eyes, nose and mouth corners on it, px.
        surface: The mask.
        wears: One packed placement is made for each; None is the ideal place.
        texels_per_mm: Of the textures that will be rendered; they have the size `surface.texture_size` gives.
        settings: How masks are drawn.

    Raises:
        PhotoError: The head is turned too far, the landmarks do not look like a face, or no part of the
            mask lies on the picture.
    """
    pose = fit_pose(landmarks.double().numpy())
    if abs(pose.yaw) > math.radians(_LARGEST_YAW_DEG):
        raise PhotoError(
            f"The head is turned by {abs(math.degrees(pose.yaw)):.0f} degrees; masks are placed up to "
            f"{_LARGEST_YAW_DEG:.0f}."
        )
    if pose.residual > _LARGEST_RESIDUAL:
        raise PhotoError("The five landmarks do not lie like those of a face; choose a clearer photo.")
    pyramid = MipPyramid(*surface.texture_size(texels_per_mm))
    packed = [
        pack(
            place(surface, pose, wear=wear),
            picture,
            pyramid=pyramid,
            texels_per_mm=texels_per_mm,
            settings=settings,
        )
        for wear in wears
    ]
    if any(len(item.pixel) == 0 for item in packed):
        raise PhotoError("No part of the mask lies on the picture; the face must be inside it.")
    return packed
