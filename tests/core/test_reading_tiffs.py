"""TIFF as scanners and picture editors write it: read correctly, or refused as what it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from advmask.applying.picture_files import open_picture
from advmask.core.errors import PhotoError
from advmask.core.picture_reading import read_picture
from advmask.core.tiff_reading import open_tiff

RGB = np.random.default_rng(3).integers(0, 256, (40, 56, 3), dtype=np.uint8)
GREY = RGB[..., 0]
DEEP, DEEP_GREY = (values.astype(np.uint16) * 257 for values in (RGB, GREY))
FULL = np.full((40, 56, 1), 65535, dtype=np.uint16)


def planes(values: np.ndarray) -> np.ndarray:
    return np.moveaxis(values, -1, 0)


SEPARATE = {"photometric": "rgb", "planarconfig": "separate"}
CASES: dict[str, tuple[np.ndarray, dict[str, Any], np.ndarray]] = {
    "planar": (planes(DEEP), SEPARATE, RGB),
    "planar, with transparency": (
        planes(np.dstack([DEEP, FULL])), {**SEPARATE, "extrasamples": ["unassalpha"]}, RGB
    ),
    "planar, with a channel for something else": (
        planes(np.dstack([DEEP, FULL // 3])), {**SEPARATE, "extrasamples": ["unspecified"]}, RGB
    ),
    "planar in floating point": (planes((RGB / 255).astype(np.float32)), SEPARATE, RGB),
    "8 bits planar": (planes(RGB), SEPARATE, RGB),
    "pixel by pixel": (DEEP, {"photometric": "rgb"}, RGB),
    "white is zero": (65535 - DEEP_GREY, {"photometric": "miniswhite"}, np.dstack([GREY] * 3)),
    "white is zero in 8 bits": (255 - GREY, {"photometric": "miniswhite"}, np.dstack([GREY] * 3)),
    "white is zero in floating point": (
        (1 - GREY / 255).astype(np.float32), {"photometric": "miniswhite"}, np.dstack([GREY] * 3)
    ),
    "floating point": ((RGB / 255).astype(np.float32), {"photometric": "rgb"}, RGB),
    "half precision": ((RGB / 255).astype(np.float16), {"photometric": "rgb"}, RGB),
    "double precision": (RGB / 255, {"photometric": "rgb"}, RGB),
    "32 bits": (RGB.astype(np.uint32) * 16843009, {"photometric": "rgb"}, RGB),
    "pages": (np.stack([planes(DEEP)] * 3), SEPARATE, RGB),
}  # fmt: skip


@pytest.mark.parametrize("layout", [{}, {"rowsperstrip": 7}, {"tile": (16, 32)}, {"compression": "zlib"}])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", CASES)
def test_layouts(tmp_path: Path, name: str, order: str, layout: dict[str, Any]) -> None:
    values, options, expected = CASES[name]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, byteorder=order, **options, **layout)
    assert np.abs(np.asarray(read_picture(path)).astype(int) - expected).max() <= 1
    opened = open_picture(path)
    assert np.abs(opened.values[..., :3].astype(int) - expected).max() <= 1
    assert (opened.notice is None) == (values.dtype == np.uint8)
    assert opened.frames == (3 if name == "pages" else 1)


def test_planes_that_only_pillow_decompresses_are_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    values, options, _ = CASES["planar, with a channel for something else"]
    tifffile.imwrite(path, values, compression="zlib", **options)
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags["Compression"].overwrite(5)  # LZW
    with path.open("rb") as stream:
        assert open_tiff(stream).format == "TIFF"


def test_orientation_and_compressed_negatives(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes(DEEP), **SEPARATE, extratags=[(274, 3, 1, 6, True)])
    assert np.array_equal(np.asarray(read_picture(path)), np.rot90(RGB, -1))
    Image.fromarray(65535 - DEEP_GREY).save(path, compression="tiff_lzw", tiffinfo={262: 0})
    assert np.array_equal(np.asarray(read_picture(path))[..., 0], GREY)


def test_what_is_not_read_is_called_a_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, DEEP, photometric="cielab")
    with pytest.raises(PhotoError, match=r"a\.tif is a TIFF of a kind that is not read here \(3 channels"):
        read_picture(path)
    tifffile.imwrite(path, RGB.astype(np.float32) * 9, photometric="rgb")
    with pytest.raises(PhotoError, match="no agreed brightness"):
        read_picture(path)
    path.write_bytes(b"II*\0" + bytes(30))
    with pytest.raises(PhotoError, match="TIFF"):
        read_picture(path)
    tifffile.imwrite(path, planes(DEEP), **SEPARATE)
    with pytest.raises(PhotoError, match="more than 1,000 pixels"):
        read_picture(path, max_pixels=1000)


@pytest.mark.parametrize("name", ["planar", "white is zero", "32 bits", "floating point"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_cut_tiff_is_not_read_as_black(tmp_path: Path, name: str, compression: str | None) -> None:
    values, options, _ = CASES[name]
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, values, compression=compression, **options)
    content = path.read_bytes()
    path.write_bytes(content[: 3 * len(content) // 4])
    with pytest.raises(PhotoError, match=r"cut\.tif .*(end is missing|damaged|cut off|cannot be read)"):
        read_picture(path)


def test_a_small_file_that_claims_to_be_a_large_picture_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "claims.tif"
    tifffile.imwrite(path, DEEP_GREY, photometric="miniswhite")
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags["ImageLength"].overwrite(1_000_000, dtype="I")
    with pytest.raises(PhotoError, match="end is missing"):
        read_picture(path)
