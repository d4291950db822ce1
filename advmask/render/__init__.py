"""Rasterising, sampling, shading and compositing; pure torch, differentiable in the texture."""

from advmask.render.fitting import fit_masks
from advmask.render.packing import PackedBatch, PackedPlacement, RenderSettings, collate, pack
from advmask.render.pyramid import MipPyramid
from advmask.render.rasterise import Fragments, rasterise
from advmask.render.renderer import MaskRenderer, Tone

__all__ = [
    "Fragments",
    "MaskRenderer",
    "MipPyramid",
    "PackedBatch",
    "PackedPlacement",
    "RenderSettings",
    "Tone",
    "collate",
    "fit_masks",
    "pack",
    "rasterise",
]
