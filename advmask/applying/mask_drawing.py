"""A design drawn on every face of a picture, at the picture's own resolution."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, UInt8
from torch import Tensor

from advmask.applying.face_finding import FoundFace
from advmask.core.errors import DesignError, PhotoError
from advmask.core.threads import one_thread
from advmask.masks.follow_person import follow_person
from advmask.masks.placement import Placement, place
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose
from advmask.masks.surface import MaskSurface
from advmask.photos.crops import apply_transform, crop_transform, invert_transform
from advmask.render.batching import collate
from advmask.render.mask_fitting import find_pose
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings

_CROP_PX = 176  # any size gives the same window
# The shadow under the rim ends within so many millimetres of the mask, and its softness within so many px.
_SHADOW_REACH_MM, _RIM_REACH_PX = 7.0, 4
# Sub-pixels between the eyes from which the rim looks no better with more.
_FINE_ENOUGH = 200.0
_NOT_ON_PICTURE = "No part of the mask lies on the picture."


@dataclass(frozen=True, eq=False)
class WornDesign:
    """A design on the mask that is drawn.

    Attributes:
        texels: sRGB in [0, 1], of the size that the surface needs at this resolution.
        texels_per_mm: That resolution.
        surface: The mask.
        render: How it is drawn; where the face is large, fewer sub-pixels are.

    Raises:
        DesignError: The texture has not the size of this mask.
    """

    texels: Float[Tensor, "3 height width"]
    texels_per_mm: float
    surface: MaskSurface
    render: RenderSettings

    def __post_init__(self) -> None:
        height, width = self.surface.texture_size(self.texels_per_mm)
        if self.texels.shape[1:] != (height, width):
            there = f"{self.texels.shape[2]} x {self.texels.shape[1]}"
            raise DesignError(
                f"The texture has {there} texels, and the mask {self.surface.name} needs {width} x {height}; "
                "it is a texture of another pattern, size or resolution. Give the one made for this mask."
            )


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture with masks.

    Attributes:
        picture: sRGB; a copy, equal to what was given wherever `changed` is not.
        changed: Pixels that a mask or its shadow touches.
        masks: Number of masks drawn.
        bare: Why other faces stayed bare, a sentence each.
    """

    picture: UInt8[np.ndarray, "height width 3"]
    changed: Bool[np.ndarray, "height width"]
    masks: int
    bare: tuple[str, ...]


def draw_masks(
    picture: UInt8[np.ndarray, "height width 3"],
    faces: Sequence[FoundFace],
    design: WornDesign,
    *,
    occluder: UInt8[np.ndarray, "height width"] | None = None,
) -> Drawn:
    """Draw a design on the faces of a picture, the nearest (largest) last.

    Each mask is drawn in a window of the picture as large as the working crop of training, and larger where
    the mask reaches farther, so that light is read off the same surroundings. Nothing is resampled.

    Args:
        picture: sRGB.
        faces: Where faces are; each gets its own pose and light.
        design: What they wear.
        occluder: What is in front of all masks: 255 fully, 0 not at all.
    """
    drawn = picture.copy()
    changed = np.zeros(picture.shape[:2], dtype=bool)
    bare: list[str] = []
    posed: list[tuple[HeadPose, FoundFace]] = []
    for face in faces:
        try:
            posed.append((_pose(face), face))
        except PhotoError as error:
            bare.append(str(error))
    posed.sort(key=lambda one: one[0].scale_px_per_mm)
    masks = 0
    with one_thread():
        for pose, face in posed:
            if _draw_one(drawn, changed, pose, face, design, occluder):
                masks += 1
            else:
                bare.append(_NOT_ON_PICTURE)
    return Drawn(drawn, changed, masks, tuple(bare))


def draw_mask_at(
    picture: UInt8[np.ndarray, "height width 3"], pose: HeadPose, design: WornDesign
) -> UInt8[np.ndarray, "height width 3"]:
    """Draw a design on a head whose pose is known; gives a copy.

    Args:
        picture: sRGB.
        pose: Of the mean head.
        design: What is worn.
    """
    drawn, changed = picture.copy(), np.zeros(picture.shape[:2], dtype=bool)
    five, _ = pose.project(REFERENCE_POINTS_MM)
    low, high = five.min(axis=0), five.max(axis=0)
    with one_thread():
        _draw_one(drawn, changed, pose, FoundFace((*low, *high), five), design, None)
    return drawn


def _pose(face: FoundFace) -> HeadPose:
    dense = None if face.dense is None else torch.from_numpy(face.dense)
    return find_pose(torch.from_numpy(face.five), dense)


def _draw_one(
    drawn: np.ndarray,
    changed: np.ndarray,
    pose: HeadPose,
    face: FoundFace,
    design: WornDesign,
    occluder: np.ndarray | None,
) -> bool:
    """Draw one mask in place; False where none of it lies on the picture."""
    vertices = None
    if face.dense is not None:
        vertices = follow_person(design.surface.vertices_mm, face.dense, pose)
    placement = place(design.surface, pose, vertices_mm=vertices, ear_loops=design.render.ear_loops)
    x0, y0, x1, y1 = _window(placement, face.five, height=drawn.shape[0], width=drawn.shape[1])
    if x0 >= x1 or y0 >= y1:
        return False
    window = np.ascontiguousarray(drawn[y0:y1, x0:x1])
    bare = torch.from_numpy(window).permute(2, 0, 1).float() / 255
    in_front = None if occluder is None else torch.from_numpy(occluder[y0:y1, x0:x1].copy()).float() / 255
    packed = pack(
        replace(placement, points_px=placement.points_px - [x0, y0]),
        bare,
        pyramid=MipPyramid(*design.texels.shape[1:]),
        texels_per_mm=design.texels_per_mm,
        settings=_render_settings(design.render, face.five),
        occluder=in_front,
    )
    if len(packed.pixel) == 0:
        return False
    with torch.no_grad():
        worn = MaskRenderer()(design.texels, bare[None], collate([packed], height=y1 - y0, width=x1 - x0))
    row, column = np.divmod(packed.pixel.long().numpy(), x1 - x0)
    colours = worn[0].permute(1, 2, 0)[torch.from_numpy(row), torch.from_numpy(column)]
    drawn[y0 + row, x0 + column] = (colours.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    changed[y0 + row, x0 + column] = True
    return True


def _window(
    placement: Placement, five: Float64[np.ndarray, "5 2"], *, height: int, width: int
) -> tuple[int, int, int, int]:
    """Columns and rows (x0, y0, x1, y1) of the picture that a mask is drawn in."""
    square = _CROP_PX * np.array([(0.0, 0), (1, 0), (0, 1), (1, 1)])
    corners = apply_transform(invert_transform(crop_transform(five, size=_CROP_PX)), square)
    reach = _SHADOW_REACH_MM * placement.px_per_mm + _RIM_REACH_PX
    # Rounded first, or a crop's own corners would lie a rounding error outside it.
    low = np.minimum(corners.min(axis=0).round(6), placement.points_px.min(axis=0) - reach)
    high = np.maximum(corners.max(axis=0).round(6), placement.points_px.max(axis=0) + reach)
    x0, y0 = np.floor(low).clip(0, [width, height]).astype(int).tolist()
    x1, y1 = np.ceil(high).clip(0, [width, height]).astype(int).tolist()
    return x0, y0, x1, y1


def _render_settings(render: RenderSettings, five: Float64[np.ndarray, "5 2"]) -> RenderSettings:
    eyes = float(np.hypot(*(five[1] - five[0])))
    enough = max(1, math.ceil(_FINE_ENOUGH / max(eyes, 1.0)))
    return render.model_copy(update={"supersample": min(render.supersample, enough)})
