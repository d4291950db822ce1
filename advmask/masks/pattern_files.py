"""Mask surfaces as small files that ship with the package."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from advmask.core.files import written_aside
from advmask.masks.flat_pattern import FlatPattern, Panel, PatternLine
from advmask.masks.relief import Ridge
from advmask.masks.surface import MaskSurface

_MESH = ("vertices_mm", "uv_mm", "chart_mm")
_PRECISION_MM = 4  # decimals; a tenth of a micrometre


def save_surface(path: Path, surface: MaskSurface) -> None:
    """Write a surface as npz: the mesh as arrays, the pattern and relief as JSON in `about`."""
    about = {
        "name": surface.name,
        "size": surface.pattern.size,
        "straps": surface.pattern.straps,
        "panels": [
            {"name": panel.name, "allowance_mm": panel.allowance_mm, "outline_mm": _listed(panel.outline_mm)}
            for panel in surface.pattern.panels
        ],
        "lines": [
            {"kind": line.kind, "name": line.name, "points_mm": _listed(line.points_mm)}
            for line in surface.pattern.lines
        ],
        "relief": [{**vars(ridge), "points_mm": _listed(ridge.points_mm)} for ridge in surface.relief],
    }
    arrays: dict[str, Any] = {
        name: np.round(getattr(surface, name), _PRECISION_MM).astype(np.float32) for name in _MESH
    }
    arrays["faces"] = surface.faces.astype(np.uint16)
    arrays["about"] = np.frombuffer(json.dumps(about, sort_keys=True).encode(), dtype=np.uint8)
    with written_aside(path) as aside, aside.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_surface(path: Path) -> MaskSurface:
    """Read a surface that `save_surface` wrote."""
    with np.load(path, allow_pickle=False) as file:
        mesh = {name: file[name].astype(np.float64) for name in _MESH}
        faces = file["faces"].astype(np.int64)
        about = json.loads(file["about"].tobytes())
    panels = tuple(
        Panel(one["name"], np.asarray(one["outline_mm"]), one["allowance_mm"]) for one in about["panels"]
    )
    lines = tuple(
        PatternLine(one["kind"], one["name"], np.asarray(one["points_mm"])) for one in about["lines"]
    )
    relief = tuple(Ridge(**{**one, "points_mm": np.asarray(one["points_mm"])}) for one in about["relief"])
    return MaskSurface(
        pattern=FlatPattern(about["name"], about["size"], panels, lines, about.get("straps", "ear_loops")),
        faces=faces,
        relief=relief,
        **mesh,
    )


def _listed(points: Any) -> list[list[float]]:
    rounded: list[list[float]] = np.round(points, _PRECISION_MM).tolist()
    return rounded
