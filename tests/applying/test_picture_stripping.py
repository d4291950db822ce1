"""Copies of pictures: the same pixels, and nothing of place, time, camera, previews or comments."""

import io
import struct
import warnings
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from advmask.applying.apply_to_picture import apply_to_picture
from advmask.applying.face_finding import FaceFinder
from advmask.applying.mask_drawing import WornDesign
from advmask.applying.picture_stripping import without_metadata
from advmask.core.picture_reading import read_picture

SECRET = b"Here lived Ada 51.5074N"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(mode: str = "RGB") -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(1).integers(0, 256, (40, 56, bands), dtype=np.uint8)
    return Image.fromarray(values.squeeze(), mode)


def exif(orientation: int = 1) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = SECRET.decode()
    block[0x0132] = "2024:05:06 07:08:09"
    block.get_ifd(0x8825)[2] = (51.0, 30.0, 26.0)
    block.get_ifd(0x8769)[0x927C] = SECRET
    return block


def texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    info.add(b"tIME", struct.pack(">HBBBBB", 2024, 5, 6, 7, 8, 9))
    return info


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def spliced(png: bytes, name: bytes, body: bytes) -> bytes:
    chunk = name + body
    return png[:33] + struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[33:]


@cache
def cases() -> dict[str, bytes]:
    rgb, every = noise(), {"icc_profile": PROFILE}
    xmp = SECRET
    jpeg = saved(rgb, "JPEG", exif=exif(6), comment=SECRET, xmp=xmp, **every)
    tags = {270: SECRET.decode(), 305: SECRET.decode(), 315: SECRET.decode(), 700: xmp}
    thumbs = saved(rgb, "JPEG")[:18] + bytes((1, 1)) + b"Ada" + saved(rgb, "JPEG")[20:]
    return {
        "jpeg": jpeg,
        "jpeg progressive": saved(rgb, "JPEG", exif=exif(3), progressive=True, comment=SECRET),
        "jpeg with a trailer": jpeg + SECRET + bytes(9),
        "jpeg with photoshop": jpeg[:2] + b"\xff\xed" + struct.pack(">H", 25) + SECRET[:23] + jpeg[2:],
        "jpeg with a thumbnail": thumbs[:4] + struct.pack(">H", 19) + thumbs[6:],
        "jpeg cmyk": saved(noise("CMYK"), "JPEG", exif=exif(8)),
        "jpeg with restarts": saved(rgb, "JPEG", exif=exif(), restart_marker_rows=1),
        "mpo": saved(rgb, "MPO", save_all=True, append_images=[noise()], exif=exif(5)),
        "png": saved(rgb, "PNG", exif=exif(6), pnginfo=texts(), **every),
        "png with alpha": saved(noise("RGBA"), "PNG", exif=exif(), pnginfo=texts()),
        "png palette": saved(rgb.quantize(9), "PNG", pnginfo=texts(), transparency=3),
        "png with a private chunk": spliced(saved(rgb, "PNG"), b"prVt", SECRET),
        "png with a trailer": saved(rgb, "PNG") + SECRET,
        "webp": saved(rgb, "WEBP", lossless=True, exif=exif(8), xmp=xmp, **every),
        "webp with alpha": saved(noise("RGBA"), "WEBP", exif=exif(), xmp=xmp),
        "tiff": saved(rgb, "TIFF", exif=exif(6), tiffinfo=tags, **every),
        "tiff lzw": saved(noise("RGBA"), "TIFF", compression="tiff_lzw", tiffinfo=tags),
        "tiff big": saved(rgb, "TIFF", big_tiff=True, tiffinfo=tags),
        "tiff jpeg": saved(rgb, "TIFF", compression="jpeg", tiffinfo=tags),
        "tiff pages": saved(rgb, "TIFF", save_all=True, append_images=[noise("L")], tiffinfo=tags),
        "tiff 16": sixteen(),
        "tiff motorola": motorola(),
    }


def sixteen() -> bytes:
    stream = io.BytesIO()
    values = np.arange(40 * 56 * 3, dtype=np.uint16).reshape(40, 56, 3)
    tifffile.imwrite(stream, values, photometric="rgb", description=SECRET.decode(), software=SECRET.decode())
    return stream.getvalue()


def motorola() -> bytes:
    stream = io.BytesIO()
    values = np.asarray(noise())
    tifffile.imwrite(
        stream, values, byteorder=">", photometric="rgb", tile=(16, 16), software=SECRET.decode()
    )
    return stream.getvalue()


@pytest.mark.parametrize("name", cases())
def test_the_same_pixels_and_nothing_else(tmp_path: Path, name: str) -> None:
    content = cases()[name]
    result = without_metadata(content)
    assert result is not None
    assert SECRET[:12] not in result
    assert b"2024:05" not in result
    assert len(result) <= len(content)
    if "tiff" not in name:
        assert b"Ada" not in result
    for file, data in (("before", content), ("after", result)):
        (tmp_path / file).write_bytes(data)
    before, after = (np.asarray(read_picture(tmp_path / file)) for file in ("before", "after"))
    assert np.array_equal(before, after), "the same pixels, turned alike, in the same colours"
    with Image.open(io.BytesIO(content)) as old, Image.open(io.BytesIO(result)) as new:
        assert new.info.get("icc_profile") == old.info.get("icc_profile")
        if "jpeg" not in name:  # where a JPEG tells none, Pillow makes one up of its EXIF block
            assert new.info.get("dpi") == old.info.get("dpi")
        assert set(new.getexif()) <= ({0x0112} if "tiff" not in name else set(new.tag_v2))
        assert not new.getexif().get_ifd(0x8825)
        if name != "mpo":
            assert getattr(new, "n_frames", 1) == getattr(old, "n_frames", 1)
    assert without_metadata(result) == result


def test_animations_keep_their_frames() -> None:
    frames = [noise(), noise().rotate(90).resize((56, 40)), noise().rotate(180)]
    for kind, options in {"PNG": {"pnginfo": texts()}, "WEBP": {"xmp": SECRET, "lossless": True}}.items():
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
        result = without_metadata(content)
        assert result is not None
        assert SECRET[:12] not in result
        with Image.open(io.BytesIO(content)) as old, Image.open(io.BytesIO(result)) as new:
            assert new.n_frames == old.n_frames == 3
            for frame in range(3):
                old.seek(frame)
                new.seek(frame)
                assert np.array_equal(np.asarray(new), np.asarray(old))


def test_apply_takes_it_out_of_what_it_copies(tmp_path: Path, design: WornDesign, finder: FaceFinder) -> None:
    plain = Image.new("RGB", (200, 150), (90, 140, 90))
    plain.save(tmp_path / "a.jpg", exif=exif(6), comment=SECRET)
    plain.save(tmp_path / "b.bmp")
    with (tmp_path / "b.bmp").open("ab") as stream:
        stream.write(SECRET)
    for name in ("a.jpg", "b.bmp"):
        target = tmp_path / "out" / name
        applied = apply_to_picture(tmp_path / name, target, design=design, finder=finder)
        assert SECRET[:12] not in target.read_bytes()
        assert np.array_equal(np.asarray(read_picture(target)), np.asarray(read_picture(tmp_path / name)))
    assert applied.notices[-1].endswith("it is rewritten.")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(cases())), st.data())
def test_damage_never_gives_other_pixels(name: str, data: st.DataObject) -> None:
    content = bytearray(cases()[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    result = without_metadata(bytes(content))
    if result is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                old = np.asarray(Image.open(io.BytesIO(bytes(content))))
            except (OSError, SyntaxError, ValueError):
                return  # a picture no more, which no command takes
            assert np.array_equal(old, np.asarray(Image.open(io.BytesIO(result))))
