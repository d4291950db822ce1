"""A checksum of a whole mask surface, for caches and records."""

import hashlib
import json

import numpy as np

from advmask.masks.surface import MaskSurface


def surface_digest(surface: MaskSurface) -> str:
    """Hexadecimal SHA-256 over everything a surface holds: mesh, texture coordinates, pattern and relief.

    Two surfaces have the same digest exactly if all their numbers and names are the same.
    """
    digest = hashlib.sha256()
    for name in ("vertices_mm", "uv_mm", "chart_mm", "faces"):
        values = np.ascontiguousarray(getattr(surface, name))
        values = values.astype("<i8" if values.dtype.kind in "iu" else "<f8") + 0  # minus zero becomes zero
        digest.update(f"{name}{values.shape}".encode())
        digest.update(values.tobytes())
    pattern = surface.pattern
    about = {
        "name": pattern.name,
        "size": pattern.size,
        "straps": pattern.straps,
        "panels": [[one.name, float(one.allowance_mm), one.outline_mm.tolist()] for one in pattern.panels],
        "lines": [[one.kind, one.name, one.points_mm.tolist()] for one in pattern.lines],
        "relief": [{**vars(one), "points_mm": one.points_mm.tolist()} for one in surface.relief],
    }
    digest.update(json.dumps(about, sort_keys=True).encode())
    return digest.hexdigest()
