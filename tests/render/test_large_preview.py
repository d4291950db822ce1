"""A portrait of 2,000 pixels: drawn in a process of its own, so that its memory can be measured."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import resource, sys
import torch
import torch.nn.functional as F
sys.path.insert(0, sys.argv[1])
torch.set_num_threads(1)
from masked_photos import photo
from supersampled_reference import head, smooth_texture
from advmask.masks.placement import place
from advmask.masks.shipped import shipped_surface
from advmask.render.batching import collate
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings

surface, per_mm = shipped_surface("contour"), 3.0
texture = torch.from_numpy(smooth_texture(*surface.texture_size(per_mm))).permute(2, 0, 1).float()
large, small = 2000, 250
coarse = photo(side=small)

def drawn(picture, settings):
    side = picture.shape[-1]
    packed = pack(place(surface, head(side), ear_loops=settings.ear_loops), picture,
                  pyramid=MipPyramid(*texture.shape[1:]), texels_per_mm=per_mm, settings=settings)
    return MaskRenderer()(texture, picture[None], collate([packed], height=side, width=side))

def linear(srgb):
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
picture = coarse.repeat_interleave(8, dim=1).repeat_interleave(8, dim=2)
settings = RenderSettings(edge_px=0.0, **({} if sys.argv[2] == "shaded" else {"shading": False}))
out = drawn(picture, settings)
assert out.isfinite().all()
means = F.avg_pool2d(linear(out.detach()), 8)
other = linear(drawn(coarse[None][0], settings).detach())
def encoded(light):
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=1e-9) ** (1 / 2.4) - 0.055)
changed = (encoded(other) - coarse).abs().amax(dim=1) > 1e-3
error = (encoded(means) - encoded(other)).square().mean(dim=1)[changed].mean()
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, float(-10 * torch.log10(error)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("shading", "floor"), [("shaded", 30.0), ("bare", 38.0)])
def test_a_portrait_of_2000_px_is_the_small_one_in_more_detail(shading, floor):
    here = str(Path(__file__).parent)
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, here, shading], capture_output=True, text=True, check=True
    )
    before, peak, psnr = (float(word) for word in ran.stdout.split())
    print(f"{shading}: {before:.2f} GiB before, {peak:.2f} GiB at most, {psnr:.1f} dB against 250 px")
    assert peak < 2.5
    assert psnr > floor
