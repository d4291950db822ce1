"""A printer by its ICC profile."""

import io
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from numpy.typing import NDArray
from PIL import Image, ImageCms

from advmask.colour.srgb import linear_from_srgb
from advmask.core.errors import ConfigError
from advmask.printers.colour_table import ColourTable
from advmask.printers.settings import Intent

_INTENTS = {
    "perceptual": ImageCms.Intent.PERCEPTUAL,
    "relative": ImageCms.Intent.RELATIVE_COLORIMETRIC,
    "saturation": ImageCms.Intent.SATURATION,
    "absolute": ImageCms.Intent.ABSOLUTE_COLORIMETRIC,
}
_MODES = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}
_CLASSES = ("prtr", "mntr")  # printers and displays
_FINER = 4


def bake_profile(path: Path, intent: Intent = "relative", steps: int = 17) -> ColourTable:
    """The table of a printer from its ICC profile: what a colour-managed print job looks like.

    Colours go from sRGB to the printer by `intent` and back by absolute colorimetry, so that the paper's
    white is its own and not perfect. Pillow gives 8 bits only, so a grid four times as fine is asked for and
    the nodes are fitted to it by least squares; a fit is also nearer between the nodes.

    Args:
        path: An ICC profile of a printer (RGB, CMYK or grey), or of a display.
        intent: Rendering intent of the print job. With `relative` the black point is compensated.
        steps: Nodes along each axis.

    Raises:
        ConfigError: The file is missing, is not an ICC profile, or not one that can be printed with.
    """
    fine = _FINER * (steps - 1) + 1
    levels = np.linspace(0, 255, fine).round().astype(np.uint8)
    asked = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(fine, -1, 3)
    proof = np.asarray(soft_proof(Image.fromarray(asked), path, intent)).reshape(fine, fine, fine, 3)
    linear = linear_from_srgb(torch.from_numpy(proof.astype(np.float64) / 255)).numpy()
    fit = np.linalg.pinv(_tents(levels, steps))
    nodes = np.einsum("ar,bg,cd,rgdk->abck", fit, fit, fit, linear, optimize=True)
    return ColourTable(torch.from_numpy(np.ascontiguousarray(nodes, dtype=np.float32)))


def soft_proof(picture: Image.Image, path: Path, intent: Intent = "relative") -> Image.Image:
    """Show a picture as printed, paper white included, through Little CMS; arguments as in `bake_profile`.

    Args:
        picture: RGB, sRGB.
        path: An ICC profile.
        intent: Rendering intent of the print job.

    Raises:
        ConfigError: As in `bake_profile`.
    """
    profile = _opened(path)
    srgb = ImageCms.createProfile("sRGB")
    exact = ImageCms.Flags.NOOPTIMIZE
    compensated = ImageCms.Flags.NONE if intent == "absolute" else ImageCms.Flags.BLACKPOINTCOMPENSATION
    mode = _MODES[_space(profile)]
    try:
        # Not by one proof transform, in which Little CMS lets matrix profiles print beyond their gamut.
        printed = ImageCms.profileToProfile(
            picture, srgb, profile, _INTENTS[intent], outputMode=mode, flags=exact | compensated
        )
        assert printed is not None
        seen = ImageCms.profileToProfile(
            printed, profile, srgb, _INTENTS["absolute"], outputMode="RGB", flags=exact
        )
    except ImageCms.PyCMSError as error:
        raise ConfigError(
            f"The ICC profile {path} cannot be printed with by intent {intent} ({error}): it lacks the "
            "tables from colours to inks or back. Choose another intent, or another profile."
        ) from error
    assert seen is not None
    return seen


def _opened(path: Path) -> ImageCms.ImageCmsProfile:
    if not path.is_file():
        raise ConfigError(f"There is no ICC profile {path}; give the .icc file of the printer and paper.")
    try:
        # Read here, for Little CMS opens no path with characters beyond the code page on some systems.
        content = path.read_bytes()
        check_whole(path, content)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        kind = str(profile.profile.device_class).strip()
        space = _space(profile)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise ConfigError(
            f"{path} is not a readable ICC profile ({error}); give the .icc file of the printer and paper."
        ) from error
    if kind not in _CLASSES or space not in _MODES:
        raise ConfigError(
            f"The ICC profile {path} is of the class {kind!r} for {space} colours, with which nothing can be "
            "printed; give one of a printer (class 'prtr') for RGB, CMYK or grey."
        )
    return profile


def check_whole(path: Path, content: bytes) -> None:
    """Refuse a profile that is shorter than it says itself; Little CMS finds only the tables that lie behind.

    Raises:
        ConfigError: It is cut off.

    Source:
        ICC.1:2022, 7.2: the header is 128 bytes, begins with the profile's size, and has `acsp` at 36.
    """
    size = int.from_bytes(content[:4], "big")
    if content[36:40] == b"acsp" and len(content) < size:
        raise ConfigError(
            f"{path} is not a readable ICC profile: it is cut off, with {len(content):,} of {size:,} bytes; "
            "copy it again."
        )


def _space(profile: ImageCms.ImageCmsProfile) -> str:
    return str(profile.profile.xcolor_space).strip()


def _tents(levels: UInt8[NDArray[np.uint8], " fine"], steps: int) -> Float64[NDArray[np.float64], "fine n"]:
    """How much each node counts at each level, by linear interpolation."""
    places = levels.astype(np.float64) / 255 * (steps - 1)
    weights: Float64[NDArray[np.float64], "fine n"] = np.clip(
        1 - np.abs(places[:, None] - np.arange(steps)), 0, None
    )
    return weights
