"""Two more patterns: a mask that folds flat down the middle, and a tube of cloth for nose, mouth and neck."""

import numpy as np
from face_sheet import FaceSheet, grid_faces
from flatten import flatten
from numpy.typing import NDArray
from pattern_parts import (
    SEAM_ALLOWANCE_MM,
    STITCHED_HEM,
    WIRE_DOWN_MM,
    WIRE_HALF_MM,
    Sheet,
    border,
    cut_sheet,
    hems,
    mirrored,
    surface_of,
    trimmed_grid,
)
from scipy.interpolate import PchipInterpolator

from advmask.masks.flat_pattern import FlatPattern, Panel, PatternLine
from advmask.masks.relief import Ridge
from advmask.masks.surface import MaskSurface

FloatArray = NDArray[np.float64]

# Rows of a mask that stands before the mouth like a tent, as those of the face sheet: s, midline (y, z), edge
# (x, y, z), arc exponent, height exponent. Nearly straight from the ridge to the cheek.
_TENT = np.array(
    [
        [0.00, 15.0, 66.0, 70.0, 4.0, -4.0, 1.20, 0.9],
        [0.12, -4.0, 84.0, 70.5, -5.0, -6.0, 1.16, 1.1],
        [0.32, -30.0, 97.0, 70.5, -16.0, -8.0, 1.13, 1.4],
        [0.50, -55.0, 98.0, 69.5, -26.0, -9.0, 1.13, 1.6],
        [0.66, -77.0, 87.0, 68.0, -36.0, -10.0, 1.16, 1.8],
        [0.80, -95.0, 67.0, 66.0, -45.0, -11.0, 1.22, 2.0],
        [0.92, -106.0, 45.0, 64.0, -52.0, -11.0, 1.32, 2.2],
        [1.00, -110.0, 27.0, 62.5, -57.0, -11.0, 1.45, 2.3],
    ]
)
_GAP_MM = 24.0  # between the halves: allowances and bleeds stay apart, and both lie on one A4
_WELD = {"height_mm": 0.5, "width_mm": 1.4, "shadow": 0.15}

# Rows of a tube around head and neck: s, midline (y, z), side (x, z), exponent of the front, back (y, z), how
# far the row dips on the cheeks. Over the ears it is level; below the chin it lies gathered, mostly behind.
TUBE_MM = (500.0, 250.0)  # around, and high: what shops cut
_TUBE = np.array(
    [
        [0.00, 14.0, 66.5, 76.5, -24.0, 1.26, 10.0, -112.0, 6.0],
        [0.09, -4.0, 79.0, 77.0, -24.0, 1.28, -10.0, -113.0, 5.0],
        [0.20, -30.0, 74.0, 76.0, -25.0, 1.38, -33.0, -115.0, 3.5],
        [0.31, -56.0, 67.0, 74.0, -26.0, 1.44, -58.0, -119.0, 2.0],
        [0.42, -82.0, 59.0, 71.0, -27.0, 1.44, -83.0, -125.0, 0.0],
        [0.50, -99.0, 51.0, 69.0, -29.0, 1.52, -102.0, -130.0, 0.0],
        [0.62, -129.0, 42.0, 67.5, -31.0, 1.72, -131.0, -135.0, 0.0],
        [0.80, -177.0, 38.0, 69.0, -31.0, 1.90, -177.0, -135.0, 0.0],
        [1.00, -230.0, 42.0, 74.0, -30.0, 2.00, -230.0, -131.0, 0.0],
    ]
)
_TUBE_HEM_MM = 8.0
_DENSE = 600


def flatfold(_: FaceSheet) -> MaskSurface:
    """Two halves joined down the middle, which lie on each other when the mask is folded flat."""
    rows, columns = 37, 25
    tent = FaceSheet(_TENT, crease_mm=1.0)
    s, t = trimmed_grid(np.linspace(0.0, 0.88, columns), rows=rows, bottom=(1.0, 0.86))
    right = cut_sheet(tent, s, t)
    position, chart = right.position.reshape(-1, 3), right.chart.reshape(-1, 2)
    uv = flatten(position, right.faces, chart)
    grid = np.arange(rows * columns).reshape(rows, columns)
    seam = grid[:, 0]
    uv = uv - [uv[seam, 0].min() - _GAP_MM / 2, uv[0, 1]]
    ring = border(grid[..., None])[:, 0]
    wire = uv[grid[0]] + np.array([0.0, WIRE_DOWN_MM])
    wire = wire[wire[:, 0] - wire[0, 0] < WIRE_HALF_MM]
    across = np.array([-1.0, 1.0])
    panels = (
        Panel("left in the picture", (uv * across)[ring][::-1], SEAM_ALLOWANCE_MM),
        Panel("right in the picture", uv[ring], SEAM_ALLOWANCE_MM),
    )
    lines, ridges = [], []
    for side, flip in (("left", across), ("right", np.ones(2))):
        lines += [
            PatternLine("seam", f"centre seam, {side}", uv[seam] * flip),
            PatternLine("wire", f"nose wire, {side}", wire * flip),
        ]
        ridges += [Ridge(uv[seam] * flip, **_WELD), Ridge(wire * flip, 0.9, 2.0, 0.06)]
        for edge in (*hems(uv[grid], 5.0), uv[grid[:, -1]] - [5.0, 0.0]):
            ridges.append(Ridge(edge * flip, **STITCHED_HEM))
    return MaskSurface(
        pattern=FlatPattern("flatfold", "M", panels, tuple(lines)),
        vertices_mm=np.concatenate([position * [-1.0, 1.0, 1.0], position]),
        uv_mm=np.concatenate([uv * across, uv]),
        chart_mm=np.concatenate([chart * across, chart]),
        faces=np.concatenate([right.faces[:, ::-1], right.faces + len(position)]),
        relief=tuple(ridges),
    )


def gaiter(_: FaceSheet) -> MaskSurface:
    """A tube of stretch fabric, over nose, mouth and neck, with its seam at the back."""
    rows, columns = 41, 73
    levels = np.linspace(0.0, 1.0, 4 * _DENSE // 10)
    table = PchipInterpolator(_TUBE[:, 0], _TUBE[:, 1:])(levels)
    around = np.stack([_half_round(row, columns // 2 + 1) for row in table])  # (levels, half, 3)
    around = np.concatenate([around[:, :0:-1] * [-1.0, 1.0, 1.0], around], axis=1)
    # Each thread down the cloth keeps its share of the height: rows at equal lengths along it.
    length = np.concatenate(
        [np.zeros((1, columns)), np.cumsum(np.linalg.norm(np.diff(around, axis=0), axis=2), axis=0)]
    )
    wanted = np.linspace(0.0, 1.0, rows)[:, None] * length[-1]
    position = np.stack(
        [
            np.stack([np.interp(wanted[:, i], length[:, i], around[:, i, axis]) for i in range(columns)], 1)
            for axis in range(3)
        ],
        axis=-1,
    )
    width, height = TUBE_MM
    u, v = np.meshgrid(
        np.linspace(-width / 2, width / 2, columns), np.linspace(0.0, height, rows), indexing="xy"
    )
    uv = np.stack([u, v], axis=-1)
    number = np.arange(rows * columns).reshape(rows, columns)
    faces = grid_faces(rows, columns)
    # What shops cut is a rectangle; within it the cloth shears as little as it can.
    rim = border(number[..., None])[:, 0]
    uv = mirrored(
        flatten(position.reshape(-1, 3), faces, uv.reshape(-1, 2), held=rim).reshape(rows, columns, 2)
    )
    steps = np.linalg.norm(np.diff(position, axis=1), axis=2)
    across = np.concatenate([np.zeros((rows, 1)), np.cumsum(steps, axis=1)], axis=1)
    across = across - across[:, columns // 2, None]
    down = np.broadcast_to(wanted[:, columns // 2, None], across.shape)
    sheet = Sheet(position, np.stack([across, down], axis=-1))
    lines = tuple(
        PatternLine("seam", f"back seam, {side}", uv[:, place])
        for side, place in (("left", 0), ("right", -1))
    )
    hem = [Ridge(line, **STITCHED_HEM) for line in hems(uv, 6.0)]
    outline = np.array([uv[0, 0], uv[0, -1], uv[-1, -1], uv[-1, 0]])
    pattern = FlatPattern("gaiter", "M", (Panel("tube", outline, _TUBE_HEM_MM),), lines, "none")
    return surface_of(pattern, [sheet], [uv], [faces], (*hem, *_gathers()))


def _half_round(row: FloatArray, columns: int) -> FloatArray:
    """Points (columns, 3) at equal lengths along half of a row, from the front over the side to the back."""
    y_front, z_front, x_side, z_side, n, y_back, z_back, dip = row
    a = np.linspace(0.0, np.pi / 2, _DENSE)
    front = np.stack(
        [
            x_side * np.sin(a) ** (2 / n),
            y_front - dip * np.sin(2 * a) ** 2,
            z_side + (z_front - z_side) * np.cos(a) ** (2 / n),
        ],
        axis=1,
    )
    behind = np.stack(
        [
            x_side * np.cos(a),
            y_front + (y_back - y_front) * np.sin(a) ** 2,
            z_side + (z_back - z_side) * np.sin(a),
        ],
        axis=1,
    )
    points = np.concatenate([front, behind[1:]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    wanted = np.linspace(0.0, length[-1], columns)
    return np.stack([np.interp(wanted, length, points[:, axis]) for axis in range(3)], axis=1)


def _gathers() -> list[Ridge]:
    """Soft folds of the cloth that lies gathered on the neck."""
    u = np.linspace(-110.0, 110.0, 23)
    ridges = []
    for v, sag, height in ((150.0, 22.0, 1.3), (176.0, 16.0, 1.6), (203.0, 20.0, 1.5), (229.0, 10.0, 1.1)):
        points = np.stack([u, v + sag * np.cos(u / 110.0 * np.pi / 2) - sag / 2], axis=1)
        ridges.append(Ridge(points, height, 5.0, fade_mm=45.0))
    return ridges
