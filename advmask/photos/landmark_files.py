"""Landmarks that the user gives in a file next to the photo.

`photo.jpg` is accompanied by `photo.points.json`::

    {"points": [[203.8, 101.5], [247.0, 103.3], [223.5, 127.5], [203.0, 139.8], [245.5, 140.0]]}

Points are in pixels of the upright photo, x to the right and y down, pixel centres at +0.5. There are 5 of
them (left-in-image eye, right-in-image eye, nose tip, left-in-image and right-in-image corner of the mouth)
or the 468 of a face mesh, in the order of mediapipe. A point is [x, y] or, in a mesh, [x, y, z], with z in
pixels and larger nearer to the camera (mediapipe's own z, times the width of its picture, with the sign
changed).
"""

import json
import math
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from advmask.core.data_files import read_json
from advmask.core.errors import PhotoError
from advmask.photos.mesh_points import MESH_POINTS, five_from_mesh

_EXPECTED = '{"points": [[x, y], ...]} with 5 or 468 points in pixels of the upright photo'

# Two of the five landmarks closer than this are one.
_COINCIDE_PX = 0.5

_NAMES = ["left-in-image eye", "right-in-image eye", "nose tip", "left mouth corner", "right mouth corner"]


@dataclass(frozen=True, eq=False)
class GivenPoints:
    """The content of a points file.

    Attributes:
        five: The five landmarks, in the order of `Face.landmarks`.
        dense: The mesh (x, y, z), z larger nearer to the camera, or NaN where the file gives none; None when
            the file holds five points.
    """

    five: Float64[np.ndarray, "5 2"]
    dense: Float64[np.ndarray, "468 3"] | None


def points_path(photo: Path) -> Path:
    """Where the points of a photo are looked for."""
    return photo.with_suffix(".points.json")


def read_points(path: Path, *, size: tuple[int, int]) -> GivenPoints:
    """Read and check a points file.

    Args:
        path: The file.
        size: Width and height of the upright photo in pixels.

    Raises:
        PhotoError: The file is missing, unreadable or not of the format; or its landmarks lie outside the
            photo, coincide or are mirrored. The message names the file and the element.
    """
    points = _checked(path, _parsed(path))
    dense = len(points) == MESH_POINTS
    given = GivenPoints(five_from_mesh(points)[:, :2], points) if dense else GivenPoints(points[:, :2], None)
    names = _NAMES if dense else [f"points[{index}]" for index in range(5)]
    for name, (x, y) in zip(names, given.five, strict=True):
        if not (0 <= x <= size[0] and 0 <= y <= size[1]):
            raise PhotoError(
                f"{path.name}: {name} ({x:g}, {y:g}) lies outside the photo of {size[0]} x {size[1]} px; "
                "give pixels of the upright photo."
            )
    for (one, a), (other, b) in combinations(zip(names, given.five, strict=True), 2):
        if np.hypot(*(a - b)) < _COINCIDE_PX:
            raise PhotoError(f"{path.name}: {one} and {other} coincide; give distinct points.")
    across, down = given.five[1] - given.five[0], given.five[3:].mean(axis=0) - given.five[:2].mean(axis=0)
    if across[0] * down[1] - across[1] * down[0] <= 0:
        raise PhotoError(
            f"{path.name}: left and right are exchanged; the first point is the eye that is on the left in "
            "the picture."
        )
    return given


def _parsed(path: Path) -> list[Any]:
    try:
        content = read_json(path)
    except FileNotFoundError as error:
        raise PhotoError(
            f"There is no {path.name} next to the photo, which faces.landmarks=file needs; write {_EXPECTED}."
        ) from error
    except OSError as error:
        raise PhotoError(f"Cannot read {path.name}: {error.strerror or error}.") from error
    except ValueError as error:
        raise PhotoError(f"{path.name} is not JSON ({error}); write {_EXPECTED}.") from error
    points = content.get("points") if isinstance(content, dict) else None
    if not isinstance(points, list):
        raise PhotoError(f"{path.name} has no list of points; write {_EXPECTED}.")
    if len(points) not in (5, MESH_POINTS):
        raise PhotoError(f"{path.name} has {len(points)} points; write {_EXPECTED}.")
    return points


def _checked(path: Path, points: list[Any]) -> Float64[np.ndarray, "n 3"]:
    rows = []
    for index, point in enumerate(points):
        if not isinstance(point, list) or len(point) not in (2, 3) or not all(map(_is_number, point)):
            shown = _as_json(point)
            raise PhotoError(
                f"{path.name}: points[{index}] is {shown[:60]}{'...' if len(shown) > 60 else ''}; "
                "expected two or three finite numbers."
            )
        rows.append([*map(float, point), *[math.nan] * (3 - len(point))])
    return np.array(rows)


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "[" * 60


def _is_number(value: Any) -> bool:
    # JSON in Python knows NaN, infinities and integers beyond all floats; a bool is an int.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
