"""Baked ICC profiles against Little CMS and arithmetic, and profiles nothing can be printed with."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_profiles import PAPER, cmyk, grey, matrix_rgb
from PIL import Image, ImageCms
from torch import Tensor

from advmask.colour.srgb import srgb_from_linear
from advmask.core.errors import ConfigError
from advmask.printers.icc import bake_profile
from advmask.printers.printer import Printer
from advmask.printers.settings import Intent, PrinterSettings
from advmask.printing.mask_png import read_profile

KINDS = {"rgb": matrix_rgb(), "cmyk": cmyk(), "grey": grey()}


@pytest.fixture
def profile(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "printer and paper ü.icc"
    path.write_bytes(request.param if isinstance(request.param, bytes) else KINDS[request.param])
    return path


def through_little_cms(pixels: np.ndarray, path: Path, intent: Intent) -> np.ndarray:
    """Its own soft proof, or, since that does not clip with a matrix profile, two plain transforms."""
    srgb, printer = ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(str(path))
    picture = Image.fromarray(pixels)
    wanted = {"perceptual": 0, "relative": 1, "saturation": 2, "absolute": 3}[intent]
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION if intent != "absolute" else ImageCms.Flags.NONE
    if printer.profile.xcolor_space.strip() == "CMYK":
        flags |= ImageCms.Flags.SOFTPROOFING
        proof = ImageCms.buildProofTransform(srgb, srgb, printer, "RGB", "RGB", wanted, 3, flags)
        return np.asarray(ImageCms.applyTransform(picture, proof))
    mode = {"RGB": "RGB", "GRAY": "L"}[printer.profile.xcolor_space.strip()]
    printed = ImageCms.profileToProfile(picture, srgb, printer, wanted, outputMode=mode, flags=flags)
    return np.asarray(ImageCms.profileToProfile(printed, printer, srgb, 3, outputMode="RGB"))


def as_srgb(linear: Tensor) -> np.ndarray:
    return srgb_from_linear(linear.clamp(0, 1)).numpy()


@pytest.mark.parametrize("intent", ["perceptual", "relative", "saturation", "absolute"])
@pytest.mark.parametrize("profile", KINDS, indirect=True)
def test_a_table_agrees_with_little_cms(profile: Path, intent: Intent) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    wanted = through_little_cms(pixels, profile, intent) / 255
    printer = Printer(PrinterSettings(profile=profile, intent=intent), texels_per_mm=3)
    found = as_srgb(printer.colours(torch.from_numpy(pixels) / 255))
    assert np.abs(found - wanted).mean() < 0.005
    assert np.quantile(np.abs(found - wanted), 0.99) < 0.04


@pytest.mark.parametrize("profile", ["rgb", "cmyk", "grey"], indirect=True)
def test_white_is_the_paper_and_not_perfect(profile: Path) -> None:
    table = bake_profile(profile, "relative")
    np.testing.assert_allclose(table.nodes[-1, -1, -1].numpy(), PAPER, atol=0.02)


@pytest.mark.parametrize("profile", [matrix_rgb(shrink=0.0)], indirect=True)
def test_colours_in_the_gamut_are_met_relative_to_the_paper(profile: Path) -> None:
    printer = Printer(PrinterSettings(profile=profile), texels_per_mm=3)
    pixels = torch.rand(500, 3)
    wanted = Printer(PrinterSettings(), texels_per_mm=3).colours(pixels)
    # Paper scales XYZ; its colour here is nearly neutral, so that linear RGB is scaled nearly alike.
    assert float((printer.colours(pixels) / torch.tensor(PAPER) - wanted).abs().mean()) < 0.02


def test_the_profile_of_srgb_prints_what_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "srgb.icc"
    path.write_bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    pixels = torch.rand(1000, 3)
    printer = Printer(PrinterSettings(profile=path), texels_per_mm=3)
    assert np.abs(as_srgb(printer.colours(pixels)) - pixels.numpy()).mean() < 0.002


@pytest.mark.parametrize("profile", ["grey"], indirect=True)
def test_a_grey_printer_prints_grey(profile: Path) -> None:
    relative = bake_profile(profile).nodes / torch.tensor(PAPER, dtype=torch.float32)
    assert float((relative.amax(dim=3) - relative.amin(dim=3)).max()) < 0.03
    ramp = relative[range(17), range(17), range(17), 1]
    assert bool((torch.diff(ramp) > -1e-4).all())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no ICC profile"),
        (b"", "not a readable"),
        (b"not a profile" * 50, "not a readable"),
        (cmyk()[:3000], "not a readable|cannot be printed"),
        (cmyk(back=False), "cannot be printed"),
        (matrix_rgb(kind=b"abst"), "class 'abst'"),
        (matrix_rgb(kind=b"link"), "class 'link'"),
        (matrix_rgb(kind=b"scnr"), "class 'scnr'"),
    ],
    ids=["missing", "empty", "text", "cut", "no way back", "abstract", "link", "scanner"],
)
def test_a_profile_that_cannot_serve_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "odd.icc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=reason) as caught:
        Printer(PrinterSettings(profile=path), texels_per_mm=3)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [130, 300, 500])
def test_a_profile_that_is_cut_off_is_called_so(tmp_path: Path, kept: int) -> None:
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (tmp_path / "cut.icc").write_bytes(whole[:kept])
    for reader in (bake_profile, read_profile):
        with pytest.raises(ConfigError, match=rf"cut off, with {kept} of {len(whole)} bytes; copy it"):
            reader(tmp_path / "cut.icc")
