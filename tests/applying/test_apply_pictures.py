"""Picture files in and out: values, turns, transparency, profiles, and what is not written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from advmask.applying.apply_to_picture import apply_to_picture
from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.applying.mask_drawing import WornDesign
from advmask.applying.picture_files import changed_values, open_picture, write_picture
from advmask.applying.settings import FindSettings
from advmask.core.errors import PhotoError, RunError
from advmask.photos.landmark_files import points_path
from advmask.photos.occluders import occluder_path


def apply(source: Path, target: Path, design: WornDesign, finder: FaceFinder):
    return apply_to_picture(source, target, design=design, finder=finder)


def test_png_keeps_every_pixel_beside_the_mask(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder
) -> None:
    source, target = tmp_path / "a.png", tmp_path / "out" / "a.png"
    alpha = Image.fromarray(np.tile(np.linspace(120, 255, 512).astype(np.uint8), (512, 1)))
    with_alpha = portrait.copy()
    with_alpha.putalpha(alpha)
    with_alpha.save(source)
    applied = apply(source, target, design, finder)
    assert (applied.masks, applied.notices) == (1, ())
    result, before = np.asarray(Image.open(target)), np.asarray(with_alpha)
    assert np.array_equal(result[..., 3], before[..., 3])
    same = (result == before).all(axis=2)
    assert 0.9 < same.mean() < 0.99
    assert same[:, :100].all()


def test_a_turned_jpeg_comes_out_upright_and_without_its_preview(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder
) -> None:
    source, target = tmp_path / "a.jpg", tmp_path / "b.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees to the right
    exif[0x010F] = "a maker"
    portrait.transpose(Image.Transpose.ROTATE_90).save(source, exif=exif, quality=98)
    assert apply(source, target, design, finder).masks == 1
    result = Image.open(target)
    assert result.size == (512, 512)
    assert dict(result.getexif()) == {}
    difference = np.abs(np.asarray(result, dtype=float) - np.asarray(portrait))
    assert np.median(difference) < 4
    assert difference[130:160, 205:245].mean() > 20, "upright, or the mask would lie elsewhere"


def test_a_wide_profile_stays_and_the_mask_is_converted_to_it(tmp_path: Path) -> None:
    values = np.full((8, 8, 3), 100, dtype=np.uint8)
    profile = wide_profile()
    path = tmp_path / "a.png"
    Image.fromarray(values).save(path, icc_profile=profile)
    opened = open_picture(path)
    assert opened.profile is not None
    assert np.array_equal(opened.values, values)
    drawn = np.asarray(opened.srgb).copy()
    drawn[2:4, 2:4] = (200, 40, 40)
    changed = np.zeros((8, 8), dtype=bool)
    changed[2:4, 2:4] = True
    written = changed_values(opened, drawn, changed)
    assert np.array_equal(written[~changed], values[~changed])
    write_picture(tmp_path / "b.png", written, profile=opened.profile)
    # Whoever heeds the profile sees the colour that was drawn.
    seen = np.asarray(open_picture(tmp_path / "b.png").srgb)
    assert np.abs(seen[2:4, 2:4].astype(int) - (200, 40, 40)).max() <= 2
    assert not np.array_equal(written[2, 2], (200, 40, 40))


def wide_profile() -> bytes:
    """LAB to nowhere would not do: sRGB with its red and green primaries exchanged is another RGB space."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = content.find(b"rXYZ"), content.find(b"gXYZ")
    content[red : red + 4], content[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(content)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK"])
def test_other_modes_become_rgb(tmp_path: Path, portrait: Image.Image, mode: str) -> None:
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    portrait.crop((0, 0, 40, 40)).convert(mode).save(path)
    opened = open_picture(path)
    assert opened.values.shape == (40, 40, 3)
    assert np.array_equal(opened.values, np.asarray(opened.srgb))
    assert opened.notice is None


def test_sixteen_bits_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((8, 8), 40000, dtype=np.uint16)).save(path)
    opened = open_picture(path)
    assert opened.notice is not None
    assert "8 bits" in opened.notice
    assert (opened.values == 156).all()


def test_without_a_face_it_is_copied(tmp_path: Path, design: WornDesign, finder: FaceFinder) -> None:
    source, target = tmp_path / "a.jpg", tmp_path / "out" / "a.jpg"
    Image.new("RGB", (200, 150), (90, 140, 90)).save(source)
    applied = apply(source, target, design, finder)
    assert applied.masks == 0
    assert applied.notices == ("No face of 30 px or more was found; it stays as it is.",)
    assert target.read_bytes() == source.read_bytes()


def test_small_faces_stay_bare_where_asked(tmp_path: Path, portrait: Image.Image, design: WornDesign) -> None:
    portrait.save(tmp_path / "a.png")
    choosy = FaceFinder(FindSettings(min_face_px=200))
    assert apply(tmp_path / "a.png", tmp_path / "b.png", design, choosy).masks == 0


def test_two_portraits_side_by_side(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder
) -> None:
    both = Image.new("RGB", (1024, 512))
    both.paste(portrait, (0, 0))
    both.paste(portrait, (512, 0))
    both.save(tmp_path / "a.png")
    assert apply(tmp_path / "a.png", tmp_path / "b.png", design, finder).masks == 2
    difference = np.abs(np.asarray(Image.open(tmp_path / "b.png"), dtype=float) - np.asarray(both)).sum(
        axis=2
    )
    assert (difference[:, :512] > 60).sum() == pytest.approx((difference[:, 512:] > 60).sum(), rel=0.1)


def test_points_and_occluder_beside_the_photo(
    tmp_path: Path, portrait: Image.Image, face: FoundFace, design: WornDesign
) -> None:
    source = tmp_path / "a.png"
    portrait.save(source)
    given = FaceFinder(FindSettings(landmarks="file"))
    with pytest.raises(PhotoError, match=r"There is no a\.points\.json"):
        apply(source, tmp_path / "b.png", design, given)
    points_path(source).write_text('{"points": ' + str(face.five.tolist()) + "}")
    assert apply(source, tmp_path / "b.png", design, given).masks == 1
    Image.new("L", (512, 512), 255).save(occluder_path(source))
    assert apply(source, tmp_path / "c.png", design, given).masks <= 1
    assert np.array_equal(np.asarray(Image.open(tmp_path / "c.png")), np.asarray(portrait))


def test_a_damaged_picture(tmp_path: Path, design: WornDesign, finder: FaceFinder) -> None:
    source = tmp_path / "a.jpg"
    Image.new("RGB", (64, 64)).save(source)
    source.write_bytes(source.read_bytes()[:-400])
    with pytest.raises(PhotoError):
        apply(source, tmp_path / "b.jpg", design, finder)
    assert not (tmp_path / "b.jpg").exists()


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "bmp", "tif"])
def test_every_ending(tmp_path: Path, ending: str) -> None:
    values = np.random.default_rng(0).integers(0, 256, (16, 16, 4), dtype=np.uint8)
    values[..., 3] = 255
    write_picture(tmp_path / f"a.{ending}", values, profile=None)
    read = np.asarray(Image.open(tmp_path / f"a.{ending}").convert("RGB")).astype(int)
    assert np.abs(read - values[..., :3]).max() <= (60 if ending == "jpg" else 0)


@pytest.mark.parametrize("ending", [".webp", ".png", ".tif", ".gif"])
def test_frames_that_are_not_written_are_told(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder, ending: str
) -> None:
    plain = Image.new("RGB", (200, 150), (90, 140, 90))
    for first, said in (
        (portrait, "only the first is written"),
        (plain, "faces were looked for in the first"),
    ):
        others = [first.rotate(angle) for angle in (1, 2)] if first is portrait else [
            Image.new("RGB", (200, 150), (level, 140, 90)) for level in (20, 200)
        ]  # fmt: skip
        source = tmp_path / f"{'face' if first is portrait else 'plain'}{ending}"
        first.save(source, save_all=True, append_images=others)
        target = tmp_path / "out" / (source.name if ending != ".gif" else f"{source.name}.png")
        applied = apply(source, target, design, finder)
        told = "only the first is written" if ending == ".gif" else said
        assert any(f"It has 3 frames or pages; {told}" in one for one in applied.notices)


@pytest.mark.parametrize("ending", [".webp", ".jpg"])
def test_a_picture_too_wide_for_its_format_is_one_sentence(tmp_path: Path, ending: str) -> None:
    wide = np.zeros((1, 70_000, 3), dtype=np.uint8)
    with pytest.raises(RunError, match=rf"Cannot write .*wide{ending} as \w+: .*ends in \.png\."):
        write_picture(tmp_path / f"wide{ending}", wide, profile=None)
    assert not list(tmp_path.iterdir())
    write_picture(tmp_path / "wide.png", wide, profile=None)
