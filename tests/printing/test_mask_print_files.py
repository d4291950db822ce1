import io

import numpy as np
import pymupdf
import pypdf
import pytest
import torch
from PIL import Image, ImageCms

from advmask.errors import ConfigError, DesignError, RunError
from advmask.printing.exports import write_exports
from advmask.printing.outline import PatternOutline
from advmask.printing.pdf import write_mask_pdf
from advmask.printing.png import write_mask_png
from advmask.printing.raster import rasterise_mask
from advmask.printing.settings import PrintingSettings
from advmask.textures.design_files import Design

MM_PER_POINT = 25.4 / 72
MAGENTA = [255, 0, 255]


def hexagon(width=234.0, height=153.0, scale=1.0):
    points = [
        [0.0, 3.0],
        [105.0, 25.0],
        [112.0, 70.0],
        [40.0, 150.0],
        [-40.0, 150.0],
        [-112.0, 70.0],
        [-105, 25],
    ]
    points = np.array(points) * (width / 234.0, height / 153.0)
    return PatternOutline("hexagon", points, (-width / 2, 0.0), (width, height), scale)


def colours(outline, seed=0):
    height, width = (round(side * outline.texels_per_mm) for side in reversed(outline.size_mm))
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def small():
    points = np.array([[2.0, 2.0], [28.0, 2.0], [28.0, 18.0], [2.0, 18.0]])
    return PatternOutline("box", points, (0.0, 0.0), (30.0, 20.0), 2.0)


def design_of(outline, **changes):
    values = {"pattern": outline.name, "texels_per_mm": outline.texels_per_mm} | changes
    return Design(colours(outline), **values)


@pytest.mark.parametrize(("dpi", "bleed"), [(300, 3.0), (150, 0.0), (96, 6.0)])
def test_png_has_its_true_size(tmp_path, dpi, bleed):
    outline = hexagon()
    write_mask_png(
        tmp_path / "m.png", colours(outline), outline, dpi=dpi, bleed_mm=bleed, text={"artist": "ä"}
    )
    with Image.open(tmp_path / "m.png") as picture:
        assert picture.mode == "RGB"
        for side, pixels, density in zip(outline.size_mm, picture.size, picture.info["dpi"], strict=True):
            assert pixels == round((side + 2 * bleed) * dpi / 25.4)
            # Half a dot, for a picture has whole dots; below 0.1 mm from 127 dpi on.
            assert pixels / density * 25.4 == pytest.approx(side + 2 * bleed, abs=12.8 / dpi)
        assert picture.text["advmask:pattern"] == "hexagon"
        assert picture.text["artist"] == "ä"
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_design_inside_bleed_around_and_white_beyond():
    outline = small()
    texels = torch.full((3, 40, 60), 0.5)
    texels[0, :4] = texels[0, 36:] = texels[0, :, :4] = texels[0, :, 56:] = 1.0
    # 254 dpi: 10 dots to a millimetre. The box is 2 mm inside the rectangle; the bleed ends 1 mm beyond that.
    picture = rasterise_mask(texels, outline, dpi=254, bleed_mm=1.0, cut_line=False)
    assert picture.shape == (220, 320, 3)
    assert (picture[20:200, 40:280] == 128).all(), (
        "within: the design; above: the colour of the nearest texel inside"
    )
    assert (picture[:20] == 255).all()
    assert (picture[:, :20] == 255).all()
    assert (picture[200:] == 255).all()
    assert (picture[20:23, 20:23] == 255).any(), "the bleed is round at corners"


def test_no_bleed_is_white_outside_the_outline():
    picture = rasterise_mask(torch.zeros(3, 40, 60), small(), dpi=254, bleed_mm=0.0, cut_line=False)
    assert picture.shape == (200, 300, 3)
    expected = np.full((200, 300, 3), 255)
    expected[20:180, 20:280] = 0
    assert np.array_equal(picture, expected)


def test_edges_are_antialiased():
    points = np.array([[1.0, 1.0], [29.0, 4.0], [25.0, 19.0], [3.0, 17.0]])
    outline = PatternOutline("slanted", points, (0.0, 0.0), (30.0, 20.0), 2.0)
    picture = rasterise_mask(torch.zeros(3, 40, 60), outline, dpi=127, bleed_mm=0.0, cut_line=False)
    white = picture[..., 0].astype(float) / 255
    following = np.roll(points, -1, axis=0)
    area = 0.5 * abs(float(np.sum(points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0])))
    assert (1 - white).sum() / 25 == pytest.approx(area, rel=2e-3)
    assert ((white > 0.1) & (white < 0.9)).sum() > 100


@pytest.mark.parametrize(("dpi", "width"), [(254, 2.0), (72, 1.0)])
def test_the_cut_line_lies_on_the_outline(dpi, width):
    picture = rasterise_mask(torch.zeros(3, 40, 60), small(), dpi=dpi, bleed_mm=1.0).astype(float)
    scale = len(picture) / 22.0
    # Down the middle of the picture the line is crossed at the top edge and at the bottom edge of the box.
    red = picture[:, picture.shape[1] // 2, 0] * (picture[:, picture.shape[1] // 2, 1] < 128) / 255
    half = len(red) // 2
    places = np.arange(len(red)) + 0.5
    for part, edge_mm in ((slice(0, half), 3.0), (slice(half, None), 19.0)):
        assert (red[part] * places[part]).sum() / red[part].sum() / scale == pytest.approx(edge_mm, abs=0.1)
        assert red[part].sum() == pytest.approx(width, abs=0.25)


def test_print_does_not_depend_on_texels_outside_the_mask():
    outline = small()
    texels, other = colours(outline), colours(outline)
    other[:, :2], other[:, :, -2:] = 0.0, 1.0
    assert np.array_equal(rasterise_mask(texels, outline), rasterise_mask(other, outline))


def test_a_texture_one_texel_larger_keeps_the_scale():
    outline = small()
    texels = torch.rand(3, 20, 30).repeat_interleave(2, 1).repeat_interleave(2, 2)
    larger = torch.cat([texels, texels[:, -1:]], dim=1)
    assert np.array_equal(rasterise_mask(texels, outline), rasterise_mask(larger, outline))


def read_pdf(path):
    with pymupdf.open(path) as document:
        assert document.page_count == 1
        page = document[0]
        drawings = page.get_drawings()
        size = (page.rect.width * MM_PER_POINT, page.rect.height * MM_PER_POINT)
        images = page.get_image_info()
        return size, drawings, images, page.get_text()


def in_mm(rectangle):
    return np.array([rectangle.x0, rectangle.y0, rectangle.x1, rectangle.y1]) * MM_PER_POINT


def test_pdf_is_a4_where_it_fits(tmp_path):
    outline = hexagon()
    notes = ["Wash at 40 degrees.", "Printed for Zoë; price 3 €; 日本"]
    write_mask_pdf(tmp_path / "m.pdf", colours(outline), outline, dpi=100, title="Mask Ω", notes=notes)
    size, drawings, images, text = read_pdf(tmp_path / "m.pdf")
    assert size == pytest.approx((297.0, 210.0), abs=0.1)
    box = pypdf.PdfReader(tmp_path / "m.pdf").pages[0].mediabox
    assert float(box.width) * MM_PER_POINT == pytest.approx(297.0, abs=0.1)
    assert float(box.height) * MM_PER_POINT == pytest.approx(210.0, abs=0.1)
    assert pypdf.PdfReader(tmp_path / "m.pdf").metadata.title == "Mask Ω"
    placed = np.array(images[0]["bbox"]) * MM_PER_POINT
    assert placed[2:] - placed[:2] == pytest.approx([240.0, 159.0], abs=0.1)
    assert placed.min() >= 9.9
    assert placed[2] <= 287.1
    cut = [drawing for drawing in drawings if drawing["color"] == (1.0, 0.0, 1.0)]
    assert len(cut) == 1
    assert len(cut[0]["items"]) >= 7
    corners = outline.points_in_rectangle_mm() + placed[:2] + 3.0
    expected = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    assert in_mm(cut[0]["rect"]) == pytest.approx(expected, abs=0.1)
    assert "100 mm: print at 100 %, measure this ruler" in text
    assert "Wash at 40 degrees." in text
    assert "Zoë; price 3 ?; ??" in text


def test_the_ruler_is_100_mm_with_a_tick_each_10(tmp_path):
    outline = small()
    write_mask_pdf(tmp_path / "m.pdf", colours(outline), outline, dpi=100)
    _, drawings, _, _ = read_pdf(tmp_path / "m.pdf")
    lines = [
        (np.array([*item[1]]), np.array([*item[2]]))
        for drawing in drawings
        if drawing["color"] == (0.0, 0.0, 0.0)
        for item in drawing["items"]
        if item[0] == "l"
    ]
    flat = [line for line in lines if abs(line[0][1] - line[1][1]) < 0.01]
    upright = sorted(line[0][0] * MM_PER_POINT for line in lines if abs(line[0][0] - line[1][0]) < 0.01)
    assert len(flat) == 1
    assert abs(flat[0][1][0] - flat[0][0][0]) * MM_PER_POINT == pytest.approx(100.0, abs=0.1)
    start = min(flat[0][0][0], flat[0][1][0]) * MM_PER_POINT
    assert upright == pytest.approx([start + 10 * tick for tick in range(11)], abs=0.1)


@pytest.mark.parametrize(
    ("width", "height", "lines"), [(400.0, 153.0, 0), (200.0, 300.0, 0), (234.0, 153.0, 30)]
)
def test_the_page_grows_with_what_is_on_it(tmp_path, width, height, lines):
    outline = hexagon(width, height, scale=0.5)
    notes = [f"Note {number}" for number in range(lines)]
    write_mask_pdf(tmp_path / "m.pdf", colours(outline), outline, dpi=72, notes=notes)
    with pymupdf.open(tmp_path / "m.pdf") as document:
        page = document[0]
        inner = pymupdf.Rect(28.0, 28.0, page.rect.x1 - 28.0, page.rect.y1 - 28.0)
        parts = [pymupdf.Rect(block[:4]) for block in page.get_text("blocks")]
        parts += [pymupdf.Rect(image["bbox"]) for image in page.get_image_info()]
        parts += [drawing["rect"] for drawing in page.get_drawings()]
        assert page.rect.width * MM_PER_POINT == pytest.approx(max(297.0, width + 26.0), abs=0.1)
        assert (page.rect.height * MM_PER_POINT > 210.5) == (height + 4 * lines > 160)
        for part in parts:
            assert inner.x0 <= part.x0
            assert inner.y0 <= part.y0
            assert part.x1 <= inner.x1
            assert part.y1 <= inner.y1
        assert all(note in page.get_text() for note in notes)


def test_the_picture_in_the_pdf_is_lossless_and_has_its_profile(tmp_path):
    outline = small()
    texels = colours(outline)
    write_mask_pdf(tmp_path / "m.pdf", texels, outline, dpi=200)
    expected = rasterise_mask(texels, outline, dpi=200, cut_line=False)
    page = pypdf.PdfReader(tmp_path / "m.pdf").pages[0]
    (entry,) = page["/Resources"]["/XObject"].values()
    stored = entry.get_object()
    assert np.array_equal(np.frombuffer(stored.get_data(), np.uint8).reshape(expected.shape), expected)
    kind, profile = stored["/ColorSpace"]
    assert kind == "/ICCBased"
    described = ImageCms.getProfileDescription(
        ImageCms.ImageCmsProfile(io.BytesIO(profile.get_object().get_data()))
    )
    assert "sRGB" in described


def test_the_cut_line_and_the_picture_lie_on_each_other(tmp_path):
    outline = small()
    write_mask_pdf(tmp_path / "m.pdf", torch.zeros(3, 40, 60), outline, dpi=300, bleed_mm=0.0)
    with pymupdf.open(tmp_path / "m.pdf") as document:
        drawn = document[0].get_pixmap(dpi=508)
    page = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width, 3).astype(int)
    magenta = np.argwhere((page[..., 0] > 200) & (page[..., 1] < 60) & (page[..., 2] > 200))
    dark = np.argwhere(page[: 45 * 20, :].sum(axis=2) < 60)
    dark = dark[(dark >= magenta.min(axis=0)).all(axis=1) & (dark <= magenta.max(axis=0)).all(axis=1)]
    assert np.abs(magenta.min(axis=0) - dark.min(axis=0)).max() <= 6
    assert np.abs(magenta.max(axis=0) - dark.max(axis=0)).max() <= 6


def test_exports_are_the_same_bytes_every_time(tmp_path):
    design = design_of(small(), size="S", text={"artist": "A"})
    first = write_exports(tmp_path / "new" / "a", design, small())
    second = write_exports(tmp_path / "b", design, small())
    assert [path.name for path in first] == ["mask.png", "mask.pdf"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert sorted(other.name for other in one.parent.iterdir()) == ["mask.pdf", "mask.png"]
    with Image.open(first[0]) as picture:
        assert picture.text["advmask:size"] == "S"
        assert picture.text["artist"] == "A"


def test_an_unwritable_folder_gives_a_run_error_and_no_half_file(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(RunError, match="Cannot write"):
        write_exports(tmp_path / "file", design_of(small()), small())
    (tmp_path / "folder" / "mask.pdf").mkdir(parents=True)
    with pytest.raises(RunError, match="Cannot write"):
        write_mask_pdf(tmp_path / "folder" / "mask.pdf", colours(small()), small())
    assert (tmp_path / "file").read_text() == "kept"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["mask.pdf"]


@pytest.mark.parametrize(
    ("changes", "arguments", "says"),
    [
        ({"pattern": "cone"}, {}, "pattern cone"),
        ({"texels_per_mm": 3.0}, {}, "texels per mm"),
        ({}, {"dpi": 20}, "72 to 1200"),
        ({}, {"bleed_mm": 11.0}, "Bleed"),
        ({"text": {"advmask:dpi": "1"}}, {}, "advmask:dpi"),
    ],
)
def test_bad_exports_are_refused(tmp_path, changes, arguments, says):
    with pytest.raises(DesignError, match=says):
        write_exports(tmp_path / "x", design_of(small(), **changes), small(), **arguments)
    assert not (tmp_path / "x").exists()


def test_a_design_of_another_size_is_refused():
    with pytest.raises(DesignError, match="does not fit pattern box"):
        rasterise_mask(torch.rand(3, 40, 50), small())


def test_an_outline_between_texels_is_refused():
    points = np.array([[9.5, 9.5], [10.5, 9.5], [10.5, 10.5], [9.5, 10.5]])
    outline = PatternOutline("speck", points, (0.0, 0.0), (60.0, 60.0), 0.1)
    with pytest.raises(DesignError, match="holds no texel"):
        rasterise_mask(torch.rand(3, 6, 6), outline)


def test_settings_of_printing():
    assert PrintingSettings.build({}).dpi == 300
    assert PrintingSettings.build({"dpi": 1200, "bleed_mm": 0}).bleed_mm == 0.0
    for bad in ({"dpi": 71}, {"dpi": 1201}, {"bleed_mm": -1}, {"dpl": 300}):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            PrintingSettings.build(bad)
