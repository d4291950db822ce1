"""An independent renderer in numpy: 8 x 8 sub-samples a pixel, bilinear texels, averaged in linear light.

It shares no code with advmask.render; the tests compare against it.
"""

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from advmask.masks.placement import Placement, place
from advmask.masks.pose import HeadPose
from advmask.masks.shipped import shipped_surface

Array = NDArray[np.float64]


def to_linear(srgb: Array) -> Array:
    """sRGB in [0, 1] to linear light, by the two branches of IEC 61966-2-1."""
    srgb = np.asarray(srgb, dtype=np.float64)
    out = np.empty_like(srgb)
    toe = srgb <= 0.04045
    out[toe] = srgb[toe] / 12.92
    out[~toe] = ((srgb[~toe] + 0.055) / 1.055) ** 2.4
    return out


def to_srgb(linear: Array) -> Array:
    """Linear light in [0, 1] to sRGB, by the two branches of IEC 61966-2-1."""
    linear = np.asarray(linear, dtype=np.float64)
    out = np.empty_like(linear)
    toe = linear <= 0.0031308
    out[toe] = linear[toe] * 12.92
    out[~toe] = 1.055 * linear[~toe] ** (1 / 2.4) - 0.055
    return out


@lru_cache(maxsize=5)  # tests ask the same of several textures, one after the other
def visible_uv(placement: Placement, *, side: int, samples: int) -> tuple[NDArray[np.int64], Array]:
    """Nearest triangle (-1: none) and pattern position in mm of each sub-sample of a square picture."""
    count = side * samples
    nearest = np.full((count, count), -np.inf)
    face_at = np.full((count, count), -1)
    uv_at = np.zeros((count, count, 2))
    for number, (i, j, k) in enumerate(placement.faces):
        corners = placement.points_px[[i, j, k]] * samples
        low = np.maximum(np.floor(corners.min(axis=0) - 1), 0).astype(int)
        high = np.minimum(np.ceil(corners.max(axis=0) + 1), count).astype(int)
        if (low >= high).any():
            continue
        x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
        # Solve P = A + s (B - A) + t (C - A).
        edges = np.stack([corners[1] - corners[0], corners[2] - corners[0]], axis=1)
        if abs(np.linalg.det(edges)) < 1e-12:
            continue
        st = np.linalg.inv(edges) @ np.stack([x.ravel() - corners[0, 0], y.ravel() - corners[0, 1]])
        weights = np.stack([1 - st[0] - st[1], st[0], st[1]], axis=1)
        inside = (weights >= -1e-12).all(axis=1).reshape(x.shape)
        z = (weights @ placement.depth_mm[[i, j, k]]).reshape(x.shape)
        block = np.s_[low[1] : high[1], low[0] : high[0]]
        front = inside & (z > nearest[block])
        nearest[block][front] = z[front]
        face_at[block][front] = number
        uv_at[block][front] = (weights @ placement.uv_mm[[i, j, k]]).reshape(*x.shape, 2)[front]
    return face_at, uv_at


def read_bilinear(texels: Array, x: Array, y: Array) -> Array:
    """Bilinear read of (H, W, C) at positions in texels, centres at +0.5, edges repeated."""
    rows, columns = texels.shape[:2]
    x, y = x - 0.5, y - 0.5
    left, top = np.floor(x), np.floor(y)
    right_share, lower_share = (x - left)[:, None], (y - top)[:, None]

    def at(row: Array, column: Array) -> Array:
        return texels[row.clip(0, rows - 1).astype(int), column.clip(0, columns - 1).astype(int)]

    upper = at(top, left) * (1 - right_share) + at(top, left + 1) * right_share
    lower = at(top + 1, left) * (1 - right_share) + at(top + 1, left + 1) * right_share
    return upper * (1 - lower_share) + lower * lower_share


def reference_picture(
    placement: Placement, texture: Array, picture: Array, *, texels_per_mm: float, samples: int = 8
) -> tuple[Array, Array]:
    """Picture (S, S, 3) in sRGB with the mask, and the covered share (S, S) of each pixel.

    Args:
        placement: The mask on the photo.
        texture: (H, W, 3) sRGB.
        picture: (S, S, 3) sRGB, the bare photo.
        texels_per_mm: Of the texture.
        samples: Sub-samples per pixel along each axis.
    """
    side = picture.shape[0]
    face_at, uv_at = visible_uv(placement, side=side, samples=samples)
    hit = face_at >= 0
    light = np.repeat(np.repeat(to_linear(picture), samples, axis=0), samples, axis=1)
    position = uv_at[hit] * texels_per_mm
    light[hit] = read_bilinear(to_linear(texture), position[:, 0], position[:, 1])
    blocks = (side, samples, side, samples)
    share = hit.reshape(blocks).mean(axis=(1, 3))
    return to_srgb(light.reshape(*blocks, 3).mean(axis=(1, 3))), share


def checkerboard(height: int, width: int, *, texels_per_mm: float, square_mm: float) -> Array:
    """(H, W, 3) of black and white squares."""
    row = np.floor((np.arange(height) + 0.5) / texels_per_mm / square_mm)
    column = np.floor((np.arange(width) + 0.5) / texels_per_mm / square_mm)
    return np.repeat(((row[:, None] + column[None]) % 2)[..., None], 3, axis=2)


def smooth_texture(height: int, width: int, *, seed: int = 0) -> Array:
    """(H, W, 3) with a photo's 1/f amplitude spectrum, stretched to [0.05, 0.95]."""
    generator = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width)[None] * width)
    channels = []
    for _ in range(3):
        spectrum = np.fft.fft2(generator.normal(size=(height, width))) / np.maximum(frequency, 1.0)
        values = np.fft.ifft2(spectrum).real
        low, high = np.percentile(values, [1, 99])
        channels.append(((values - low) / (high - low)).clip(0, 1) * 0.9 + 0.05)
    return np.stack(channels, axis=-1)


def head(side: int, *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> HeadPose:
    """A head as it lies on an aligned face crop of `side` pixels (0.55 px/mm at 112 px); degrees."""
    unit = side / 112
    yaw, pitch, roll = np.deg2rad([yaw, pitch, roll])
    return HeadPose(float(yaw), float(pitch), float(roll), 0.55 * unit, (56 * unit, 62 * unit))


@cache
def worn(side: int, *, name: str = "contour", **angles: float) -> Placement:
    """A mask without ear loops, of which the oracle knows nothing, on `head(side, ...)`."""
    return place(shipped_surface(name), head(side, **angles), ear_loops=False)
