"""Masks on pictures as one differentiable operation: texture, pictures and landmarks in, pictures out."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import PhotoError
from advmask.core.threads import one_thread
from advmask.masks.follow_person import follow_person
from advmask.masks.placement import Wear
from advmask.render.batching import PackedBatch, collate
from advmask.render.checked_inputs import (
    Mask,
    checked_pictures,
    checked_texels,
    for_all,
    mask_surface,
    posed_faces,
    texels_per_mm_of,
)
from advmask.render.direct_rendering import render_directly
from advmask.render.mask_fitting import fit_masks
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings
from advmask.render.worn_meshes import heads_and_wear

_DEFAULT = RenderSettings()
_SUB_PIXELS_AT_ONCE = 16_000_000  # of pictures that are drawn directly together
_SHOWN = {"tilt": "tilt_deg", "angles": "turn_deg"}


def wear_mask(
    texels: Float[Tensor, "*b 3 height width"],
    pictures: Float[Tensor, "batch 3 rows columns"],
    landmarks: Float[Tensor, "batch points axes"],
    *,
    mask: Mask = "contour",
    wear: Wear | Sequence[Wear] | None = None,
    shift_mm: Float[Tensor, "*b 2"] | None = None,
    tilt_deg: Float[Tensor, "*b"] | None = None,
    scale: Float[Tensor, "*b"] | None = None,
    slip_mm: Float[Tensor, "*b"] | None = None,
    stretch: Float[Tensor, "*b"] | None = None,
    turn_deg: Float[Tensor, "*b 3"] | None = None,
    light: Float[Tensor, "*b 4"] | None = None,
    occluders: Float[Tensor, "batch rows columns"] | None = None,
    render: RenderSettings = _DEFAULT,
    direct: bool = False,
) -> Float[Tensor, "batch 3 rows columns"]:
    """Lay a printed mask on the face in each picture, differentiably.

    The head's pose is fitted to the landmarks, the mask is placed on it and lit like the skin that it
    covers, and each pixel takes the mean of the cloth it sees, in linear light. The gradient goes to
    `texels`, and to `shift_mm`, `tilt_deg`, `scale`, `slip_mm`, `stretch`, `turn_deg` and `light` where these
    are given. Giving one of them, or `direct`, draws the whole batch at once from poses and mesh, on the
    device of the pictures; what it draws agrees with the other way to some 40 dB. Silhouettes, folds and the
    shadow of the rim carry no gradient there. To render several textures on the same pictures, place the
    masks once with `WornMasks`.

    **Convention.** Pictures and texels are sRGB in [0, 1]. Points are (x, y) in pixels, the centre of the
    first pixel at (0.5, 0.5). Row 0 of the texture is the upper edge of the flat pattern. A frontal, upright
    head is turned by (0, 0, 0) degrees; yaw is positive to the right in the picture, pitch up, roll and tilt
    clockwise. Pixels that the mask does not touch keep their values exactly. Poses are found on the CPU,
    without gradient to pictures and landmarks, and so are placements and light where they are not drawn
    directly; the result is on the device of `pictures`, in their precision.

    Args:
        texels: (3, h, w), or (B, 3, h, w) with one texture for each picture. `texture_size` tells h and w;
            how many texels there are to a millimetre follows from them.
        pictures: (B, 3, H, W), bare faces.
        landmarks: (B, 5, 2): left and right eye, nose, left and right corner of the mouth, as seen in the
            picture; or (B, 468, 3) of a face mesh, and the mask follows the shape of the face.
            `advmask.find_landmarks` finds the five.
        mask: Name of a pattern (contour, panelled, pleated), path of an SVG or OBJ file, `MaskSettings` with
            a size, or a surface.
        wear: How the masks sit: one for all or one for each; None is the ideal place.
        shift_mm: (2,) or (B, 2), in place of that of `wear`: right in the picture and up, millimetres.
        tilt_deg: () or (B,), in place of that of `wear`: degrees.
        scale: () or (B,), in place of that of `wear`: 1 fits.
        slip_mm: () or (B,), in place of that of `wear`: how far the upper rim slid down.
        stretch: () or (B,), in place of that of `wear`.
        turn_deg: (3,) or (B, 3), in place of the fitted pose: yaw, pitch, roll, degrees.
        light: (4,) or (B, 4): even light, and light from the right, from above and from the camera, relative
            to the mean light of the picture; None fits it to the picture.
        occluders: (B, H, W), alpha in [0, 1] of what is in front of the mask: hair, hands, glasses.
        render: How masks are drawn.
        direct: Draw from poses and mesh even where no placement is given as tensors: no preparation, which
            pays where each set of placements is drawn once, on a GPU above all.

    Returns:
        (B, 3, H, W), the pictures with masks.

    Raises:
        ValueError: A shape or a range does not fit; the message names both.
        ConfigError: There is no such pattern.
        PhotoError: No mask can be placed by the landmarks of a picture, or it would lie beyond its border (a
            placement that is given as tensors may lie anywhere).

    Example:
        >>> import torch
        >>> landmarks = torch.tensor([[[38.0, 40], [74, 40], [56, 61], [40, 79], [72, 79]]])
        >>> texels = torch.full((3, 128, 207), 0.5, requires_grad=True)
        >>> pictures = wear_mask(texels, torch.full((1, 3, 112, 112), 0.6), landmarks)
        >>> pictures.mean().backward()
        >>> tuple(pictures.shape), tuple(texels.grad.shape)
        ((1, 3, 112, 112), (3, 128, 207))
    """
    batch = len(checked_pictures(pictures))
    surface = mask_surface(mask)
    texels = checked_texels(texels, batch=batch)
    per_mm = texels_per_mm_of(texels.shape[-2:], surface)
    asked: dict[str, tuple[Tensor | None, tuple[int, ...]]] = {
        "shift_mm": (shift_mm, (2,)),
        "tilt": (None if tilt_deg is None else torch.deg2rad(tilt_deg), ()),
        "scale": (scale, ()),
        "slip_mm": (slip_mm, ()),
        "stretch": (stretch, ()),
        "angles": (None if turn_deg is None else torch.deg2rad(turn_deg), (3,)),
    }
    given = {
        name: for_all(value, shape, batch=batch, name=_SHOWN.get(name, name))
        for name, (value, shape) in asked.items()
        if value is not None
    }
    lamps = None if light is None else for_all(light, (4,), batch=batch, name="light")
    if not (given or direct) and lamps is None:
        placed = WornMasks(
            pictures,
            landmarks,
            mask=surface,
            texels_per_mm=per_mm,
            wear=wear,
            occluders=occluders,
            render=render,
        )
        worn: Tensor = placed(texels)
        return worn
    faces = posed_faces(pictures, landmarks, occluders)
    wears = [one or Wear() for one in _each_wear(wear, batch)]
    how = heads_and_wear([face.pose for face in faces], wears, device=pictures.device, given=given)
    people = None
    if faces[0].dense is not None:
        fitted = [
            follow_person(surface.vertices_mm, one.dense.double().numpy(), one.pose)
            for one in faces
            if one.dense is not None
        ]
        people = torch.from_numpy(np.stack(fitted)).to(pictures.device)
    at_once = max(1, _SUB_PIXELS_AT_ONCE // (pictures[0, 0].numel() * render.supersample**2))
    drawn = []
    for first in range(0, batch, at_once):
        part = slice(first, first + at_once)
        drawn.append(
            render_directly(
                texels if texels.ndim == 3 else texels[part],
                pictures[part],
                surface,
                how.part(part),
                texels_per_mm=per_mm,
                settings=render,
                px_per_mm=[face.pose.scale_px_per_mm for face in faces[part]],
                wears=wears[part],
                vertices_mm=None if people is None else people[part],
                light=None if lamps is None else lamps[part],
                occluders=None if occluders is None else occluders[part].to(pictures.device),
            )
        )
    return torch.cat(drawn)


class WornMasks(nn.Module):
    """Masks placed once on a batch of pictures; each call renders one more texture on them.

    What takes time is placing: a call costs one sparse product, and its gradient another. `to` moves it to
    another device.

    **Convention.** As of `wear_mask`; a call on texels gives what `wear_mask` gives.

    Args:
        pictures: (B, 3, H, W) in [0, 1], sRGB, bare faces.
        landmarks: (B, 5, 2), or (B, 468, 3) of a face mesh.
        mask: Name of a pattern, path of its file, `MaskSettings` with a size, or a surface.
        texels_per_mm: Of the textures that will be rendered; `size` is their height and width.
        wear: How the masks sit: one for all or one for each; None is the ideal place.
        occluders: (B, H, W), alpha in [0, 1] of what is in front of the masks.
        render: How masks are drawn.

    Raises:
        ValueError: A shape or a range does not fit.
        ConfigError: There is no such pattern.
        PhotoError: On one of the pictures, no mask can be placed.

    Example:
        >>> import torch
        >>> landmarks = torch.tensor([[[38.0, 40], [74, 40], [56, 61], [40, 79], [72, 79]]])
        >>> worn = WornMasks(torch.full((1, 3, 112, 112), 0.6), landmarks, texels_per_mm=1.0)
        >>> worn
        WornMasks(1 picture of 112 x 112 px; contour M at 1 texels per mm: textures of 128 x 207)
        >>> tuple(worn(torch.rand(3, *worn.size)).shape)
        (1, 3, 112, 112)
    """

    pictures: Tensor

    def __init__(
        self,
        pictures: Float[Tensor, "batch 3 rows columns"],
        landmarks: Float[Tensor, "batch points axes"],
        *,
        mask: Mask = "contour",
        texels_per_mm: float = 3.0,
        wear: Wear | Sequence[Wear] | None = None,
        occluders: Float[Tensor, "batch rows columns"] | None = None,
        render: RenderSettings = _DEFAULT,
    ) -> None:
        super().__init__()
        self.register_buffer("pictures", checked_pictures(pictures), persistent=False)
        self.surface = mask_surface(mask)
        if not (math.isfinite(texels_per_mm) and texels_per_mm > 0):
            raise ValueError(f"texels_per_mm must be a number above 0, not {texels_per_mm}")
        self.texels_per_mm = texels_per_mm
        self._renderer = MaskRenderer()
        self._packed = []
        self._laid: dict[tuple[bool, torch.device, torch.dtype], PackedBatch] = {}
        faces, wears = posed_faces(pictures, landmarks, occluders), _each_wear(wear, len(pictures))
        with one_thread():
            for number, (face, one) in enumerate(zip(faces, wears, strict=True)):
                try:
                    self._packed += fit_masks(
                        face, self.surface, wears=[one], texels_per_mm=texels_per_mm, settings=render
                    )
                except PhotoError as error:
                    raise PhotoError(f"Picture {number}: {error}") from error

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a texture."""
        return self.surface.texture_size(self.texels_per_mm)

    def forward(self, texels: Float[Tensor, "*b 3 height width"]) -> Float[Tensor, "batch 3 rows columns"]:
        """Render one texture on all pictures, or one on each.

        Args:
            texels: (3, h, w) or (B, 3, h, w), sRGB in [0, 1].

        Raises:
            ValueError: They have another shape.
        """
        batch = len(self.pictures)
        if tuple(checked_texels(texels, batch=batch).shape[-2:]) != self.size:
            raise ValueError(
                f"a texture of {self.size[0]} x {self.size[1]} texels was prepared for, and this has "
                f"{texels.shape[-2]} x {texels.shape[-1]}"
            )
        exact = torch.float64 if texels.dtype == torch.float64 else torch.float32
        packed = self._batch(own=texels.ndim == 4, dtype=exact)
        textures = [texels] if texels.ndim == 3 else list(texels)
        worn: Tensor = self._renderer(
            [one.to(self.pictures.device) for one in textures], self.pictures, packed
        )
        return worn

    def extra_repr(self) -> str:
        """What it holds."""
        count, _, rows, columns = self.pictures.shape
        pattern, (height, width) = self.surface.pattern, self.size
        return (
            f"{count} picture{'' if count == 1 else 's'} of {columns} x {rows} px; {pattern.name} "
            f"{pattern.size} at {self.texels_per_mm:g} texels per mm: textures of {height} x {width}"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    def _batch(self, *, own: bool, dtype: torch.dtype) -> PackedBatch:
        """The placements laid end to end, for one texture or for one on each picture."""
        key = (own, self.pictures.device, dtype)
        if key not in self._laid:
            rows, columns = self.pictures.shape[-2:]
            textures = range(len(self._packed)) if own else None
            laid = collate(self._packed, height=rows, width=columns, textures=textures)
            self._laid = {key: laid.to(self.pictures.device, dtype)}
        return self._laid[key]


def _each_wear(wear: Wear | Sequence[Wear] | None, batch: int) -> list[Wear | None]:
    if wear is None or isinstance(wear, Wear):
        return [wear] * batch
    if len(wear) != batch:
        raise ValueError(f"wear must be one Wear, or {batch} of them for {batch} pictures, not {len(wear)}")
    return list(wear)
