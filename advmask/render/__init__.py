"""Rasterising, sampling, shading and compositing; pure torch, differentiable in the texture."""
