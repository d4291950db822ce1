import io

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from advmask.colour.srgb_profile import srgb_profile
from advmask.core.errors import DesignError
from advmask.textures.design_files import read_picture_as_texels

RED = (200, 40, 30)


def read(path, height=6, width=9):
    texels = read_picture_as_texels(path, height=height, width=width)
    assert texels.shape == (3, height, width)
    assert texels.dtype == torch.float32
    assert texels.is_contiguous()
    assert float(texels.min()) >= 0.0
    assert float(texels.max()) <= 1.0
    return texels


def test_a_picture_of_the_right_size_is_taken_as_it_is(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    texels = read(tmp_path / "p.png")
    assert np.array_equal((texels.permute(1, 2, 0).numpy() * 255).round(), pixels)


def test_what_stands_over_is_cut_off_evenly(tmp_path):
    wide = Image.new("RGB", (300, 60), "white")
    wide.paste(RED, (105, 0, 195, 60))
    wide.save(tmp_path / "wide.png")
    wide.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "tall.png")
    expected = torch.tensor(RED)[:, None, None] / 255
    across, down = read(tmp_path / "wide.png"), read(tmp_path / "tall.png", 9, 6)
    # The outermost texels are antialiased with what was cut off next to them.
    assert torch.allclose(across[:, :, 3:-3], expected.expand(3, 6, 3), atol=1e-6)
    assert torch.allclose(down[:, 3:-3], expected.expand(3, 3, 6), atol=1e-6)
    assert torch.allclose(across, expected.expand(3, 6, 9), atol=0.1)


def test_making_smaller_averages(tmp_path):
    fine = np.zeros((240, 360), dtype=np.uint8)
    fine[::2] = 255
    Image.fromarray(fine).save(tmp_path / "fine.png")
    texels = read(tmp_path / "fine.png", 24, 36)
    assert float((texels - 0.5).abs().max()) < 0.02


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "YCbCr"])
def test_every_kind_of_white_is_white(tmp_path, mode):
    if mode == "I;16":
        picture = Image.fromarray(np.full((12, 18), 65535, dtype=np.uint16))
    else:
        picture = Image.new("RGB", (18, 12), "white").convert(mode)
    path = tmp_path / ("p.tif" if mode in ("CMYK", "YCbCr") else "p.png")
    # Before Pillow 13 a YCbCr TIFF that is not compressed could not be read back.
    picture.save(path, **({"compression": "jpeg"} if mode == "YCbCr" else {}))
    assert float(read(path).min()) > 0.99


def test_sixteen_bit_grey_keeps_its_tone(tmp_path):
    Image.fromarray(np.full((12, 18), 32768, dtype=np.uint16)).save(tmp_path / "p.png")
    assert float(read(tmp_path / "p.png").mean()) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("alpha", [0, 128])
def test_what_is_transparent_is_on_white(tmp_path, alpha):
    Image.new("RGBA", (18, 12), (0, 0, 0, alpha)).save(tmp_path / "p.png")
    assert float(read(tmp_path / "p.png").mean()) == pytest.approx(1 - alpha / 255, abs=0.005)


def test_a_transparent_colour_of_a_palette_is_white(tmp_path):
    picture = Image.new("P", (18, 12), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.save(tmp_path / "p.png", transparency=0)
    assert float(read(tmp_path / "p.png").min()) == 1.0


def test_exif_turns_the_picture(tmp_path):
    picture = Image.new("RGB", (60, 40), "white")
    picture.paste(RED, (0, 0, 60, 20))
    exif = Image.Exif()
    exif[0x0112] = 3
    picture.save(tmp_path / "p.png", exif=exif)
    texels = read(tmp_path / "p.png", 40, 60)
    assert float(texels[1, :18].min()) > 0.98
    assert texels[1, 22:].mean() == pytest.approx(RED[1] / 255, abs=0.02)


def test_a_colour_profile_is_carried_out(tmp_path):
    # A profile whose red and blue are exchanged shows at once whether it was used: its sRGB is then swapped.
    swapped = bytearray(srgb_profile())
    count = int.from_bytes(swapped[128:132], "big")
    entries = {bytes(swapped[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    Image.new("RGB", (18, 12), (255, 0, 0)).save(tmp_path / "p.png", icc_profile=bytes(swapped))
    assert torch.allclose(read(tmp_path / "p.png")[:, 0, 0], torch.tensor([0.0, 0.0, 1.0]), atol=0.02)


@pytest.mark.parametrize(
    "profile",
    [b"junk", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()],
    ids=["junk", "of another kind"],  # a profile holds the time, and workers must agree on names
)
def test_a_profile_that_cannot_be_used_is_ignored(tmp_path, profile):
    buffer = io.BytesIO()
    Image.new("RGB", (18, 12), RED).save(buffer, "PNG", icc_profile=profile)
    (tmp_path / "p.png").write_bytes(buffer.getvalue())
    assert torch.allclose(read(tmp_path / "p.png")[:, 0, 0], torch.tensor(RED) / 255)


def test_one_pixel_and_odd_names_are_fine(tmp_path):
    path = tmp_path / "a b=ü,[1].png"
    Image.new("RGB", (1, 1), RED).save(path)
    assert torch.allclose(read(path), (torch.tensor(RED)[:, None, None] / 255).expand(3, 6, 9))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path, words in (
        (tmp_path / "none.png", "There is no file"),
        (tmp_path, "is a folder, not a picture"),
    ):
        with pytest.raises(DesignError, match=words):
            read_picture_as_texels(path, height=6, width=9)


def test_text_is_not_a_picture(tmp_path):
    (tmp_path / "p.png").write_text("no picture")
    with pytest.raises(DesignError, match="is not a JPEG, PNG"):
        read_picture_as_texels(tmp_path / "p.png", height=6, width=9)


def test_a_texture_without_texels_is_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "p.png")
    with pytest.raises(DesignError, match="at least 1 x 1"):
        read_picture_as_texels(tmp_path / "p.png", height=0, width=9)


def test_too_many_pixels_are_refused(tmp_path):
    Image.new("1", (20_000, 10_001)).save(tmp_path / "p.png")
    with pytest.raises(DesignError, match="more than 200,000,000 pixels"):
        read_picture_as_texels(tmp_path / "p.png", height=6, width=9)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from(["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP"]),
    cut=st.floats(0.0, 1.0),
    hits=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6),
)
def test_damaged_files_give_a_picture_or_one_error(tmp_path, kind, cut, hits):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, kind)
    content = bytearray(buffer.getvalue()[: int(cut * len(buffer.getvalue())) + 1])
    for place, value in hits:
        content[place % len(content)] = value
    path = tmp_path / f"p.{kind.lower()}"
    path.write_bytes(content)
    message = ""
    try:
        read(path)
    except DesignError as error:
        message = str(error)
    assert not message or path.name in message
