"""Which texels of a texture lie on the mask, and not in the corners of the rectangle around it."""

import numpy as np
import torch
from jaxtyping import Bool
from PIL import Image, ImageDraw
from torch import Tensor

from advmask.masks.surface import MaskSurface


def texels_on_mask(surface: MaskSurface, texels_per_mm: float) -> Bool[Tensor, "height width"]:
    """The texels that some part of the surface shows, to about a texel.

    Args:
        surface: The mask.
        texels_per_mm: Of the texture.
    """
    height, width = surface.texture_size(texels_per_mm)
    # Pillow has pixel centres at whole numbers.
    corners = (surface.uv_mm - np.asarray(surface.origin_mm)) * texels_per_mm - 0.5
    page = Image.new("L", (width, height))
    pen = ImageDraw.Draw(page)
    for face in corners[surface.faces].tolist():
        pen.polygon([(x, y) for x, y in face], fill=1)
    return torch.from_numpy(np.array(page)).bool()
