import io

import numpy as np
import pymupdf
import pypdf
import pytest
import shapely
import torch
from PIL import Image, ImageCms

from advmask.errors import ConfigError, DesignError, RunError
from advmask.masks import MaskSettings, build_mask
from advmask.masks.pattern import FlatPattern, Panel, PatternLine
from advmask.printing.exports import write_exports
from advmask.printing.pdf import mask_pdf
from advmask.printing.png import mask_png
from advmask.printing.raster import rasterise_mask
from advmask.printing.settings import PrintingSettings
from advmask.textures.design_files import Design

MM_PER_POINT = 25.4 / 72
BLUE, RED, ORANGE = (0.0, 80 / 255, 1.0), (224 / 255, 0.0, 0.0), (224 / 255, 128 / 255, 0.0)


def box_pattern(left=0.0, top=0.0, width=26.0, height=16.0, allowance=0.0):
    points = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    return FlatPattern("box", "M", (Panel("all", points, allowance),))


def hexagon(width=234.0, height=153.0, name="hexagon"):
    points = np.array(
        [[0.0, 3.0], [105.0, 25.0], [117.0, 70.0], [40.0, 156.0], [-40.0, 156.0], [-117.0, 70.0], [-105, 25]]
    )
    return FlatPattern(name, "L", (Panel("mask", points * (width / 234.0, height / 153.0)),))


def two_panels():
    """Two boxes 20 mm apart, allowance 4 mm, with one fold across the first and one seam on the second."""
    boxes = [np.array([[u, 0.0], [u + 40.0, 0.0], [u + 40.0, 30.0], [u, 30.0]]) for u in (-50.0, 10.0)]
    lines = (
        PatternLine("fold", "pleat", np.array([[-50.0, 12.0], [-10.0, 12.0]])),
        PatternLine("seam", "middle", np.array([[10.0, 0.0], [10.0, 30.0]])),
    )
    return FlatPattern("pair", "S", (Panel("left", boxes[0], 4.0), Panel("right", boxes[1], 4.0)), lines)


def design_of(pattern, scale=1.0, seed=0, /, **changes):
    left, top, right, bottom = pattern.box_mm
    shape = (3, round((bottom - top) * scale), round((right - left) * scale))
    texels = torch.rand(*shape, generator=torch.Generator().manual_seed(seed))
    return Design(
        changes.pop("texels", texels), **({"pattern": pattern.name, "texels_per_mm": scale} | changes)
    )


def printing(dpi=254, bleed_mm=1.0):
    return PrintingSettings(dpi=dpi, bleed_mm=bleed_mm)


@pytest.mark.parametrize(("dpi", "bleed"), [(300, 3.0), (150, 0.0), (96, 6.0)])
def test_png_has_its_true_size(dpi, bleed):
    pattern = two_panels()
    content = mask_png(design_of(pattern, text={"artist": "ä"}), pattern, printing(dpi, bleed))
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.mode == "RGB"
        for side, pixels, density in zip((100.0, 30.0), picture.size, picture.info["dpi"], strict=True):
            assert pixels == round((side + 2 * (4 + bleed)) * dpi / 25.4)
            # Half a dot, for a picture has whole dots; below 0.1 mm from 127 dpi on.
            assert pixels / density * 25.4 == pytest.approx(side + 2 * (4 + bleed), abs=12.8 / dpi)
        assert picture.text["advmask:pattern"] == "pair"
        assert picture.text["advmask:size"] == "S"
        assert picture.text["artist"] == "ä"
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_design_on_the_panels_continued_over_allowance_and_bleed_and_white_beyond():
    pattern = two_panels()
    texels = torch.full((3, 30, 100), 0.5)
    texels[0, :, 40:60] = 1.0  # between the panels: never printed
    texels[:, :, 60:] = 0.2
    # 254 dpi: 10 dots to a millimetre; 4 mm allowance and 1 mm bleed around.
    picture = rasterise_mask(design_of(pattern, texels=texels), pattern, printing(), cut_line=False)
    assert picture.shape == (400, 1100, 3)
    assert (picture[50:350, 5:500] == 128).all()
    assert (picture[50:350, 600:1095] == 51).all()
    assert (picture[5:395, 50:450] == 128).all()
    assert (picture[:, 505:595] == 255).all()
    assert (picture[:10, :10] == 255).all(), "the bleed is round at corners"
    inked = (picture[..., 0] < 200).sum() / 100
    expected = 2 * shapely.box(0, 0, 40, 30).buffer(5.0, quad_segs=64).area
    assert inked == pytest.approx(expected, rel=1e-3)


def test_no_bleed_is_white_outside_the_outline():
    pattern = FlatPattern(
        "cut",
        "M",
        (Panel("all", np.array([[0.0, 0.0], [30.0, 0.0], [30.0, 20.0], [15.0, 10.0], [0.0, 20.0]])),),
    )
    design = design_of(pattern, 2.0, texels=torch.zeros(3, 40, 60))
    picture = rasterise_mask(design, pattern, printing(127, 0.0), cut_line=False)
    white = picture[..., 0].astype(float) / 255
    assert picture.shape == (100, 150, 3)
    assert (1 - white).sum() / 25 == pytest.approx(450.0, rel=2e-3)
    assert ((white > 0.1) & (white < 0.9)).sum() > 50, "edges are antialiased"


@pytest.mark.parametrize(("dpi", "width"), [(254, 2.0), (72, 1.0)])
def test_the_cut_line_lies_allowance_beyond_the_finished_edge(dpi, width):
    pattern = box_pattern(allowance=3.0)
    design = design_of(pattern, 2.0, texels=torch.zeros(3, 32, 52))
    picture = rasterise_mask(design, pattern, printing(dpi, 1.0)).astype(float)
    scale = len(picture) / 24.0
    # Down the middle of the picture the line is crossed above and below the box.
    column = picture[:, picture.shape[1] // 2]
    red = column[:, 0] * (column[:, 1] < 128) / 255
    half = len(red) // 2
    places = np.arange(len(red)) + 0.5
    for part, edge_mm in ((slice(0, half), 1.0), (slice(half, None), 23.0)):
        assert (red[part] * places[part]).sum() / red[part].sum() / scale == pytest.approx(edge_mm, abs=0.1)
        assert red[part].sum() == pytest.approx(width, abs=0.25)


def test_print_does_not_depend_on_texels_between_the_panels():
    pattern = two_panels()
    design, other = design_of(pattern), design_of(pattern)
    other.texels[:, :, 40:60] = 1.0
    assert np.array_equal(
        rasterise_mask(design, pattern, printing()), rasterise_mask(other, pattern, printing())
    )


def test_a_texture_one_texel_larger_keeps_the_scale():
    pattern = box_pattern()
    texels = torch.rand(3, 16, 26).repeat_interleave(2, 1).repeat_interleave(2, 2)
    larger = torch.cat([texels, texels[:, -1:]], dim=1)
    one, two = (
        rasterise_mask(design_of(pattern, 2.0, texels=given), pattern, printing())
        for given in (texels, larger)
    )
    assert np.array_equal(one, two)


def in_mm(rectangle):
    return np.array([rectangle.x0, rectangle.y0, rectangle.x1, rectangle.y1]) * MM_PER_POINT


def drawn_in(page, colour):
    return [one for one in page.get_drawings() if one["color"] == pytest.approx(colour, abs=0.01)]


def test_pdf_is_a4_where_it_fits():
    pattern = hexagon()
    notes = ["Wash at 40 degrees.", "Printed for Zoë; price 3 €; 日本"]
    content = mask_pdf(design_of(pattern), pattern, printing(100, 3.0), notes=notes)
    assert pypdf.PdfReader(io.BytesIO(content)).metadata.title == "Mask hexagon, size L"
    with pymupdf.open(stream=content) as document:
        assert document.page_count == 2
        for page in document:
            assert page.rect.width * MM_PER_POINT == pytest.approx(297.0, abs=0.1)
            assert page.rect.height * MM_PER_POINT == pytest.approx(210.0, abs=0.1)
            assert "100 mm: print at 100 %, measure this ruler" in page.get_text()
        page, plan = document
        placed = np.array(page.get_image_info()[0]["bbox"]) * MM_PER_POINT
        assert placed[2:] - placed[:2] == pytest.approx([240.0, 159.0], abs=0.1)
        assert placed.min() >= 9.9
        for one in (page, plan):
            (cut,) = drawn_in(one, (1.0, 0.0, 1.0))[:1]
            assert in_mm(cut["rect"]) == pytest.approx([*(placed[:2] + 3), *(placed[2:] - 3)], abs=0.1)
        assert not plan.get_image_info()
        assert drawn_in(page, BLUE) == [], "without an allowance the finished edge is the cut"
        assert "Wash at 40 degrees." in page.get_text()
        assert "Zoë; price 3 ?; ??" in page.get_text()


def test_lines_of_the_pattern_stand_on_the_plan_and_only_in_the_allowance_of_the_print():
    pattern = two_panels()
    content = mask_pdf(design_of(pattern), pattern, printing(100, 2.0))
    with pymupdf.open(stream=content) as document:
        page, plan = document
        left, top = (np.array(page.get_image_info()[0]["bbox"]) * MM_PER_POINT)[:2] + 6.0 - (-50.0, 0.0)
        assert len(drawn_in(page, (1.0, 0.0, 1.0))) == 2
        finished = sorted(tuple(in_mm(one["rect"]).round(1)) for one in drawn_in(page, BLUE))
        expected = [(left - 50, top, left - 10, top + 30), (left + 10, top, left + 50, top + 30)]
        assert np.allclose(finished, expected, atol=0.1)
        assert drawn_in(page, RED) == []
        ticks = sorted(tuple(in_mm(one["rect"])) for one in drawn_in(page, ORANGE))
        assert np.allclose(
            ticks,
            [(left - 54, top + 12, left - 50, top + 12), (left - 10, top + 12, left - 6, top + 12)],
            atol=0.1,
        )
        fold = [in_mm(one["rect"]) for one in drawn_in(plan, ORANGE)]
        assert any(np.allclose(one, (left - 50, top + 12, left - 10, top + 12), atol=0.1) for one in fold)
        assert all(one["dashes"] != "[] 0" for one in drawn_in(plan, ORANGE) + drawn_in(plan, RED))
        words = plan.get_text()
        assert all(word in words for word in ("left", "right", "cut here", "finished edge", "fold", "sew"))
        assert "nose wire" not in words


def test_the_ruler_is_100_mm_with_a_tick_each_10():
    pattern = box_pattern()
    with pymupdf.open(stream=mask_pdf(design_of(pattern), pattern, printing(100))) as document:
        lines = [
            (np.array([*item[1]]), np.array([*item[2]]))
            for drawing in document[0].get_drawings()
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
def test_the_page_grows_with_what_is_on_it(width, height, lines):
    pattern = hexagon(width, height)
    notes = [f"Note {number}" for number in range(lines)]
    content = mask_pdf(design_of(pattern, 0.5), pattern, printing(72, 3.0), notes=notes)
    with pymupdf.open(stream=content) as document:
        for page in document:
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
        assert all(note in document[0].get_text() for note in notes)


def test_the_picture_in_the_pdf_is_lossless_and_has_its_profile():
    pattern = box_pattern()
    design = design_of(pattern)
    expected = rasterise_mask(design, pattern, printing(200), cut_line=False)
    page = pypdf.PdfReader(io.BytesIO(mask_pdf(design, pattern, printing(200)))).pages[0]
    (entry,) = page["/Resources"]["/XObject"].values()
    stored = entry.get_object()
    assert np.array_equal(np.frombuffer(stored.get_data(), np.uint8).reshape(expected.shape), expected)
    kind, profile = stored["/ColorSpace"]
    assert kind == "/ICCBased"
    described = ImageCms.getProfileDescription(
        ImageCms.ImageCmsProfile(io.BytesIO(profile.get_object().get_data()))
    )
    assert "sRGB" in described


def test_the_cut_line_and_the_picture_lie_on_each_other():
    pattern = box_pattern()
    design = design_of(pattern, texels=torch.zeros(3, 16, 26))
    with pymupdf.open(stream=mask_pdf(design, pattern, printing(300, 0.0))) as document:
        drawn = document[0].get_pixmap(dpi=508)
    page = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width, 3).astype(int)
    magenta = np.argwhere((page[..., 0] > 200) & (page[..., 1] < 60) & (page[..., 2] > 200))
    dark = np.argwhere(page[: 45 * 20, :].sum(axis=2) < 60)
    dark = dark[(dark >= magenta.min(axis=0)).all(axis=1) & (dark <= magenta.max(axis=0)).all(axis=1)]
    assert np.abs(magenta.min(axis=0) - dark.min(axis=0)).max() <= 6
    assert np.abs(magenta.max(axis=0) - dark.max(axis=0)).max() <= 6


@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
def test_shipped_patterns_print_their_own_area(name):
    surface = build_mask(MaskSettings(pattern=name, size="L"))
    height, width = surface.texture_size(1.0)
    design = Design(torch.zeros(3, height, width), pattern=name, size="L", texels_per_mm=1.0)
    picture = rasterise_mask(design, surface.pattern, printing(100, 3.0), cut_line=False)
    inked = (1 - picture[..., 0].astype(float) / 255).sum() * 0.254**2
    panels = [shapely.Polygon(panel.bleed_mm(3.0)) for panel in surface.pattern.panels]
    assert inked == pytest.approx(shapely.union_all(panels).area, rel=2e-3)


def test_exports_are_the_same_bytes_every_time(tmp_path):
    pattern = two_panels()
    design = design_of(pattern, size="S", text={"artist": "A"})
    first = write_exports(tmp_path / "new" / "a", design, pattern)
    second = write_exports(tmp_path / "b", design, pattern)
    assert [path.name for path in first] == ["mask.png", "mask.pdf"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert sorted(other.name for other in one.parent.iterdir()) == ["mask.pdf", "mask.png"]


def test_an_unwritable_folder_gives_a_run_error_and_no_half_file(tmp_path):
    pattern = box_pattern()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(RunError, match="Cannot write"):
        write_exports(tmp_path / "file", design_of(pattern), pattern)
    (tmp_path / "folder" / "mask.pdf").mkdir(parents=True)
    with pytest.raises(RunError, match="Cannot write"):
        write_exports(tmp_path / "folder", design_of(pattern), pattern)
    assert (tmp_path / "file").read_text() == "kept"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["mask.pdf"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pattern": "cone"}, "made for pattern cone"),
        ({"texels_per_mm": 3.0}, "does not fit pattern box in size M"),
        ({"texels": torch.rand(3, 16, 20)}, "does not fit pattern box"),
        ({"text": {"advmask:dpi": "1"}}, "advmask:dpi"),
    ],
)
def test_bad_exports_are_refused(tmp_path, changes, says):
    with pytest.raises(DesignError, match=says):
        write_exports(tmp_path / "x", design_of(box_pattern(), **changes), box_pattern())
    assert not (tmp_path / "x").exists()


def test_a_pattern_between_texels_is_refused():
    specks = [
        np.array([[u + 0.1, 9.5], [u + 0.3, 9.5], [u + 0.3, 10.5], [u + 0.1, 10.5]]) for u in (0.0, 60.0)
    ]
    pattern = FlatPattern("speck", "M", tuple(Panel("speck", points) for points in specks))
    design = Design(torch.rand(3, 1, 6), pattern="speck", texels_per_mm=0.1)
    with pytest.raises(DesignError, match="holds no texel"):
        rasterise_mask(design, pattern, printing())


def test_settings_of_printing():
    assert PrintingSettings.build({}).dpi == 300
    assert PrintingSettings.build({"dpi": 1200, "bleed_mm": 0}).bleed_mm == 0.0
    for bad in ({"dpi": 71}, {"dpi": 1201}, {"bleed_mm": -1}, {"dpl": 300}):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            PrintingSettings.build(bad)
