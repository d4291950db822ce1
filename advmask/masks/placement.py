"""Where a mask lies on a photo: the surface, moved by how it is worn and projected by the head's pose."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy.typing import NDArray

from advmask.masks.folds import Fold, fold_ridges
from advmask.masks.pose import HeadPose
from advmask.masks.relief import Ridge
from advmask.masks.sliding import slid
from advmask.masks.straps import STRAPS, strands, strap_corners
from advmask.masks.surface import MaskSurface, vertex_normals, vertex_tangents

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Wear:
    """How a mask sits, relative to its ideal place, in the head frame.

    Attributes:
        shift_mm: Right in the picture and up.
        tilt_deg: Turn about the line of sight of a frontal camera, positive clockwise in the picture.
        scale: Size against the ideal; 1 is a perfect fit.
        folds: In the cloth.
        slip_mm: How far the upper rim slid down along the face.
        stretch: Growth of the width at the cost of the height, with the same area; 0 is none.
    """

    shift_mm: tuple[float, float] = (0.0, 0.0)
    tilt_deg: float = 0.0
    scale: float = 1.0
    folds: tuple[Fold, ...] = ()
    slip_mm: float = 0.0
    stretch: float = 0.0


@dataclass(frozen=True, eq=False)
class Placement:
    """A mask's mesh on one photo, its ear loops included.

    Attributes:
        points_px: (V, 2) picture positions, pixel centres at +0.5.
        depth_mm: (V,) along the line of sight, larger is nearer.
        normals: (V, 3) unit, camera frame: x right, y up, z to the camera.
        tangents: (V, 2, 3) camera frame: where u and v grow, mm per mm; zero on ear loops.
        uv_mm: (V, 2) pattern frame, relative to the texture's top-left corner; zero on ear loops.
        faces: (F, 3) vertex numbers of the triangles that face the camera.
        is_cloth: (F,) whether a triangle shows the texture; ear loops do not.
        px_per_mm: Pixels per millimetre at the head.
        relief: Ridges and grooves of the cloth, in the frame of `uv_mm`.
    """

    points_px: Float64[np.ndarray, "v 2"]
    depth_mm: Float64[np.ndarray, " v"]
    normals: Float64[np.ndarray, "v 3"]
    tangents: Float64[np.ndarray, "v 2 3"]
    uv_mm: Float64[np.ndarray, "v 2"]
    faces: Int64[np.ndarray, "f 3"]
    is_cloth: Bool[np.ndarray, " f"]
    px_per_mm: float
    relief: tuple[Ridge, ...] = ()


def place(
    surface: MaskSurface,
    pose: HeadPose,
    *,
    wear: Wear | None = None,
    vertices_mm: Float64[np.ndarray, "v 3"] | None = None,
    ear_loops: bool = True,
) -> Placement:
    """Project a worn mask onto a photo.

    Args:
        surface: The mask.
        pose: The head's pose on the photo.
        wear: How the mask sits; None is the ideal place, exactly.
        vertices_mm: The surface's vertices fitted to the person; None takes the surface as it is.
        ear_loops: Draw them, or the straps in their place.
    """
    wear = wear or Wear()
    vertices = slid(
        surface.vertices_mm if vertices_mm is None else vertices_mm,
        surface.chart_mm,
        slip_mm=wear.slip_mm,
        stretch=wear.stretch,
    )
    vertices = worn_vertices(vertices, wear)
    normals = vertex_normals(vertices, surface.faces)
    tangents = np.stack(vertex_tangents(vertices, surface.uv_mm, surface.faces), axis=1)
    uv, faces = surface.uv_mm - np.asarray(surface.origin_mm), surface.faces
    is_cloth = np.ones(len(faces), dtype=bool)
    straps = STRAPS.get(surface.pattern.straps)
    if ear_loops and straps is not None:
        loops = strands(vertices[list(strap_corners(surface.vertices_mm))], straps)
        added = len(loops.vertices_mm)
        faces = np.concatenate([faces, loops.faces + len(vertices)])
        is_cloth = np.concatenate([is_cloth, np.zeros(len(loops.faces), dtype=bool)])
        vertices = np.concatenate([vertices, loops.vertices_mm])
        normals = np.concatenate([normals, loops.normals])
        tangents = np.concatenate([tangents, np.zeros((added, 2, 3))])
        uv = np.concatenate([uv, np.zeros((added, 2))])
    points, depth = pose.project(vertices)
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    # Counter-clockwise in a y-up frame is a negative area where y points down.
    front = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    relief = (*surface.relief, *fold_ridges(surface.pattern, wear.folds))
    return Placement(
        points_px=points,
        depth_mm=depth,
        normals=normals @ pose.rotation.T,
        tangents=tangents @ pose.rotation.T,
        uv_mm=uv,
        faces=faces[front],
        is_cloth=is_cloth[front],
        px_per_mm=pose.scale_px_per_mm,
        relief=tuple(
            replace(ridge, points_mm=ridge.points_mm - np.asarray(surface.origin_mm)) for ridge in relief
        ),
    )


def worn_vertices(vertices: Float64[np.ndarray, "v 3"], wear: Wear) -> Float64[np.ndarray, "v 3"]:
    """Vertices (V, 3), moved by shift, tilt and scale; slip and stretch come before, see `sliding`."""
    centre = np.array([0.0, vertices[:, 1].mean(), 0.0])
    angle = -np.deg2rad(wear.tilt_deg)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]]
    )
    in_plane = np.array([wear.scale, wear.scale, 1.0])
    return np.asarray((vertices - centre) @ turn.T * in_plane + centre + [*wear.shift_mm, 0.0])
