"""A picture file laid on a mask, across the seam where there is one down the middle."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from advmask.core.errors import DesignError
from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.surface import MaskSurface
from advmask.textures.design_files import BLEED_TEXT, PATTERN_TEXT
from advmask.textures.picture_fit import fit_picture, mirrored_beyond, warn_of_fit
from advmask.textures.picture_texels import open_as_srgb, texels_of
from advmask.textures.settings import Fit

_SAME_SHAPE = 0.01  # by which a drawing on a template may differ in its proportions
_ON_SEAM_MM = 1e-3  # from the nose line


@dataclass(frozen=True, eq=False)
class LaidPicture:
    """A picture on a mask.

    Attributes:
        texels: Of the texture, sRGB in [0, 1].
        around: The same with as many texels more on each side, where the picture goes on.
    """

    texels: Float[Tensor, "3 height width"]
    around: Float[Tensor, "3 h w"]


def lay_picture(
    path: Path,
    surface: MaskSurface,
    *,
    texels_per_mm: float,
    fit: Fit = "cover",
    copy_mm: float = 60.0,
    finest: float | None = None,
    warn: bool = False,
) -> tuple[LaidPicture, float]:
    """Lay a picture file on a mask.

    The picture covers the flat pattern. Where that is made of two halves with a seam down the middle, the
    halves are laid edge to edge, row by row, and the picture over both: at the seam they meet, and nothing is
    lost in the gap between them. Beyond the finished edge the picture goes on, past the seam too, or is
    mirrored where it ends. A drawing on a template (`fit="template"`) lies where it was drawn, on each piece,
    and so does a design of this very pattern, as a run leaves it, unless copies of it are asked for.

    Args:
        path: A picture in any format Pillow reads.
        surface: The mask.
        texels_per_mm: Resolution, at least.
        fit: How it is laid; see `fit_picture`. `template` takes it for the frame of the pattern's template.
        copy_mm: Width of a copy for `tile`, mm.
        finest: Resolution up to which its own pixels are kept; None keeps to `texels_per_mm`.
        warn: Log a warning where the picture fits badly.

    Returns:
        The texels, and how many there are to a millimetre.

    Raises:
        DesignError: The file is missing, is not a picture, is damaged or is too large to open; or it has not
            the proportions of the template.
    """
    picture = open_as_srgb(path)
    in_place = fit == "template"
    if fit != "tile" and picture.info.get(PATTERN_TEXT) == surface.name and BLEED_TEXT not in picture.info:
        in_place, fit = True, "cover"
    if fit == "template":
        _check_template(picture, path, surface.pattern)
    seams = None if in_place else _centre_seams(surface)
    left, top, right, bottom = surface.pattern.box_mm
    if seams is not None:
        reach = max(float(np.abs(_moved(surface.uv_mm, seams)[:, 0]).max()), 1.0)
        left, right = -reach, reach
    wide, high = right - left, bottom - top
    if finest is not None:
        own = {
            "tile": picture.width / copy_mm,
            "template": picture.width / _width(surface.pattern.frame_mm),
            "cover": min(picture.width / wide, picture.height / high),
            "contain": max(picture.width / wide, picture.height / high),
        }[fit]
        texels_per_mm = max(texels_per_mm, min(finest, own))
    height, width = surface.texture_size(texels_per_mm)
    margin = round((surface.pattern.box_mm[0] - surface.pattern.frame_mm[0]) * texels_per_mm)
    if fit == "template":
        around = _on_template(picture, surface, (height, width), per_mm=texels_per_mm, margin=margin)
        texels = around[:, margin : margin + height, margin : margin + width].contiguous()
        return LaidPicture(texels, around), texels_per_mm
    copy_width = max(1, round(copy_mm * texels_per_mm))
    if warn:
        warn_of_fit(picture, path, height=height, width=width, fit=fit, copy_width=copy_width)
    rows, columns = (height, width) if seams is None else (height, round(wide * texels_per_mm))
    around = texels_of(
        fit_picture(picture, height=rows, width=columns, fit=fit, copy_width=copy_width, margin=margin)
    )
    if seams is not None:
        around = _joined(around, surface, seams, per_mm=texels_per_mm, margin=margin, left=left, width=width)
    texels = around[:, margin : margin + height, margin : margin + width].contiguous()
    return LaidPicture(texels, around), texels_per_mm


def _width(box: tuple[float, float, float, float]) -> float:
    return box[2] - box[0]


def _check_template(picture: Image.Image, path: Path, pattern: FlatPattern) -> None:
    left, top, right, bottom = pattern.frame_mm
    expected = (right - left) / (bottom - top)
    if abs(picture.width / picture.height / expected - 1) > _SAME_SHAPE:
        raise DesignError(
            f"{path} has {picture.width} x {picture.height} pixels, and the template of pattern "
            f"{pattern.name} in size {pattern.size} is {expected:.3f} times as wide as high; draw on the "
            "file that `advmask pattern template=true` writes for this mask, and keep its whole page."
        )


def _on_template(
    picture: Image.Image, surface: MaskSurface, size: tuple[int, int], *, per_mm: float, margin: int
) -> Tensor:
    """A picture of a pattern's frame as texels, each where it was drawn, `margin` more on each side."""
    left, top, right, bottom = surface.pattern.frame_mm
    x, y = (start - margin / per_mm for start in surface.origin_mm)
    rows, columns = (side + 2 * margin for side in size)
    across, down = picture.width / (right - left), picture.height / (bottom - top)
    box = (
        (x - left) * across,
        (y - top) * down,
        (x - left + columns / per_mm) * across,
        (y - top + rows / per_mm) * down,
    )
    wider, moved = mirrored_beyond(picture, box)
    return texels_of(wider.resize((columns, rows), Image.Resampling.HAMMING, box=moved))


def _centre_seams(surface: MaskSurface) -> tuple[np.ndarray, np.ndarray] | None:
    """(N, 2) the edges that meet on the nose line, downwards, of the left and of the right half of a pattern.

    None where the pattern is not made of such halves: then the picture lies flat on it.
    """
    panels = [panel.outline_mm[:, 0] for panel in surface.pattern.panels]
    if len(panels) < 2 or not all(u.max() <= 0 or u.min() >= 0 for u in panels):
        return None
    middle = surface.uv_mm[np.abs(surface.chart_mm[:, 0]) < _ON_SEAM_MM]
    halves = [middle[middle[:, 0] < 0], middle[middle[:, 0] > 0]]
    if min(len(half) for half in halves) < 2:
        return None
    first, second = (half[np.argsort(half[:, 1])] for half in halves)
    return first, second


def _moved(uv_mm: np.ndarray, seams: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Places of the pattern with each half moved to the middle, row by row, its seam on the line u = 0."""
    first, second = (np.interp(uv_mm[:, 1], seam[:, 1], seam[:, 0]) for seam in seams)
    return np.stack([uv_mm[:, 0] - np.where(uv_mm[:, 0] < 0, first, second), uv_mm[:, 1]], axis=1)


def _joined(
    picture: Tensor,
    surface: MaskSurface,
    seams: tuple[np.ndarray, np.ndarray],
    *,
    per_mm: float,
    margin: int,
    left: float,
    width: int,
) -> Tensor:
    """Each row of the flat pattern, its halves taken from a picture in which they lie edge to edge."""
    rows, columns = picture.shape[1], width + 2 * margin
    u = surface.origin_mm[0] + (np.arange(columns) + 0.5 - margin) / per_mm
    v = surface.origin_mm[1] + (np.arange(rows) + 0.5 - margin) / per_mm
    places = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    x = torch.from_numpy((_moved(places, seams)[:, 0] - left) * per_mm + margin).view(rows, columns)
    x = (x - 0.5).clamp(0, picture.shape[2] - 1).float()
    before = x.floor().long().clamp(max=picture.shape[2] - 2)
    share = x - before
    one, two = (torch.stack([plane.gather(1, at) for plane in picture]) for at in (before, before + 1))
    return (one + (two - one) * share).clamp(0, 1)
