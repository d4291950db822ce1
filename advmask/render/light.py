"""Light on the mask, read off the skin it covers: first-order spherical harmonics."""

import torch
from jaxtyping import Float
from torch import Tensor

_RIDGE = 0.05  # pulls the directional part to zero where the covered skin says little
_HUBER = 1.345  # 95 % efficiency on clean data (Huber 1964)
_STEPS = 8
_DARKEST, _BRIGHTEST = 0.35, 1.6  # limits of the light at one place, relative to its mean


def fit_light(normals: Float[Tensor, "n 3"], brightness: Float[Tensor, " n"]) -> Float[Tensor, " 4"]:
    """Fit brightness = c0 + c1 . normal, robustly: lips, beards and nostrils must not steer the light.

    Iteratively reweighted least squares with Huber weights and a ridge on the directional part. A
    first-order expansion holds 75 % of the energy of a Lambertian reflector's response; the second order
    is not supported by the few normals a mask covers.

    Args:
        normals: Unit normals in the camera frame.
        brightness: Linear luminance of the skin there.

    Returns:
        c0 and the three directional coefficients, divided so that the mean light over the given normals
        is one.

    Source:
        Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment maps", 2001.
    """
    basis = torch.cat([torch.ones_like(normals[:, :1]), normals], dim=1)
    # The directional part is centred, so that the ridge does not trade light for brightness.
    centre = basis[:, 1:].mean(dim=0)
    basis = torch.cat([basis[:, :1], basis[:, 1:] - centre], dim=1)
    weight = torch.ones_like(brightness)
    ridge = _RIDGE * len(brightness) * torch.diag(torch.tensor([0.0, 1, 1, 1]).to(basis)) / 10
    coefficients = torch.zeros(4).to(basis)
    for _ in range(_STEPS):
        weighted = basis * weight[:, None]
        coefficients = torch.linalg.solve(weighted.T @ basis + ridge, weighted.T @ brightness)
        error = (brightness - basis @ coefficients).abs()
        spread = 1.4826 * error.median() + 1e-6
        weight = (_HUBER * spread / error.clamp(min=1e-9)).clamp(max=1.0)
    mean = coefficients[0].clamp(min=1e-4)
    direction = coefficients[1:] / mean
    return torch.cat([(1 - direction @ centre)[None], direction])


def evaluate_light(light: Float[Tensor, " 4"], normals: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    """Light at each normal relative to its mean over the mask, kept within believable limits."""
    return (light[0] + normals @ light[1:]).clamp(_DARKEST, _BRIGHTEST)


def white_level(luminance: Float[Tensor, "..."]) -> float:
    """Linear luminance that white cloth is given under a photo's mean light.

    Cloth must be neither brighter than the brightest things around it nor as dark as an underexposed
    cheek: the 98th percentile of the crop's luminance, between 0.35 and 0.85.
    """
    values = luminance.flatten()
    rank = max(1, round(0.98 * values.numel()))
    return float(values.kthvalue(rank).values.clamp(0.35, 0.85))
