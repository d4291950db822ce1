"""Nearly every texel that a photo shows receives gradient from it."""

import numpy as np
import pytest
import torch
from supersampled_reference import visible_uv, worn

from advmask.masks.shipped import shipped_surface
from advmask.render.batching import collate
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings

PER_MM, SIDE = 3.6, 112


@pytest.mark.parametrize("yaw", [0.0, 30.0, 45.0])
@pytest.mark.parametrize("settings", [RenderSettings(), RenderSettings(shading=False, edge_px=0.0)])
def test_visible_texels_receive_gradient(yaw, settings):
    height, width = shipped_surface("contour").texture_size(PER_MM)
    assert height >= 460
    assert width >= 700
    placement = worn(SIDE, yaw=yaw)
    face_at, uv = visible_uv(placement, side=SIDE, samples=16)
    texel = np.floor(uv[face_at >= 0] * PER_MM).astype(int)
    visible = np.zeros((height, width), dtype=bool)
    visible[texel[:, 1].clip(0, height - 1), texel[:, 0].clip(0, width - 1)] = True

    picture = torch.rand(3, SIDE, SIDE) * 0.2 + torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)
    pyramid = MipPyramid(height, width)
    packed = pack(placement, picture, pyramid=pyramid, texels_per_mm=PER_MM, settings=settings)
    texture = torch.full((3, height, width), 0.5, requires_grad=True)
    MaskRenderer()(texture, picture[None], collate([packed], height=SIDE, width=SIDE)).sum().backward()
    reached = (texture.grad != 0).all(dim=0).numpy()

    share = reached[visible].mean()
    print(f"yaw {yaw:.0f}: {visible.sum()} visible texels, {100 * share:.2f} % receive gradient")
    assert visible.mean() > 0.35
    assert share >= 0.95
    assert (~visible & ~reached).sum() > 0  # cloth that is turned away teaches nothing
