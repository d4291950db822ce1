"""Light on the mask, read off the photo: first-order spherical harmonics, exposure, tint and saturation."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb, luminance

_RIDGE = 0.05  # pulls the directional part to zero where the covered skin says little
_HUBER = 1.345  # 95 % efficiency on clean data (Huber 1964)
_STEPS = 8
_ENOUGH = 2000  # pixels, from which a fit of four numbers gains nothing
_ENOUGH_OF_PHOTO = 50_000  # pixels, from which percentiles of a whole photo gain nothing
# White is sought among the brighter pixels whose log(R/G) and log(B/G) are at most this: skin is redder.
_NEAR_WHITE = (0.18, 0.25)
_BRIGHT_SHARE = 0.4  # of the 98th percentile of the luminance
_PRIOR_SHARE = 0.02  # white light counts as much as this share of all pixels
# Mean chroma |log(R/G)| + |log(B/G)| of that skin below which a photo is taken to be losing its colours.
_FULL_COLOUR, _NO_COLOUR = 0.35, 0.05
_DARKEST, _BRIGHTEST = 0.35, 1.6  # limits of the light at one place, relative to its mean


@dataclass(frozen=True, eq=False)
class PhotoLight:
    """What a bare photo tells of its light, whatever is worn on it.

    Attributes:
        pixels: (N, 3) the photo in [0, 1], sRGB, row by row.
        white: What white cloth is given; see `white_level`.
        tint: Colour of the light; see `photo_tint`.
    """

    pixels: Float[Tensor, "n 3"]
    white: float
    tint: Float[Tensor, " 3"]

    @classmethod
    def of(cls, picture: Float[Tensor, "3 height width"]) -> "PhotoLight":
        """Read it off a photo in [0, 1], sRGB; off evenly spread pixels of a large one."""
        pixels = picture.permute(1, 2, 0).reshape(-1, 3)
        some = linear_from_srgb(pixels[:: max(1, len(pixels) // _ENOUGH_OF_PHOTO)]).double()
        return cls(pixels, float(white_level(luminance(some))), photo_tint(some))

    def linear(self, places: Int[Tensor, " m"]) -> Float64[Tensor, "m 3"]:
        """Linear light of some pixels."""
        return linear_from_srgb(self.pixels[places]).double()


def fit_light(normals: Float[Tensor, "*b n 3"], brightness: Float[Tensor, "*b n"]) -> Float[Tensor, "*b 4"]:
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
    every = max(1, normals.shape[-2] // _ENOUGH)
    normals, brightness = normals[..., ::every, :], brightness[..., ::every, None]
    # The directional part is centred, so that the ridge does not trade light for brightness.
    centre = normals.mean(dim=-2, keepdim=True)
    basis = torch.cat([torch.ones_like(normals[..., :1]), normals - centre], dim=-1)
    weight = torch.ones_like(brightness)
    ridge = _RIDGE * basis.shape[-2] * torch.diag(torch.tensor([0.0, 1, 1, 1]).to(basis)) / 10
    coefficients = torch.zeros_like(basis[..., :1, :]).mT
    for _ in range(_STEPS):
        weighted = (basis * weight).mT
        coefficients = torch.linalg.solve(weighted @ basis + ridge, weighted @ brightness)
        error = (brightness - basis @ coefficients).abs()
        spread = 1.4826 * error.median(dim=-2, keepdim=True).values + 1e-6
        weight = (_HUBER * spread / error.clamp(min=1e-9)).clamp(max=1.0)
    coefficients = coefficients[..., 0]
    direction = coefficients[..., 1:] / coefficients[..., :1].clamp(min=1e-4)
    even = 1 - (direction * centre[..., 0, :]).sum(dim=-1, keepdim=True)
    return torch.cat([even, direction], dim=-1)


def evaluate_light(light: Float[Tensor, "*n 4"], normals: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    """Light at each normal relative to its mean over the mask, kept within believable limits.

    Args:
        light: (4,) for all normals, or for each.
        normals: Unit.
    """
    return (light[..., 0] + (normals * light[..., 1:]).sum(dim=1)).clamp(_DARKEST, _BRIGHTEST)


def bent_normals(
    normals: Float[Tensor, "n 3"], tangents: Float[Tensor, "n 2 3"], slope: Float[Tensor, "n 2"]
) -> Float[Tensor, "n 3"]:
    """Unit normals of cloth whose relief rises by `slope`.

    Args:
        normals: Unit, of the cloth without its relief.
        tangents: Where u and v grow, mm per mm.
        slope: Derivative of the height by u and v, mm per mm.
    """
    per_mm = tangents / (tangents**2).sum(dim=2, keepdim=True).clamp(min=0.25)
    return F.normalize(normals - (slope[..., None] * per_mm).sum(dim=1), dim=1)


def white_level(brightness: Float[Tensor, "*b n"]) -> Float[Tensor, "*b"]:
    """Linear luminance that white cloth is given under a photo's mean light.

    Cloth must be neither brighter than the brightest things around it nor as dark as an underexposed
    cheek: the 98th percentile of the crop's luminance, between 0.35 and 0.85.
    """
    return _percentile(brightness, 0.98).clamp(0.35, 0.85)


def photo_tint(linear: Float[Tensor, "*b n 3"]) -> Float[Tensor, "*b 3"]:
    """Colour of the light, read off what is nearly white in a photo.

    Skin itself does not tell the light: people differ more than lamps do.

    Args:
        linear: All pixels of the photo, linear light.

    Returns:
        Factor of each channel, of mean luminance one.
    """
    bright, ratio = luminance(linear), _chroma(linear)
    near = (ratio.abs() <= torch.tensor(_NEAR_WHITE).to(ratio)).all(dim=-1)
    white = near & (bright > _BRIGHT_SHARE * _percentile(bright, 0.98)[..., None])
    count = white.sum(dim=-1, keepdim=True)
    trust = count / (count + _PRIOR_SHARE * white.shape[-1])
    median = torch.where(white[..., None], ratio, torch.nan).nanmedian(dim=-2).values.nan_to_num()
    away = (median * trust).exp()
    tint = torch.stack([away[..., 0], torch.ones_like(away[..., 0]), away[..., 1]], dim=-1)
    return (tint / luminance(tint)[..., None]).float()


def colours_kept(linear: Float[Tensor, "*b n 3"], covered: Bool[Tensor, "*b n"] | None = None) -> Tensor:
    """How much of its colours the skin under a mask keeps, in [0, 1].

    0 for a grey photo, whose mask must be grey too.

    Args:
        linear: Linear light of covered skin, or of all pixels.
        covered: Which are; None where all of them are.

    Returns:
        (*b), 1 where nothing is covered that is not black.
    """
    seen = luminance(linear) > 0.02
    chroma = torch.where(
        seen if covered is None else seen & covered, _chroma(linear).abs().sum(-1), torch.nan
    )
    share = (chroma.nanmedian(dim=-1).values - _NO_COLOUR) / (_FULL_COLOUR - _NO_COLOUR)
    return share.nan_to_num(1.0).clamp(0, 1)


def _chroma(linear: Tensor) -> Tensor:
    """(*b, N, 2) log(R/G) and log(B/G)."""
    logs = linear.clamp(min=1e-3).log()
    return logs[..., [0, 2]] - logs[..., 1:2]


def _percentile(values: Tensor, share: float) -> Tensor:
    """The value along the last axis that a share of all values does not exceed."""
    return values.kthvalue(max(1, round(share * values.shape[-1])), dim=-1).values
