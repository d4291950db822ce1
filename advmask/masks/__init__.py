"""The mask as a thing in millimetres, and where it lies on a head."""

from advmask.masks.placement import Placement, Wear, place
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose, fit_pose
from advmask.masks.settings import MaskSettings, build_mask
from advmask.masks.surface import MaskSurface, lower_face_mask

__all__ = [
    "REFERENCE_POINTS_MM",
    "HeadPose",
    "MaskSettings",
    "MaskSurface",
    "Placement",
    "Wear",
    "build_mask",
    "fit_pose",
    "lower_face_mask",
    "place",
]
