"""A mask surface as an OBJ file, as a start for a shape of one's own."""

from advmask.masks.surface import MaskSurface


def surface_obj(surface: MaskSurface) -> str:
    """Write the worn mesh and its flat pattern as `surface_from_obj` reads them; see there for the frames."""
    lines = [
        f"# {surface.name}, size {surface.pattern.size}. v: worn, mm, x right, y up, z to the camera.",
        "# vt: flat pattern, mm, u right, v DOWN, origin at the top of the nose line.",
        *(f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in surface.vertices_mm.tolist()),
        *(f"vt {u:.4f} {v:.4f}" for u, v in surface.uv_mm.tolist()),
        *(f"f {a}/{a} {b}/{b} {c}/{c}" for a, b, c in (surface.faces + 1).tolist()),
    ]
    return "\n".join([*lines, ""])
