"""Rasterising, sampling, shading and compositing; pure torch, differentiable in the texture."""

from advmask.render.batching import PackedBatch, collate
from advmask.render.direct import render_direct
from advmask.render.mask_fitting import PosedFace, find_pose, fit_masks
from advmask.render.packing import PackedPlacement, RenderSettings, pack
from advmask.render.pyramid import MipPyramid
from advmask.render.rasterise import Fragments, rasterise
from advmask.render.renderer import MaskRenderer, Tone

__all__ = [
    "Fragments",
    "MaskRenderer",
    "MipPyramid",
    "PackedBatch",
    "PackedPlacement",
    "PosedFace",
    "RenderSettings",
    "Tone",
    "collate",
    "find_pose",
    "fit_masks",
    "pack",
    "rasterise",
    "render_direct",
]
