"""Designs that ship, and pictures drawn for a face, laid out on a pattern."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from advmask.core.config_folders import designs_dir
from advmask.core.errors import DesignError
from advmask.masks.surface import MaskSurface
from advmask.render.rasterise import rasterise
from advmask.textures.picture_texels import read_picture_as_texels

# Designs that show a face are drawn for a face, not for a pattern; on this much of it, height and width.
FACES = ("lower_face", "large_face")
FACE_OF_NOBODY = "large_face"  # replaces a mean face where there are too few people
_DRAWN_MM = (455 / 3, 698 / 3)
_DRAWN_PER_MM = 3.0


def shipped_names() -> list[str]:
    """Names of the starting designs and control masks that ship with the package."""
    return sorted(file.stem for file in designs_dir().glob("*.png"))


def shipped_design(
    name: str, surface: MaskSurface, *, texels_per_mm: float
) -> Float[Tensor, "3 height width"]:
    """A starting design or control mask that ships with the package, by name, on a mask.

    Raises:
        DesignError: None has this name.
    """
    path = designs_dir() / f"{name}.png"
    if not path.exists():
        raise DesignError(
            f"No design called {name!r} ships with advmask; known: {', '.join(shipped_names())}."
        )
    if name in FACES:
        rows, columns = (round(side * _DRAWN_PER_MM) for side in _DRAWN_MM)
        picture = read_picture_as_texels(path, height=rows, width=columns)
        return lay_out(picture, surface, picture_per_mm=_DRAWN_PER_MM, texels_per_mm=texels_per_mm)
    height, width = surface.texture_size(texels_per_mm)
    return read_picture_as_texels(path, height=height, width=width)


def lay_out(
    picture: Float[Tensor, "3 rows columns"],
    surface: MaskSurface,
    *,
    picture_per_mm: float,
    texels_per_mm: float,
) -> Float[Tensor, "3 height width"]:
    """Texels that show a picture of a face where it belongs on the worn mask, whatever the pattern's pieces.

    Args:
        picture: sRGB; its top middle is the top of the nose line, and its pixels are arc lengths on the face.
        surface: The mask.
        picture_per_mm: Pixels of the picture per millimetre of face.
        texels_per_mm: Of the texture.

    Returns:
        The texture; where the pattern shows nothing (between panels, in pleats) the nearest texel goes on.
    """
    height, width = surface.texture_size(texels_per_mm)
    uv = torch.from_numpy(surface.uv_mm) - torch.tensor(surface.origin_mm)
    faces = torch.from_numpy(surface.faces)
    seen = rasterise(uv * texels_per_mm, torch.zeros(len(uv)).double(), faces, height=height, width=width)
    chart = (torch.from_numpy(surface.chart_mm)[faces[seen.face]] * seen.barycentric[..., None]).sum(dim=1)
    rows, columns = picture.shape[-2:]
    x = chart[:, 0] * picture_per_mm * 2 / columns
    y = chart[:, 1] * picture_per_mm * 2 / rows - 1
    grid = torch.stack([x, y], dim=1)[None, None].to(picture)
    values = F.grid_sample(picture[None], grid, padding_mode="border", align_corners=False)[0, :, 0]
    shown = torch.zeros(height * width, dtype=torch.bool)
    shown[seen.pixel] = True
    texels = torch.zeros(3, height * width).to(picture)
    texels[:, seen.pixel] = values
    row, column = distance_transform_edt(
        ~shown.view(height, width).numpy(), return_distances=False, return_indices=True
    )
    return texels.view(3, height, width)[:, torch.from_numpy(row).long(), torch.from_numpy(column).long()]
