"""A template to draw on: the frame of a pattern at true size, with all that an artist must know of it.

Whatever is drawn on it and given back with `fit=template` lies where it was drawn.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import shapely
from jaxtyping import Float64
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from advmask.masks.pose import rotation_matrix
from advmask.masks.surface import MaskSurface
from advmask.printing.strokes import Stroke, drawn_strokes, strokes_of
from advmask.printing.upsample import MM_PER_INCH, dots
from advmask.textures.png_bytes import encode_png

_FACING = 0.4  # cosine to the line of sight; cloth turned further away is seen as a sliver
_JOINED_MM = 0.3
_LEAST_MM2 = 20.0
_TINTS = (("#8a8a8a", 60), ("#8a8a8a", 130))  # not seen from in front; from no side
_CENTRE = ("#d00060", 0.25)
_PIXELS = "advmask:pixels_sha256"
_SIDES_DEG = (-45.0, 0.0, 45.0)
_HOW = (
    "Draw in the layer 'drawing', hide the layer 'guides', and export the page as PNG; give it back with "
    "fit=template (texture.fit=template in train)."
)

Rings = list[Float64[np.ndarray, "n 2"]]


def seen_from(surface: MaskSurface, yaws_deg: Sequence[float]) -> shapely.Geometry:
    """The part of a flat pattern that a camera sees on the worn mask, from one of several sides.

    Args:
        surface: The mask, on the reference head.
        yaws_deg: How far the head is turned.
    """
    a, b, c = (surface.vertices_mm[surface.faces[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    seen = np.zeros(len(normals), dtype=np.bool_)
    for yaw in yaws_deg:
        seen |= (normals @ rotation_matrix(np.deg2rad(yaw), 0.0, 0.0).T)[:, 2] > _FACING
    parts = shapely.union_all(shapely.polygons(surface.uv_mm[surface.faces[seen]]), grid_size=1e-4)
    closed = shapely.simplify(parts.buffer(_JOINED_MM).buffer(-_JOINED_MM), 0.1)
    return shapely.MultiPolygon([one for one in getattr(closed, "geoms", [closed]) if one.area >= _LEAST_MM2])


def template_svg(surface: MaskSurface, *, bleed_mm: float = 3.0) -> str:
    """The template as SVG: one user unit is one millimetre, and the page is the frame of the pattern.

    Layers: `drawing`, empty; over it `guides` with what no camera sees, lines, the centre line and names.

    Args:
        surface: The mask.
        bleed_mm: How far ink goes beyond the cut.
    """
    pattern = surface.pattern
    left, top, right, bottom = pattern.frame_mm
    tints = [
        f'<path fill="{colour}" fill-opacity="{alpha / 255:.2f}" fill-rule="evenodd" stroke="none" d="'
        + " ".join(_d(ring) for ring in rings)
        + '"/>'
        for (colour, alpha), rings in zip(_TINTS, _unseen(surface), strict=True)
    ]
    lines = [
        f'<path fill="none" stroke="{one.colour}" stroke-width="{one.width_mm:g}" d="{_d(one.points_mm)}"/>'
        for one in [*strokes_of(pattern, bleed_mm), *_centre_lines(surface)]
    ]
    width, height = right - left, bottom - top
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<svg xmlns="http://www.w3.org/2000/svg" '
            'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
            f'width="{width:.4f}mm" height="{height:.4f}mm" '
            f'viewBox="{left:.4f} {top:.4f} {width:.4f} {height:.4f}">',
            f"<title>{escape(pattern.name)}, size {escape(pattern.size)}: template</title>",
            f"<desc>{_HOW}</desc>",
            *_layer("drawing", []),
            *_layer("guides", [*tints, *lines]),
            "</svg>",
            "",
        ]
    )


def template_png(surface: MaskSurface, *, dpi: int = 300, bleed_mm: float = 3.0) -> bytes:
    """The template as a PNG on a clear ground, to lie over a drawing of the same number of pixels.

    Args:
        surface: The mask.
        dpi: Dots per inch.
        bleed_mm: How far ink goes beyond the cut.
    """
    pattern = surface.pattern
    left, top, right, bottom = pattern.frame_mm
    size = dots(bottom - top, dpi=dpi), dots(right - left, dpi=dpi)
    per_mm = np.array([size[1] / (right - left), size[0] / (bottom - top)])
    ground = np.zeros((*size, 4), dtype=np.uint8)
    for (colour, alpha), rings in zip(_TINTS, _unseen(surface), strict=True):
        tone = int(colour[1:3], 16)
        ground[_filled(rings, np.array([left, top]), per_mm, size)] = (tone, tone, tone, alpha)
    strokes = [*strokes_of(pattern, bleed_mm), *_centre_lines(surface)]
    picture = Image.fromarray(ground)
    picture.alpha_composite(Image.fromarray(drawn_strokes(strokes, pattern.frame_mm, size=size, dpi=dpi)))
    text = {
        _PIXELS: _checksum(picture),
        "advmask:template": f"{pattern.name} {pattern.size}",
        "Comment": f"Draw below this picture, at its size. {_HOW}",
    }
    return encode_png(np.asarray(picture), pixels_per_mm=dpi / MM_PER_INCH, text=text)


def is_template_as_written(path: Path) -> bool:
    """Whether a file is a PNG of `template_png`, of whatever mask and version, with its pixels unchanged."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return picture.info.get(_PIXELS) == _checksum(picture)
    except Exception:  # whatever is in it, it is somebody's
        return False


def template_words(surface: MaskSurface, *, dpi: int) -> str:
    """What an artist must know of a template, in one sentence."""
    left, top, right, bottom = surface.pattern.frame_mm
    size = dots(right - left, dpi=dpi), dots(bottom - top, dpi=dpi)
    return (
        f"{surface.name} {surface.pattern.size}: {right - left:.1f} x {bottom - top:.1f} mm, "
        f"{size[0]} x {size[1]} px at {dpi} dpi. {_HOW}"
    )


def _checksum(picture: Image.Image) -> str:
    return hashlib.sha256(f"{picture.mode} {picture.size} ".encode() + picture.tobytes()).hexdigest()


def _unseen(surface: MaskSurface) -> tuple[Rings, Rings]:
    """Rings around what is seen from some side but not from in front, and around what is seen from none."""
    panels = shapely.union_all([shapely.Polygon(panel.outline_mm) for panel in surface.pattern.panels])
    front, any_side = seen_from(surface, [0.0]), seen_from(surface, _SIDES_DEG)
    beside = panels.intersection(any_side).difference(front)
    return _rings(beside), _rings(panels.difference(any_side))


def _rings(shape: shapely.Geometry) -> Rings:
    parts = [one for one in getattr(shape, "geoms", [shape]) if one.geom_type == "Polygon" and one.area > 1.0]
    return [np.asarray(ring.coords) for one in parts for ring in (one.exterior, *one.interiors)]


def _centre_lines(surface: MaskSurface) -> list[Stroke]:
    """The nose line as far as it runs on the cloth, where the pattern has one piece there."""
    _, top, _, bottom = surface.pattern.box_mm
    line = shapely.LineString([(0.0, top), (0.0, bottom)])
    panels = shapely.union_all([shapely.Polygon(panel.outline_mm) for panel in surface.pattern.panels])
    on = shapely.intersection(line, panels)
    pieces = [one for one in getattr(on, "geoms", [on]) if one.geom_type == "LineString" and not one.is_empty]
    return [Stroke(*_CENTRE, np.asarray(one.coords)) for one in pieces]


def _filled(
    rings: Rings, start: NDArray[np.float64], per_mm: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Where rings enclose pixels, by the even-odd rule."""
    inside = np.zeros(size, dtype=np.bool_)
    for ring in rings:
        one = Image.new("1", size[::-1])
        ImageDraw.Draw(one).polygon([(x, y) for x, y in ((ring - start) * per_mm - 0.5).tolist()], fill=1)
        inside ^= np.asarray(one)
    return inside


def _d(points: Float64[np.ndarray, "n 2"]) -> str:
    closed = len(points) > 2 and bool((points[0] == points[-1]).all())
    return "M " + " L ".join(f"{u:.3f},{v:.3f}" for u, v in points.tolist()) + (" Z" if closed else "")


def _layer(name: str, elements: Sequence[str]) -> list[str]:
    head = f'<g id="{name}" inkscape:groupmode="layer" inkscape:label="{name}" stroke-linejoin="round">'
    return [head, *(f"  {element}" for element in elements), "</g>"]
