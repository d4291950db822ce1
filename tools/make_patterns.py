"""Make the mask patterns that ship with the package: `python tools/make_patterns.py` (needs libigl).

Each pattern is cut from the face sheet, flattened, and written as a small file to `advmask/masks/data/`. The
same versions of numpy, scipy and libigl give the same patterns to rounding.
"""

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from face_sheet import FaceSheet
from flatten import flatten
from more_patterns import flatfold, gaiter
from pattern_parts import (
    GROOVE,
    PANEL_GAP_MM,
    SEAM_ALLOWANCE_MM,
    STITCHED_HEM,
    WIRE_DOWN_MM,
    WIRE_HALF_MM,
    border,
    cut_sheet,
    hems,
    mirrored,
    nose_wire,
    surface_of,
    trimmed_grid,
)

from advmask.masks.flat_pattern import FlatPattern, Panel, PatternLine
from advmask.masks.pattern_files import save_surface
from advmask.masks.relief import Ridge
from advmask.masks.surface import MaskSurface

CONTOUR_EASE = 1.03  # stretch fabric is cut smaller than the face by this, and worn under a little tension
HEM_MM = 8.0

PLEATED_WIDTH_MM, FOLDED_MM, UNFOLDED_MM = 175.0, 95.0, 190.0
PLEATS_MM = (31.0, 47.5, 64.0)  # lower edge of each pleat, measured down the folded mask


def contour(face: FaceSheet) -> MaskSurface:
    """One piece of stretch fabric."""
    s, t = trimmed_grid(np.linspace(-0.93, 0.93, 45), rows=33, bottom=(0.93, 0.80))
    sheet = cut_sheet(face, s, t)
    uv = flatten(sheet.position.reshape(-1, 3), sheet.faces, sheet.chart.reshape(-1, 2)) / CONTOUR_EASE
    uv = (uv - [0.0, uv.reshape(33, 45, 2)[0, 22, 1]]).reshape(33, 45, 2)
    uv = mirrored(uv)
    wire, bump = nose_wire(uv[0])
    hem = [Ridge(line, **STITCHED_HEM) for line in hems(uv, 5.0)]
    pattern = FlatPattern("contour", "M", (Panel("mask", border(uv)),), (wire,))
    return surface_of(pattern, [sheet], [uv], [sheet.faces], (bump, *hem))


def panelled(face: FaceSheet) -> MaskSurface:
    """Two halves sewn at the nose line and the chin, each with a dart under the chin."""
    rows, columns, dart_column, dart_row = 37, 27, 7, 27
    s, t = trimmed_grid(np.linspace(0.0, 0.93, columns), rows=rows, bottom=(1.0, 0.82))
    right = cut_sheet(face, s, t)
    # The dart: below dart_row, the vertices of one column stand once for each side.
    faces = right.faces
    position, chart = right.position.reshape(-1, 3), right.chart.reshape(-1, 2)
    slit = np.arange(dart_row + 1, rows) * columns + dart_column
    twin = dict(zip(slit.tolist(), range(len(position), len(position) + len(slit)), strict=True))
    beyond = (faces % columns).max(axis=1) > dart_column
    faces = faces.copy()
    faces[beyond] = np.vectorize(lambda number: twin.get(number, number))(faces[beyond])
    position, chart = np.concatenate([position, position[slit]]), np.concatenate([chart, chart[slit]])
    uv = flatten(position, faces, chart)
    seam = np.arange(rows) * columns
    uv = uv - [uv[seam, 0].min() - PANEL_GAP_MM / 2, uv[0, 1]]

    grid = np.arange(rows * columns).reshape(rows, columns)
    inner = np.array(list(twin.values()))
    bottom = [*grid[-1, :0:-1].tolist()]
    at = bottom.index(grid[-1, dart_column])
    before, after = bottom[:at], bottom[at + 1 :]
    notch = [*inner[::-1].tolist(), int(grid[dart_row, dart_column]), *slit.tolist()]
    ring = [*grid[0].tolist(), *grid[1:-1, -1].tolist(), *before, *notch, *after, *seam[:0:-1].tolist()]
    left_uv = uv * [-1.0, 1.0]
    flip = np.array([-1.0, 1.0, 1.0])
    wire_right = uv[grid[0]] + np.array([0.0, WIRE_DOWN_MM])
    wire_right = wire_right[wire_right[:, 0] - wire_right[0, 0] < WIRE_HALF_MM]
    panels = (
        Panel("left in the picture", left_uv[ring][::-1], SEAM_ALLOWANCE_MM),
        Panel("right in the picture", uv[ring], SEAM_ALLOWANCE_MM),
    )
    lines, ridges = [], []
    for side, coordinates in (("left", left_uv), ("right", uv)):
        wire = wire_right * ([-1.0, 1.0] if side == "left" else [1.0, 1.0])
        lines += [
            PatternLine("seam", f"centre seam, {side}", coordinates[seam]),
            PatternLine("seam", f"chin dart, {side}", coordinates[notch]),
            PatternLine("wire", f"nose wire, {side}", wire),
        ]
        ridges += [
            Ridge(coordinates[seam], **GROOVE),
            Ridge(coordinates[notch], **GROOVE),
            Ridge(wire, 0.9, 2.0, 0.06, fade_mm=0.0),
        ]
        for edge, way in ((grid[0], 1), (grid[-1], -1)):
            ridges.append(Ridge(coordinates[edge] + [0.0, way * 5.0], **STITCHED_HEM))
    return MaskSurface(
        pattern=FlatPattern("panelled", "M", panels, tuple(lines)),
        vertices_mm=np.concatenate([position * flip, position]),
        uv_mm=np.concatenate([left_uv, uv]),
        chart_mm=np.concatenate([chart * [-1.0, 1.0], chart]),
        faces=np.concatenate([faces[:, ::-1], faces + len(position)]),
        relief=tuple(ridges),
    )


def pleated(face: FaceSheet) -> MaskSurface:
    """The surgical rectangle: three pleats, open over the nose and closed at the sides."""
    columns, rows_of = 45, 9
    u = np.linspace(-PLEATED_WIDTH_MM / 2, PLEATED_WIDTH_MM / 2, columns)
    depth = (UNFOLDED_MM - FOLDED_MM) / (2 * len(PLEATS_MM))
    s = np.linspace(0.0, 1.0, 161)
    column_s, column_t = np.meshgrid(s, np.linspace(-1, 1, 161), indexing="ij")
    across = face.chart(column_s, column_t)[..., 0]
    t = np.stack([[np.interp(one, row, np.linspace(-1, 1, 161)) for one in u] for row in across])
    path = face.points(np.broadcast_to(s[:, None], t.shape), t)
    down = np.concatenate(
        [np.zeros((1, columns)), np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=2), axis=0)]
    )
    height = down[-1]
    revealed = np.clip((height - FOLDED_MM) / len(PLEATS_MM), 0.0, 2 * depth)  # of each pleat, at each column
    worn_edges = [0.0, *PLEATS_MM, FOLDED_MM]
    sheets, coordinates, ridges, lines = [], [], [], []
    seen = np.zeros(columns)  # cloth seen above this strip
    total = FOLDED_MM + len(PLEATS_MM) * revealed
    for number, (top, bottom) in enumerate(itertools.pairwise(worn_edges)):
        hidden_above = 2 * depth * number
        first = np.full(columns, top + hidden_above) - (revealed if number else 0.0)
        last = np.full(columns, bottom + hidden_above)
        share = np.linspace(0.0, 1.0, rows_of)[:, None]
        v = first + share * (last - first)
        # Where there is less face than cloth, at the sides, the hem is gathered: all rows come closer.
        place = (seen + (v - first)) * height / total
        strip_s = np.stack([np.interp(place[:, i], down[:, i], s) for i in range(columns)], axis=1)
        strip_t = np.stack([np.interp(strip_s[:, i], s, t[:, i]) for i in range(columns)], axis=1)
        sheets.append(cut_sheet(face, strip_s, strip_t))
        coordinates.append(np.stack([np.broadcast_to(u, v.shape), v], axis=-1))
        seen = seen + last - first
        if number:
            edge = np.stack([u, first], axis=1)
            ridges.append(Ridge(edge, 0.0, 3.0, 0.45, below_only=True))
            ridges.append(Ridge(edge, 0.5, 1.2))
        if number < len(PLEATS_MM):
            mountain = bottom + hidden_above
            for name, row in (("mountain", mountain), ("valley", mountain + depth)):
                ends = np.array([[u[0], row], [u[-1], row]])
                lines.append(PatternLine("fold", f"pleat {number + 1}, {name}", ends))
    half = PLEATED_WIDTH_MM / 2
    outline = np.array([[-half, 0.0], [half, 0.0], [half, UNFOLDED_MM], [-half, UNFOLDED_MM]])
    wire, bump = nose_wire(np.stack([u, np.zeros(columns)], axis=1))
    level = [np.array([[-half, row], [half, row]]) for row in (9.0, UNFOLDED_MM - 6.0)]
    upright = [np.array([[side, 0.0], [side, UNFOLDED_MM]]) for side in (6.0 - half, half - 6.0)]
    hem = [Ridge(line, **STITCHED_HEM) for line in level + upright]
    pattern = FlatPattern("pleated", "M", (Panel("mask", outline, HEM_MM),), (*lines, wire))
    return surface_of(pattern, sheets, coordinates, [sheet.faces for sheet in sheets], (bump, *hem, *ridges))


def cloth(face: FaceSheet) -> MaskSurface:
    """A flattened sheet, larger than a mask, from which outlines drawn by users are cut."""
    s, t = np.meshgrid(np.linspace(0.0, 1.0, 41), np.linspace(-1.0, 1.0, 49), indexing="ij")
    sheet = cut_sheet(face, s, t)
    uv = flatten(sheet.position.reshape(-1, 3), sheet.faces, sheet.chart.reshape(-1, 2)) / CONTOUR_EASE
    uv = mirrored((uv - [0.0, uv.reshape(41, 49, 2)[0, 24, 1]]).reshape(41, 49, 2))
    pattern = FlatPattern("cloth", "M", (Panel("cloth", border(uv)),))
    return surface_of(pattern, [sheet], [uv], [sheet.faces], ())


def simplified(ridge: Ridge) -> Ridge:
    """The ridge along fewer points, at most 0.1 mm away: light is computed for every piece of it."""
    line = shapely.LineString(ridge.points_mm).simplify(0.1)
    return replace(ridge, points_mm=np.asarray(line.coords))


def main() -> None:
    """Make the patterns that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parents[1] / "advmask" / "masks" / "data"
    makers = {one.__name__: one for one in (contour, panelled, pleated, flatfold, gaiter, cloth)}
    parser.add_argument("--into", type=Path, default=default, help="folder for the files")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(makers)}; all if none is named")
    asked = parser.parse_args()
    folder = asked.into
    folder.mkdir(parents=True, exist_ok=True)
    face = FaceSheet()
    for make in [makers[name] for name in asked.names or makers]:
        surface = make(face)
        surface = replace(surface, relief=tuple(simplified(ridge) for ridge in surface.relief))
        save_surface(folder / f"{surface.name}.npz", surface)
        width, height = surface.size_mm
        print(f"{surface.name}: {len(surface.faces)} triangles, {width:.1f} x {height:.1f} mm")


if __name__ == "__main__":
    main()
