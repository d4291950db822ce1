"""Small photos, textures and one-photo rendering that several tests share."""

import numpy as np
import torch

from advmask.masks.flat_pattern import FlatPattern, Panel
from advmask.masks.shipped import shipped_surface
from advmask.masks.surface import MaskSurface
from advmask.render.batching import collate
from advmask.render.packing import PackedPlacement
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer, Tone
from advmask.render.settings import RenderSettings

SIDE, PER_MM = 64, 1.0
MASK: MaskSurface = shipped_surface("contour")
HEIGHT, WIDTH = MASK.texture_size(PER_MM)
PYRAMID = MipPyramid(HEIGHT, WIDTH)
HARD = RenderSettings(shading=False, edge_px=0.0, ear_loops=False)


def photo(seed: int = 0, *, side: int = SIDE) -> torch.Tensor:
    """A skin-coloured gradient with noise, (3, side, side)."""
    generator = torch.Generator().manual_seed(seed)
    ramp = torch.linspace(0.3, 0.7, side)
    noise = 0.05 * torch.rand(3, side, side, generator=generator)
    return ramp.view(1, 1, -1) * torch.tensor([1.0, 0.8, 0.7]).view(3, 1, 1) + noise


def random_texture(
    seed: int = 0, *, size: tuple[int, int] = (HEIGHT, WIDTH), dtype=torch.float32
) -> torch.Tensor:
    """(3, H, W) noise in [0.05, 0.95]."""
    generator = torch.Generator().manual_seed(seed)
    return 0.05 + 0.9 * torch.rand(3, *size, generator=generator, dtype=dtype)


def flat(colour, *, size: tuple[int, int] = (HEIGHT, WIDTH)) -> torch.Tensor:
    """(3, H, W) of one colour."""
    return torch.tensor(colour, dtype=torch.float32).view(3, 1, 1).expand(3, *size)


def render(
    texture: torch.Tensor, picture: torch.Tensor, packed: PackedPlacement, *, tone: Tone | None = None
) -> torch.Tensor:
    """One photo (3, H, W) with one texture on it."""
    batch = collate([packed], height=picture.shape[-2], width=picture.shape[-1])
    return MaskRenderer()(texture, picture[None], batch, tone)[0]


def patch() -> MaskSurface:
    """A bulging piece of cloth of 40 x 30 mm."""
    u, v = np.meshgrid(np.linspace(-20, 20, 7), np.linspace(0, 30, 6))
    height = 12 - u**2 / 60 - (v - 15) ** 2 / 70 + 0.03 * u * v / 10
    vertices = np.stack([0.95 * u, 10 - v, height], axis=-1).reshape(-1, 3)
    number = np.arange(42).reshape(6, 7)
    a, b, c, d = (w.ravel() for w in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([d, b, c], 1)])
    outline = np.array([[-20.0, 0], [20, 0], [20, 30], [-20, 30]])
    uv = np.stack([u, v], axis=-1).reshape(-1, 2)
    return MaskSurface(FlatPattern("patch", "M", (Panel("patch", outline),)), vertices, uv, uv, faces)
