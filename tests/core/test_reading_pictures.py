"""Reading pictures: every kind is read as upright 8-bit sRGB, every broken one as one sentence."""

import io
import os
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from advmask.core.errors import PhotoError
from advmask.core.picture_reading import read_picture


def pixels(path: Path) -> np.ndarray:
    image = read_picture(path)
    assert image.mode == "RGB"
    assert type(image) is Image.Image
    return np.asarray(image)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


# Profiles are made by hand, so that what they should do is known from the standard (ICC.1:2001) alone.


def s15(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + bytes(4) + s15(x) + s15(y) + s15(z)


LINEAR = b"curv" + bytes(4) + struct.pack(">I", 0)
RED, GREEN, BLUE = (0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141)


def icc(space: bytes, kind: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"made for a test\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67),
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        **tags,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"test", 0x02400000, kind, space, pcs)
    header += (
        struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + s15(0.9642) + s15(1) + s15(0.8249)
    )
    return header.ljust(128, b"\0") + table + body


def linear_rgb(first: tuple[float, ...] = RED, third: tuple[float, ...] = BLUE) -> bytes:
    columns = {b"rXYZ": xyz(*first), b"gXYZ": xyz(*GREEN), b"bXYZ": xyz(*third)}
    return icc(b"RGB ", b"mntr", b"XYZ ", {**columns, b"rTRC": LINEAR, b"gTRC": LINEAR, b"bTRC": LINEAR})


def grey_cmyk() -> bytes:
    """A press whose every ink is grey: L* = 100 less 20 for each of C, M, Y and 40 for K."""
    grid = [100 - 20 * (c + m + y) - 40 * k for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    lut = b"".join(bytes([round(lightness * 2.55), 128, 128]) for lightness in grid)
    identity = b"".join(s15(value) for value in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    ramp = bytes(range(256))
    a2b = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + lut + ramp * 3
    return icc(b"CMYK", b"prtr", b"Lab ", {b"A2B0": a2b, b"A2B1": a2b})


def srgb_encoded(linear: float) -> float:
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return 255 * value


def grey_of_lightness(lightness: float) -> float:
    t = (lightness + 16) / 116
    return srgb_encoded(t**3 if t > 6 / 29 else 3 * (6 / 29) ** 2 * (t - 4 / 29))


def test_lossless_rgb_is_returned_unchanged(tmp_path: Path) -> None:
    truth = noise(5, 7, 3)
    for suffix in ("png", "bmp", "tif"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(truth).save(path)
        np.testing.assert_array_equal(pixels(path), truth)


def test_the_ending_does_not_decide(tmp_path: Path) -> None:
    truth = noise(5, 7, 3)
    path = tmp_path / "really_png.jpg"
    Image.fromarray(truth).save(path, format="PNG")
    np.testing.assert_array_equal(pixels(path), truth)


# Where the tag says the stored first row and first column lie (Exif 2.3, 4.6.4 A): stored -> seen.
SEEN = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", SEEN)
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
def test_exif_orientation_is_applied_once(tmp_path: Path, orientation: int, suffix: str) -> None:
    stored = np.zeros((24, 40, 3), np.uint8)
    stored[:8, :8] = 255  # one white corner tells all eight apart, by the shape for the transposed ones
    stored[:8, 16:24] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(stored).save(path, exif=exif, **({"lossless": True} if suffix == "webp" else {}))
    seen = read_picture(path)
    difference = np.asarray(seen).astype(int) - SEEN[orientation](stored)
    assert np.median(np.abs(difference)) == 0
    assert np.abs(difference).mean() < 8  # JPEG rings at the corners
    assert not seen.getexif()


def test_unknown_orientation_and_broken_exif_are_passed_over(tmp_path: Path) -> None:
    truth = noise(5, 7, 3)
    exif = Image.Exif()
    exif[0x0112] = 77
    Image.fromarray(truth).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(truth).save(tmp_path / "b.png", exif=b"Exif\0\0MM\0*\0\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), truth)
    np.testing.assert_array_equal(pixels(tmp_path / "b.png"), truth)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L", "PA"])
def test_transparency_becomes_mid_grey(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tif" if mode == "PA" else "a.png")
    image = Image.new("RGBA", (4, 2), (200, 200, 200, 255))
    image.paste((10, 10, 10, 0), (0, 0, 2, 2))
    if mode in ("RGBA", "LA"):
        image.convert(mode).save(path)
    elif mode == "PA":
        indexed = image.convert("L").convert("PA")
        indexed.putalpha(image.getchannel("A"))
        indexed.save(path)
    elif mode == "P":
        indices = Image.fromarray(np.array([[0, 0, 1, 1]] * 2, np.uint8))
        indices.putpalette([10, 10, 10, 200, 200, 200])
        indices.save(path, transparency=bytes([0, 255]))
    else:
        clear = 10 if mode == "L" else (10, 10, 10)
        image.convert("RGB").convert(mode).save(path, transparency=clear)
    seen = pixels(path)
    assert (seen[:, :2] == 128).all()
    assert (seen[:, 2:] == 200).all()


def test_half_transparent_is_half_way(tmp_path: Path) -> None:
    Image.new("RGBA", (1, 1), (228, 28, 128, 128)).save(tmp_path / "a.png")
    np.testing.assert_allclose(pixels(tmp_path / "a.png")[0, 0], [178, 78, 128], atol=1)


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 128, 257, 32768, 65278, 65535]], np.uint16)
    for suffix in ("png", "tif"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(values).save(path)
        expected = np.rint(values / 257)
        np.testing.assert_allclose(pixels(path)[..., 0], expected, atol=0.5)
        assert (np.ptp(pixels(path), axis=2) == 0).all()


def test_sixteen_bit_rgb_is_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.array([[[0, 32768, 65535], [1000, 40000, 257]]], ">u2")
    raw = b"".join(b"\0" + row.tobytes() for row in values)
    path = tmp_path / "a.png"
    path.write_bytes(png_of(raw, width=2, height=1, depth=16, colour=2))
    np.testing.assert_allclose(pixels(path), values / 257, atol=1)


def png_of(raw: bytes, *, width: int, height: int, depth: int, colour: int) -> bytes:
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


def test_floating_point_is_read_as_zero_to_one(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)).save(tmp_path / "a.tif")
    np.testing.assert_allclose(pixels(tmp_path / "a.tif")[0, :, 0], [0, 127.5, 255], atol=0.6)
    Image.fromarray(np.array([[0.0, 700.0]], np.float32)).save(tmp_path / "b.tif")
    with pytest.raises(PhotoError, match="agreed brightness"):
        read_picture(tmp_path / "b.tif")


def test_one_bit_and_animated(tmp_path: Path) -> None:
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels(tmp_path / "a.png")[0, :, 0], [255, 0])
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (pixels(tmp_path / "a.gif") == [255, 0, 0]).all()


def test_second_picture_of_a_phone_is_passed_over(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ((250, 0, 0), (0, 0, 250))]
    frames[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(pixels(tmp_path / "a.jpg")[8, 8], [250, 0, 0], atol=4)


def test_lab(tmp_path: Path) -> None:
    lab = Image.merge("LAB", [Image.new("L", (2, 2), value) for value in (round(2.55 * 50), 128, 128)])
    lab.save(tmp_path / "a.tif")
    np.testing.assert_allclose(pixels(tmp_path / "a.tif"), grey_of_lightness(50), atol=2)


def test_cmyk_without_a_profile(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.jpg", quality=100)
    np.testing.assert_allclose(pixels(tmp_path / "a.jpg")[4, 4], [0, 255, 255], atol=3)


@pytest.mark.parametrize("ink", [(0, 0, 0, 0), (255, 0, 0, 0), (255, 0, 255, 0), (0, 0, 0, 255)])
def test_cmyk_follows_its_profile(tmp_path: Path, ink: tuple[int, ...]) -> None:
    Image.new("CMYK", (8, 8), ink).save(tmp_path / "a.tif", icc_profile=grey_cmyk())
    lightness = 100 - (20 * sum(ink[:3]) + 40 * ink[3]) / 255
    # Black point compensation maps the press's black, L* = 0, to itself: nothing else is to be expected.
    np.testing.assert_allclose(pixels(tmp_path / "a.tif"), grey_of_lightness(lightness), atol=3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_rgb_profile_is_converted_to_srgb(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    Image.new("RGB", (8, 8), (128, 128, 128)).save(path, icc_profile=linear_rgb(), **options)
    np.testing.assert_allclose(pixels(path), srgb_encoded(128 / 255), atol=2)
    assert "icc_profile" not in read_picture(path).info


def test_profile_is_followed_under_transparency_and_palette(tmp_path: Path) -> None:
    swapped = linear_rgb(first=BLUE, third=RED)  # what is stored as red is blue light
    Image.new("RGBA", (2, 1), (255, 0, 0, 255)).save(tmp_path / "a.png", icc_profile=swapped)
    np.testing.assert_allclose(pixels(tmp_path / "a.png")[0, 0], [0, 0, 255], atol=3)
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([255, 0, 0])
    palette.save(tmp_path / "b.png", icc_profile=swapped)
    np.testing.assert_allclose(pixels(tmp_path / "b.png")[0, 0], [0, 0, 255], atol=3)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_profile(tmp_path: Path, mode: str) -> None:
    profile = icc(b"GRAY", b"mntr", b"XYZ ", {b"kTRC": LINEAR})
    Image.new("L", (2, 2), 128).convert(mode).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_allclose(pixels(tmp_path / "a.png"), srgb_encoded(128 / 255), atol=2)


def test_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    truth = noise(9, 9, 3)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(truth).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), truth)


@pytest.mark.parametrize(
    "profile", [b"rubbish", linear_rgb()[:300], grey_cmyk()], ids=["rubbish", "cut", "misfit"]
)
def test_unusable_profile_is_passed_over(tmp_path: Path, profile: bytes) -> None:
    truth = noise(9, 9, 3)
    Image.fromarray(truth).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), truth)


def jpeg_bytes(side: int = 64) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(side, side, 3)).save(stream, "JPEG")
    return stream.getvalue()


def check_sentence(error: PhotoError, path: Path) -> None:
    text = str(error)
    assert str(path) in text
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is empty"),
        (b"this is a text file, whatever it is called", "is not a JPEG"),
        (jpeg_bytes()[:600], "cut short"),
        (jpeg_bytes()[:2000], "cut short"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a JPEG"),
    ],
    ids=["empty", "text", "header only", "half", "postscript"],
)
def test_bad_content(tmp_path: Path, content: bytes, match: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=match) as caught:
        read_picture(path)
    check_sentence(caught.value, path)


def test_missing_folder_and_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "gone")
    cases = {
        tmp_path / "none.jpg": "no file",
        tmp_path / "dangling.jpg": "no file",
        tmp_path: "is a folder",
        tmp_path / "pipe.jpg": "not a regular file",
        tmp_path / ("x" * 300): "Cannot open",
    }
    for path, match in cases.items():
        with pytest.raises(PhotoError, match=match) as caught:
            read_picture(path)
        check_sentence(caught.value, path)


def test_forbidden_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_bytes())
    path.chmod(0)
    if os.geteuid() == 0:  # root may read anything, so the refusal is played

        def refuse(self: Path, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PhotoError, match="may not read") as caught:
        read_picture(path)
    check_sentence(caught.value, path)


def test_size_is_checked_before_decoding(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png_of(b"", width=60_000, height=60_000, depth=8, colour=2))
    with pytest.raises(PhotoError, match="more than 200,000,000 pixels") as caught:
        read_picture(bomb)
    check_sentence(caught.value, bomb)
    path = tmp_path / "a.png"
    Image.new("RGB", (10, 10)).save(path)
    assert read_picture(path, max_pixels=100).size == (10, 10)
    for limit in (99, 60, 20):  # Pillow itself warns from once and raises from twice the limit
        with pytest.raises(PhotoError, match=f"more than {limit} pixels"):
            read_picture(path, max_pixels=limit)


def test_pillow_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 123)
    before = list(warnings.filters)
    path = tmp_path / "a.png"
    Image.new("RGB", (20, 20)).save(path)
    assert read_picture(path).size == (20, 20)
    with pytest.raises(PhotoError):
        read_picture(path, max_pixels=50)
    assert Image.MAX_IMAGE_PIXELS == 123
    assert list(warnings.filters) == before


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"]))
def test_damage_gives_a_picture_or_a_sentence(tmp_path: Path, data: st.DataObject, kind: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(noise(16, 12, 3)).save(stream, kind, icc_profile=linear_rgb())
    content = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        assert read_picture(path, max_pixels=1_000_000).mode == "RGB"
    except PhotoError as error:
        check_sentence(error, path)


@pytest.mark.parametrize("orientation", [1, 6])
def test_heic_is_read_upright(tmp_path: Path, orientation: int) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    picture = Image.new("RGB", (64, 48), (200, 30, 30))
    picture.paste((30, 30, 200), (0, 0, 32, 24))
    exif = Image.Exif()
    exif[0x0112] = orientation
    pillow_heif.from_pillow(picture).save(tmp_path / "a.jpg", quality=95, exif=exif.tobytes())
    known = set(Image.OPEN)
    read = read_picture(tmp_path / "a.jpg")
    assert set(Image.OPEN) == known
    upright = picture if orientation == 1 else picture.transpose(Image.Transpose.ROTATE_270)
    assert read.size == upright.size
    assert np.abs(np.asarray(read).astype(int) - np.asarray(upright)).mean() < 6


def test_heic_without_its_package_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    with pytest.raises(PhotoError, match=r"IMG_1\.HEIC is damaged or cut short"):
        read_picture(tmp_path / "IMG_1.HEIC")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PhotoError, match="is a HEIC picture; to read these, run: pip install pillow-heif"):
        read_picture(tmp_path / "IMG_1.HEIC")


def test_avif(tmp_path: Path) -> None:
    if not features.check("avif"):
        (tmp_path / "a.avif").write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0avifmif1" + bytes(64))
        with pytest.raises(PhotoError, match="AVIF picture, which this Pillow cannot read"):
            read_picture(tmp_path / "a.avif")
        return
    Image.new("RGB", (32, 16), (200, 30, 30)).save(tmp_path / "a.avif", quality=95)
    assert np.abs(np.asarray(read_picture(tmp_path / "a.avif"))[4, 4] - np.array([200, 30, 30])).max() < 9
