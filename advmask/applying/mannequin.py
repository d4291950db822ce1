"""A design worn by a drawn head that is nobody's, turned as one likes."""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from advmask.applying.mask_drawing import WornDesign, draw_mask_at
from advmask.colour.srgb import srgb_from_linear
from advmask.core.threads import one_thread
from advmask.masks.neutral_head import neutral_head
from advmask.masks.pose import HeadPose
from advmask.render.rasterise import rasterise

MOST_TURNED_DEG = 70
_WIDE, _HIGH = 560, 640  # px
_PX_PER_MM = 2.08
_AT = (280.0, 336.0)  # of the head frame's origin, px
_FINE = 2  # sub-pixels along a side
_NODS_DEG = 3.0
_TURNS_KEPT = 32
# Linear light: the head's own colour, the ground above and below, and a lamp from the upper left and a weak
# one from the right, with what comes from everywhere.
_CLAY = np.array([0.585, 0.475, 0.395])
_ABOVE, _BELOW = np.array([0.76, 0.75, 0.73]), np.array([0.55, 0.54, 0.52])
_LAMPS = ((np.array([-0.45, 0.55, 0.70]), 0.62), (np.array([0.8, 0.1, 0.35]), 0.16))
_EVERYWHERE = 0.30


def on_mannequin(design: WornDesign, *, yaw_deg: float) -> Image.Image:
    """A drawn head that wears a design.

    Args:
        design: What is worn.
        yaw_deg: How far the head is turned to the right in the picture; at most `MOST_TURNED_DEG` either way.
    """
    yaw_deg = min(max(yaw_deg, -MOST_TURNED_DEG), MOST_TURNED_DEG)
    bare = np.asarray(bare_mannequin(round(yaw_deg)))
    return Image.fromarray(draw_mask_at(bare, _pose(round(yaw_deg)), design))


@lru_cache(maxsize=_TURNS_KEPT)
def bare_mannequin(yaw_deg: int) -> Image.Image:
    """The head alone."""
    with one_thread():
        return Image.fromarray(_drawn(_pose(yaw_deg)))


def _pose(yaw_deg: int) -> HeadPose:
    return HeadPose(math.radians(yaw_deg), math.radians(_NODS_DEG), 0.0, _PX_PER_MM, _AT)


def _drawn(pose: HeadPose) -> UInt8[np.ndarray, "height width 3"]:
    head = neutral_head()
    points, depth = pose.project(head.vertices_mm)
    size = _HIGH * _FINE, _WIDE * _FINE
    a, b, c = (points[head.faces[:, corner]] for corner in range(3))
    towards_us = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    faces = head.faces[towards_us]
    seen = rasterise(
        torch.from_numpy(points * _FINE),
        torch.from_numpy(depth),
        torch.from_numpy(faces),
        height=size[0],
        width=size[1],
    )
    corners = torch.from_numpy((head.normals @ pose.rotation.T).astype(np.float32)[faces])
    normals = (corners[seen.face] * seen.barycentric.float()[..., None]).sum(dim=1).numpy()
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-6)
    down = (np.arange(size[0]) / size[0])[:, None, None]
    light = np.empty((*size, 3), dtype=np.float32)
    light[:] = _ABOVE + down * (_BELOW - _ABOVE)
    light.reshape(-1, 3)[seen.pixel.numpy()] = _CLAY * _lit(normals)[:, None]
    pixels = light.reshape(_HIGH, _FINE, _WIDE, _FINE, 3).mean(axis=(1, 3))
    shown = srgb_from_linear(torch.from_numpy(pixels)).clamp(0, 1)
    return (shown * 255).round().to(torch.uint8).numpy()


def _lit(normals: np.ndarray) -> np.ndarray:
    """Lambert's light of both lamps, with soft edges as of large ones."""
    total = np.full(len(normals), _EVERYWHERE, dtype=np.float64) * (0.7 + 0.3 * normals[:, 1])
    for direction, strength in _LAMPS:
        facing = normals @ (direction / np.linalg.norm(direction))
        total += strength * ((facing + 0.25) / 1.25).clip(0, None)
    return np.asarray(total)
