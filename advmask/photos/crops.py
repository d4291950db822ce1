"""The working crop: every face upright, at one size, with its eyes in one place."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, UInt8
from PIL import Image
from scipy.ndimage import affine_transform
from torch import Tensor

from advmask.core.errors import PhotoError

# Left-in-image eye, right-in-image eye, nose tip, mouth corners of a mean head seen from the front:
# millimetres, x to the right in the picture, y up.
_HEAD_MM = np.array([(-33.1, 28.1), (33.1, 28.1), (0.0, -6.9), (-30.1, -39.7), (30.1, -39.7)])

# A quarter of the crop between the eyes, and the eyes above its middle: the whole face fits, and below the
# chin there is room for the lower edge of a mask.
_EYE_DISTANCE = 56 / 224
_EYE_ROW = 88 / 224


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """One face, cut from one photo.

    Attributes:
        picture: The crop, sRGB, (3, size, size), 0 to 255.
        landmarks: Five points (x, y) in pixels of the crop, in the order of `Face.landmarks`.
        person: Whose face it is.
        source: The photo.
        transform: Takes points of the photo to points of the crop; pixel centres at +0.5 in both.
        face_px: Distance between the eyes in pixels of the original photo: how much detail there ever was.
        sha256: Hexadecimal SHA-256 of the photo file.
        photo_size: Width and height of the upright photo in pixels.
        dense: The 468 points (x, y, z) of a face mesh in pixels of the crop, where the landmark backend gives
            them. z is larger nearer to the camera, known up to a constant, and NaN where nobody told it.
        occluder: What lies in front of a mask, 255 fully, 0 not at all; None when nobody told.
    """

    picture: UInt8[Tensor, "3 size size"]
    landmarks: Float32[Tensor, "5 2"]
    person: str
    source: Path
    transform: Float64[Tensor, "2 3"]
    face_px: float
    sha256: str
    photo_size: tuple[int, int]
    dense: Float32[Tensor, "468 3"] | None = None
    occluder: UInt8[Tensor, "size size"] | None = None

    def __repr__(self) -> str:
        """One line."""
        return f"FaceCrop({str(self.source)!r}, {self.person}, {self.picture.shape[-1]} px)"

    def as_float(self) -> Float32[Tensor, "3 size size"]:
        """Give the picture as float32 in [0, 1]."""
        return self.picture.to(torch.float32) / 255

    def inside(self) -> Bool[Tensor, "size size"]:
        """Tell which pixels show the photo; the others continue its edge."""
        size = self.picture.shape[-1]
        x, y = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
        centres = np.stack([x.ravel(), y.ravel()], axis=1)
        within = inside_photo(self.transform.numpy(), centres, photo_size=self.photo_size)
        return torch.from_numpy(within.reshape(size, size))


def canonical_points(*, size: int = 176) -> Float64[np.ndarray, "5 2"]:
    """Give the five points of a mean head, seen from the front, in a crop of `size` pixels.

    **Convention.** Points (x, y) in pixels, pixel centres at +0.5. The eyes are a quarter of the size apart
    (44 px at 176), level, centred, and 88/224 of the size below the upper edge.
    """
    px_per_mm = size * _EYE_DISTANCE / (_HEAD_MM[1, 0] - _HEAD_MM[0, 0])
    eye_row_mm = _HEAD_MM[0, 1]
    return np.stack(
        [size / 2 + px_per_mm * _HEAD_MM[:, 0], size * _EYE_ROW + px_per_mm * (eye_row_mm - _HEAD_MM[:, 1])],
        axis=1,
    )


def crop_transform(landmarks: Float[np.ndarray, "5 2"], *, size: int = 176) -> Float64[np.ndarray, "2 3"]:
    """Fit the similarity (turn, scale, shift; never a reflection) that brings a face to the crop's layout.

    Least squares over the five points. In the plane, with points as complex numbers, Umeyama's solution is
    one quotient: the factor `a` of `w = a z + b` holds scale and turn, and no `a` can reflect.

    Args:
        landmarks: Five points (x, y) in pixels of the photo, in the order of `Face.landmarks`.
        size: Side of the crop in pixels.

    Returns:
        Matrix (2, 3) that takes points of the photo to points of the crop.

    Raises:
        PhotoError: The points coincide, or are not finite, so that no scale can be computed.

    Source:
        Umeyama, Least-Squares Estimation of Transformation Parameters Between Two Point Patterns, 1991.
    """
    z = landmarks[:, 0].astype(np.float64) + 1j * landmarks[:, 1]
    target = canonical_points(size=size)
    w = target[:, 0] + 1j * target[:, 1]
    spread = z - z.mean()
    power = float(np.vdot(spread, spread).real)
    if not np.isfinite(power) or power < 1e-12:
        raise PhotoError("The five landmarks of a face coincide; use a larger or clearer photo.")
    a = complex(np.vdot(spread, w - w.mean()) / power)
    if abs(a) < 1e-9:
        raise PhotoError("The five landmarks lie unlike any face; use a clearer photo.")
    b = complex(w.mean()) - a * complex(z.mean())
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def apply_transform(
    transform: Float[np.ndarray, "2 3"], points: Float[np.ndarray, "n 2"]
) -> Float64[np.ndarray, "n 2"]:
    """Take points (x, y) of the photo to points of the crop."""
    return np.asarray(points @ transform[:, :2].T + transform[:, 2], dtype=np.float64)


def invert_transform(transform: Float[np.ndarray, "2 3"]) -> Float64[np.ndarray, "2 3"]:
    """Turn a transform of the photo to the crop into one of the crop to the photo."""
    linear = np.linalg.inv(transform[:, :2].astype(np.float64))
    return np.concatenate([linear, -(linear @ transform[:, 2:])], axis=1)


def inside_photo(
    transform: Float[np.ndarray, "2 3"], points: Float[np.ndarray, "n 2"], *, photo_size: tuple[int, int]
) -> Bool[np.ndarray, "n"]:
    """Tell which points (x, y) of a crop show the photo, not its continued edge.

    Args:
        transform: Takes points of the photo to points of the crop.
        points: Pixels of the crop.
        photo_size: Width and height of the upright photo in pixels.
    """
    there = apply_transform(invert_transform(transform), points)
    return np.asarray(((there >= 0) & (there <= np.array(photo_size))).all(axis=1))


def cut_crop(
    image: Image.Image, transform: Float[np.ndarray, "2 3"], *, size: int
) -> UInt8[np.ndarray, "size size bands"]:
    """Resample the part of a photo that the crop shows.

    Where the crop is coarser than the photo, the photo is first reduced to the crop's scale with a Lanczos
    filter, so that fine patterns vanish instead of turning into coarse ones; then one resampling by cubic
    splines turns and shifts it. Beyond the photo its edge pixels go on.

    Args:
        image: Photo of mode RGB, or anything else of the same shape as mode L.
        transform: Similarity (2, 3) that takes points of the photo to points of the crop, as
            `crop_transform` gives it.
        size: Side of the crop in pixels.

    Raises:
        PhotoError: The crop would show nothing of the photo.
    """
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    to_photo = invert_transform(transform)
    corners = apply_transform(to_photo, size * np.array([(0.0, 0), (1, 0), (0, 1), (1, 1)]))
    limits = np.array(image.size)
    if (corners.max(0) <= 0).any() or (corners.min(0) >= limits).any():
        raise PhotoError("The face lies outside the photo; use a photo that shows the whole face.")

    # Keep only what the crop can see, with room for the reach of both filters.
    reach = 8 / min(scale, 1)
    low = np.clip(np.floor(corners.min(0) - reach), 0, limits - 1).astype(int)
    high = np.clip(np.ceil(corners.max(0) + reach), low + 1, limits).astype(int)
    part = image.crop((*low.tolist(), *high.tolist()))
    reduced = np.maximum(1, np.rint((high - low) * min(scale, 1))).astype(int)
    per_px = reduced / (high - low)

    # From edge coordinates (x, y) to array indices (row, column), whose whole numbers are pixel centres.
    linear = to_photo[:, :2] * per_px[:, None]
    shift = (to_photo[:, 2] - low) * per_px
    offset = linear @ [0.5, 0.5] + shift - 0.5
    bands = []
    for band in part.split():
        # In floating point and by splines, because Pillow's affine bicubic cuts fractions off, which darkens,
        # and bends straight ramps by a tenth of a pixel.
        fine = band.convert("F")
        if scale < 1:
            fine = fine.resize((int(reduced[0]), int(reduced[1])), Image.Resampling.LANCZOS)
        turned = affine_transform(
            np.asarray(fine), linear[::-1, ::-1], offset[::-1], (size, size), order=3, mode="nearest"
        )
        bands.append(np.clip(np.rint(turned), 0, 255).astype(np.uint8))
    return np.stack(bands, axis=2)
