"""Pictures, landmarks and textures as callers give them to the renderer, checked, and the poses they tell."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import PhotoError
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.masks.surface import MaskSurface
from advmask.render.mask_fitting import PosedFace, find_pose

Mask = str | MaskSettings | MaskSurface
"""A pattern's name or file, settings with a size, or the surface itself."""


def mask_surface(mask: Mask) -> MaskSurface:
    """The surface that a name, settings or a surface mean.

    Raises:
        ConfigError: There is no such pattern.
        DesignError: Its file is not a pattern.
    """
    if isinstance(mask, MaskSurface):
        return mask
    return build_mask(MaskSettings(pattern=mask) if isinstance(mask, str) else mask)


def texture_size(mask: Mask = "contour", *, texels_per_mm: float = 3.0) -> tuple[int, int]:
    """Height and width of the texture that covers a mask.

    Args:
        mask: Name of a pattern (contour, panelled, pleated), path of an SVG or OBJ file, `MaskSettings` with
            a size, or a surface.
        texels_per_mm: Texels to a millimetre of cloth.

    Raises:
        ConfigError: There is no such pattern.

    Example:
        >>> texture_size("contour", texels_per_mm=1.0)
        (128, 207)
    """
    if not (math.isfinite(texels_per_mm) and texels_per_mm > 0):
        raise ValueError(f"texels_per_mm must be a number above 0, not {texels_per_mm}")
    return mask_surface(mask).texture_size(texels_per_mm)


def texels_per_mm_of(size: Sequence[int], surface: MaskSurface) -> float:
    """The resolution at which a mask needs a texture of this height and width: the plainest number that fits.

    Raises:
        ValueError: None does, since the texture has other proportions than the mask.
    """
    height, width = size
    across, down = surface.size_mm
    low = max((height - 0.5) / down, (width - 0.5) / across)
    high = min((height + 0.5) / down, (width + 0.5) / across)
    for digits in range(9):
        plain = round((low + high) / 2, digits)
        if plain > 0 and surface.texture_size(plain) == (height, width):
            return plain
    rows, columns = surface.texture_size(height / down)
    raise ValueError(
        f"a texture of {height} x {width} texels fits no resolution of the mask {surface.name}; one of this "
        f"height has {rows} x {columns}. advmask.texture_size gives the size for a mask and its texels per mm"
    )


def checked_pictures(pictures: Tensor) -> Float[Tensor, "batch 3 rows columns"]:
    """Pictures as they are.

    Raises:
        ValueError: They are not (B, 3, H, W) floating-point numbers in [0, 1].
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3 or pictures.numel() == 0:
        raise ValueError(f"pictures must have the shape (B, 3, H, W), not {tuple(pictures.shape)}")
    if not pictures.is_floating_point():
        raise ValueError(
            f"pictures must be floating-point numbers in [0, 1], not {pictures.dtype}: divide bytes by 255"
        )
    low, high = (float(bound) for bound in pictures.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"pictures must lie in [0, 1]; these go from {low:.4g} to {high:.4g}")
    return pictures


def checked_texels(texels: Tensor, *, batch: int) -> Float[Tensor, "*b 3 height width"]:
    """Texels as they are.

    Raises:
        ValueError: They are neither (3, h, w) nor (B, 3, h, w), or no floating-point numbers.
    """
    right = texels.ndim in (3, 4) and texels.shape[-3] == 3 and (texels.ndim == 3 or len(texels) == batch)
    if not right:
        raise ValueError(
            f"texels must have the shape (3, h, w), or ({batch}, 3, h, w) with one texture for each picture, "
            f"not {tuple(texels.shape)}"
        )
    if not texels.is_floating_point():
        raise ValueError(f"texels must be floating-point numbers in [0, 1], not {texels.dtype}")
    return texels


def posed_faces(
    pictures: Float[Tensor, "batch 3 rows columns"],
    landmarks: Float[Tensor, "batch points axes"],
    occluders: Float[Tensor, "batch rows columns"] | None = None,
) -> list[PosedFace]:
    """The pose of the head on each picture; on the CPU, without gradient.

    Args:
        pictures: In [0, 1], sRGB.
        landmarks: (B, 5, 2), or (B, 468, 3) of a face mesh.
        occluders: Alpha in [0, 1] of what is in front of the masks.

    Raises:
        ValueError: Shapes do not fit.
        PhotoError: On one of the pictures, no mask can be placed by these landmarks.
    """
    batch, _, rows, columns = pictures.shape
    if tuple(landmarks.shape) not in ((batch, 5, 2), (batch, 468, 3)):
        raise ValueError(
            f"landmarks must have the shape ({batch}, 5, 2), or ({batch}, 468, 3) of a face mesh, for "
            f"{batch} pictures, not {tuple(landmarks.shape)}"
        )
    if occluders is not None and tuple(occluders.shape) != (batch, rows, columns):
        raise ValueError(
            f"occluders must have the shape ({batch}, {rows}, {columns}), not {tuple(occluders.shape)}"
        )
    points = landmarks.detach().cpu().double()
    dense = points.shape[1] == 468
    faces = []
    for number, picture in enumerate(pictures.detach().cpu().float()):
        own = points[number]
        try:
            pose = find_pose(own[:5, :2], own if dense else None)
        except PhotoError as error:
            raise PhotoError(f"Picture {number}: {error}") from error
        occluder = None if occluders is None else occluders[number].detach().cpu().float()
        faces.append(PosedFace(picture, pose, own if dense else None, occluder))
    return faces


def for_all(value: Tensor, shape: tuple[int, ...], *, batch: int, name: str) -> Tensor:
    """A tensor for all pictures, or one for each, as one with the batch first.

    Raises:
        ValueError: It has another shape.
    """
    if tuple(value.shape) == shape:
        return value.expand(batch, *shape)
    if tuple(value.shape) == (batch, *shape):
        return value
    raise ValueError(f"{name} must have the shape {shape} or {(batch, *shape)}, not {tuple(value.shape)}")
