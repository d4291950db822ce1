"""Where a mask lies on a photo: the surface, moved by how it is worn and projected by the head's pose."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmask.masks.pose import HeadPose
from advmask.masks.surface import MaskSurface

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Wear:
    """How a mask sits, relative to its ideal place, in the head frame.

    Attributes:
        shift_mm: Right in the picture and up.
        tilt_deg: Turn about the line of sight of a frontal camera, positive clockwise in the picture.
        scale: Size against the ideal; 1 is a perfect fit.
    """

    shift_mm: tuple[float, float] = (0.0, 0.0)
    tilt_deg: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class Placement:
    """A mask's mesh on one photo.

    Attributes:
        points_px: (V, 2) picture positions, pixel centres at +0.5.
        depth_mm: (V,) along the line of sight, larger is nearer.
        normals: (V, 3) unit, camera frame: x right, y up, z to the camera.
        uv_mm: (V, 2) pattern frame, relative to the texture's top-left corner.
        faces: (F, 3) vertex numbers of the triangles that face the camera.
    """

    points_px: FloatArray
    depth_mm: FloatArray
    normals: FloatArray
    uv_mm: FloatArray
    faces: NDArray[np.int64]


def place(surface: MaskSurface, pose: HeadPose, *, wear: Wear | None = None) -> Placement:
    """Project a worn mask onto a photo.

    Args:
        surface: The mask.
        pose: The head's pose on the photo.
        wear: How the mask sits; None is the ideal place, exactly.
    """
    vertices, normals = surface.vertices_mm, surface.normals
    if wear is not None:
        vertices, normals = _worn(vertices, normals, wear)
    points, depth = pose.project(vertices)
    a, b, c = (points[surface.faces[:, corner]] for corner in range(3))
    # Counter-clockwise in a y-up frame is a negative area where y points down.
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return Placement(
        points_px=points,
        depth_mm=depth,
        normals=normals @ pose.rotation.T,
        uv_mm=surface.uv_mm - np.asarray(surface.origin_mm),
        faces=surface.faces[area < 0],
    )


def _worn(vertices: FloatArray, normals: FloatArray, wear: Wear) -> tuple[FloatArray, FloatArray]:
    centre = np.array([0.0, vertices[:, 1].mean(), 0.0])
    angle = -np.deg2rad(wear.tilt_deg)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]]
    )
    in_plane = np.array([wear.scale, wear.scale, 1.0])
    moved = (vertices - centre) @ turn.T * in_plane + centre + [*wear.shift_mm, 0.0]
    # Normals go by the inverse transpose: what is stretched in the plane leans more to the camera.
    turned = normals @ turn.T / in_plane
    return moved, turned / np.linalg.norm(turned, axis=1, keepdims=True)
