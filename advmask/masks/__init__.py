"""The mask as a thing in millimetres, and where it lies on a head."""

from advmask.masks.dense_pose import fit_dense_pose
from advmask.masks.folds import Fold
from advmask.masks.follow import follow_person
from advmask.masks.placement import Placement, Wear, place
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose, fit_pose
from advmask.masks.settings import MaskSettings, build_mask
from advmask.masks.surface import MaskSurface

__all__ = [
    "REFERENCE_POINTS_MM",
    "Fold",
    "HeadPose",
    "MaskSettings",
    "MaskSurface",
    "Placement",
    "Wear",
    "build_mask",
    "fit_dense_pose",
    "fit_pose",
    "follow_person",
    "place",
]
