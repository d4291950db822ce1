import io
import itertools

import numpy as np
import pymupdf
import pypdf
import pytest
import shapely
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from scipy.ndimage import maximum_filter, minimum_filter

from advmask.core.errors import ConfigError, DesignError, RunError
from advmask.masks.flat_pattern import FlatPattern, Panel, PatternLine
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.printing.exports import print_files, write_exports
from advmask.printing.manifest import MANIFEST, write_kept
from advmask.printing.mirror import mirrored_pattern
from advmask.printing.raster import rasterise
from advmask.printing.settings import PrintingSettings, SheetSettings
from advmask.printing.sheet_layout import lay_out, sheet_of
from advmask.textures.design_files import Design

MM_PER_POINT = 25.4 / 72
MAGENTA, BLUE = (1.0, 0.0, 1.0), (0.0, 80 / 255, 1.0)
RED, ORANGE = (224 / 255, 0.0, 0.0), (224 / 255, 128 / 255, 0.0)


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


def files_of(pattern, dpi=100, bleed_mm=3.0, design=None, *, overlays=True, **sheet):
    return print_files(
        design or design_of(pattern, size=pattern.size),
        pattern,
        printing(dpi, bleed_mm),
        SheetSettings(**sheet),
        overlays=overlays,
    )


def pdf_of(*what, **sheet):
    return files_of(*what, overlays=False, **sheet)["mask.pdf"]


def pixels(content):
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture)


def in_mm(rectangle):
    return np.array([rectangle.x0, rectangle.y0, rectangle.x1, rectangle.y1]) * MM_PER_POINT


def drawn_in(page, colour):
    return [one for one in page.get_drawings() if one["color"] == pytest.approx(colour, abs=0.01)]


def corners_mm(drawing):
    """Corners of a path, from the page's top left, mm."""
    return np.array([[*item[1]] for item in drawing["items"] if item[0] == "l"]) * MM_PER_POINT


# The picture.


@pytest.mark.parametrize(("dpi", "bleed"), [(300, 3.0), (150, 0.0), (96, 6.0)])
@pytest.mark.parametrize("beyond", ["white", "transparent"])
def test_png_has_its_true_size_and_says_what_it_is(dpi, bleed, beyond):
    pattern = two_panels()
    files = files_of(pattern, dpi, bleed, design_of(pattern, text={"artist": "ä"}), beyond=beyond)
    for name, mode in (("mask.png", "RGB" if beyond == "white" else "RGBA"), ("mask-lines.png", "RGBA")):
        with Image.open(io.BytesIO(files[name])) as picture:
            assert picture.mode == mode
            for side, count, density in zip((100.0, 30.0), picture.size, picture.info["dpi"], strict=True):
                assert count == round((side + 2 * (4 + bleed)) * dpi / 25.4)
                # Half a dot, for a picture has whole dots; below 0.1 mm from 127 dpi on.
                assert count / density * 25.4 == pytest.approx(side + 2 * (4 + bleed), abs=12.8 / dpi)
            assert picture.text["advmask:pattern"] == "pair"
            assert picture.text["advmask:size"] == "S"
            assert picture.text["artist"] == "ä"
            profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_design_on_the_panels_continued_over_allowance_and_bleed_and_nothing_beyond():
    pattern = two_panels()
    texels = torch.full((3, 30, 100), 0.5)
    texels[0, :, 40:60] = 1.0  # between the panels: never printed
    texels[:, :, 60:] = 0.2
    # 254 dpi: 10 dots to a millimetre; 4 mm allowance and 1 mm bleed around.
    artwork = rasterise(design_of(pattern, texels=texels), pattern, printing())
    picture = artwork.on_white()
    assert picture.shape == (400, 1100, 3)
    assert (picture[50:350, 5:500] == 128).all()
    assert (picture[50:350, 600:1095] == 51).all()
    assert (picture[5:395, 50:450] == 128).all()
    assert (picture[:, 505:595] == 255).all()
    assert (picture[:10, :10] == 255).all(), "the bleed is round at corners"
    expected = 2 * shapely.box(0, 0, 40, 30).buffer(5.0, quad_segs=64).area
    assert artwork.coverage.sum() / 255 / 100 == pytest.approx(expected, rel=1e-3)
    clear = artwork.with_alpha()
    assert (clear[..., 3] == artwork.coverage).all()
    assert (clear[5:395, 50:450, :3] == 128).all()


@pytest.mark.parametrize("dpi", [96, 127, 300])
@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
def test_the_outline_in_the_png_is_right_to_half_a_pixel(name, dpi):
    pattern = build_mask(MaskSettings(pattern=name)).pattern
    left, top, right, bottom = pattern.box_mm
    shape = (3, round(bottom - top), round(right - left))
    design = Design(torch.zeros(shape), pattern=name, texels_per_mm=1.0)
    cover = rasterise(design, pattern, printing(dpi, 2.0)).coverage
    around = 2.0 + max(panel.allowance_mm for panel in pattern.panels)
    per_mm = np.array(
        [cover.shape[1] / (right - left + 2 * around), cover.shape[0] / (bottom - top + 2 * around)]
    )
    inked = shapely.union_all([shapely.Polygon(panel.bleed_mm(2.0)) for panel in pattern.panels])
    edge = [np.array(part.exterior.coords) for part in getattr(inked, "geoms", [inked])]
    ring = np.concatenate([(one - (left - around, top - around)) * per_mm for one in edge])
    line = shapely.MultiLineString(
        [((one - (left - around, top - around)) * per_mm).tolist() for one in edge]
    )
    rows, columns = np.nonzero((cover > 40) & (cover < 215))
    assert len(rows) > len(ring)
    far = shapely.distance(line, shapely.points(columns + 0.5, rows + 0.5))
    assert far.max() < 0.5 + 0.05 * dpi / 25.4  # outlines are simplified to 0.05 mm


def test_print_does_not_depend_on_texels_between_the_panels():
    pattern = two_panels()
    design, other = design_of(pattern), design_of(pattern)
    other.texels[:, :, 40:60] = 1.0
    one, two = (rasterise(each, pattern, printing()) for each in (design, other))
    worn = one.coverage > 0
    assert np.abs(one.colour[worn].astype(int) - two.colour[worn]).max() <= 1


def test_a_texture_one_texel_larger_keeps_the_scale():
    pattern = box_pattern()
    texels = torch.rand(3, 16, 26).repeat_interleave(2, 1).repeat_interleave(2, 2)
    larger = torch.cat([texels, texels[:, -1:]], dim=1)
    one, two = (
        rasterise(design_of(pattern, 2.0, texels=given), pattern, printing()).on_white()
        for given in (texels, larger)
    )
    assert (one[:170] == two[:170]).all()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99), dpi=st.integers(72, 200), height=st.integers(8, 30))
def test_mirrored_twice_is_the_original(seed, dpi, height):
    pattern = box_pattern(left=-5.0, height=float(height))
    artwork = rasterise(design_of(pattern, 1.0, seed), pattern, printing(dpi))
    twice = artwork.mirrored().mirrored()
    assert np.array_equal(twice.on_white(), artwork.on_white())
    again = mirrored_pattern(mirrored_pattern(pattern))
    assert np.array_equal(again.panels[0].outline_mm, pattern.panels[0].outline_mm)


def test_mirrored_files_are_the_mirror_image():
    pattern = two_panels()
    plain, turned = files_of(pattern), files_of(pattern, mirrored=True)
    assert np.array_equal(pixels(plain["mask.png"])[:, ::-1], pixels(turned["mask.png"]))
    lines, back = pixels(plain["mask-lines.png"]).astype(int), pixels(turned["mask-lines.png"])[:, ::-1]
    assert (np.abs(lines[..., 3] - back[..., 3]) > 64).mean() < 0.005
    with pymupdf.open(stream=turned["mask.pdf"]) as document:
        assert "already mirrored in this file" in " ".join(document[2].get_text().split())
        assert "Mask pair, size S: artwork, mirrored" in document[0].get_text()
        names = [document[1].search_for(f"{side}, this side up")[0].x0 for side in ("left", "right")]
        assert names[0] < names[1], "the plan is not mirrored"


def test_lines_lie_on_the_artwork():
    pattern = two_panels()
    lines = pixels(files_of(pattern, 254, 1.0)["mask-lines.png"]).astype(float)
    magenta = (lines[..., 0] > 250) & (lines[..., 1] < 5) & (lines[..., 2] > 250)
    column = lines[:, 250, 3] * magenta[:, 250]
    for start, end, edge in ((0, 100, 10.0), (300, 400, 390.0)):
        part = column[start:end]
        at = (part * (np.arange(start, end) + 0.5)).sum() / part.sum()
        assert at == pytest.approx(edge, abs=0.5)
    assert lines[170, 30, :3].tolist() == [224, 128, 0], "a tick in the allowance"


# The PDF.


@pytest.mark.parametrize("paper", ["none", "a4", "letter", "a3"])
@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
def test_outlines_in_the_pdf_are_right_to_a_tenth_of_a_millimetre(name, paper):
    pattern = build_mask(MaskSettings(pattern=name)).pattern
    left, top, right, bottom = pattern.box_mm
    design = Design(torch.zeros(3, round(bottom - top), round(right - left)), pattern=name, texels_per_mm=1.0)
    content = pdf_of(pattern, 72, 3.0, design, paper=paper)
    around = 3.0 + max(panel.allowance_mm for panel in pattern.panels)
    with pymupdf.open(stream=content) as document:
        page, plan = document[0], document[1]
        assert document.page_count == 3
        placed = in_mm(pymupdf.Rect(page.get_image_info()[0]["bbox"]))
        assert placed[2:] - placed[:2] == pytest.approx(
            [right - left + 2 * around, bottom - top + 2 * around], abs=0.05
        )
        origin = placed[:2] + around - (left, top)
        assert drawn_in(page, MAGENTA) == []
        cuts = [shapely.Polygon(corners_mm(one)) for one in drawn_in(plan, MAGENTA)]
        assert len(cuts) == len(pattern.panels)
        for cut, panel in zip(cuts, pattern.panels, strict=True):
            expected = shapely.Polygon(panel.cut_mm() + origin)
            assert shapely.hausdorff_distance(cut.exterior, expected.exterior) < 0.1
        # TrimBox is the box around the cuts, BleedBox that of the picture.
        height = page.rect.height * MM_PER_POINT
        reader = pypdf.PdfReader(io.BytesIO(content))
        for number in (0, 1):
            first = reader.pages[number]
            boxes = [
                np.array([float(v) for v in box]) * MM_PER_POINT for box in (first.trimbox, first.bleedbox)
            ]
            x0, y0, x1, y1 = shapely.union_all(cuts).bounds
            assert boxes[0] == pytest.approx([x0, height - y1, x1, height - y0], abs=0.1)
            assert boxes[1] == pytest.approx(
                [placed[0], height - placed[3], placed[2], height - placed[1]], abs=0.1
            )
            media = np.array([float(v) for v in first.mediabox]) * MM_PER_POINT
            assert (boxes[1][:2] >= media[:2]).all()
            assert (boxes[1][2:] <= media[2:]).all()


def test_every_kind_of_line_has_a_layer_and_the_file_is_sound():
    content = pdf_of(two_panels())
    reader = pypdf.PdfReader(io.BytesIO(content), strict=True)
    groups = [group.get_object()["/Name"] for group in reader.trailer["/Root"]["/OCProperties"]["/OCGs"]]
    assert groups[0] == "artwork"
    assert {"cut here", "finished edge", "fold", "sew", "safe area", "ink ends", "labels"} <= set(groups)
    with pymupdf.open(stream=content) as document:
        assert not document.is_repaired
        layers = {one["layer"] for one in document[1].get_drawings() if one.get("layer")}
        assert {"cut here", "fold", "sew"} <= layers
        document.set_layer_ui_config(
            next(one["number"] for one in document.layer_ui_configs() if one["text"] == "cut here"), action=2
        )
        hidden = document[1].get_pixmap(dpi=72)
    view = np.frombuffer(hidden.samples, np.uint8).reshape(hidden.height, hidden.width, 3).astype(int)
    assert not ((view[..., 0] > 200) & (view[..., 1] < 90) & (view[..., 2] > 200)).any()


def test_lines_on_the_artwork_only_where_asked_for():
    pattern = two_panels()
    for wanted, count in ((False, 0), (True, 2)):
        with pymupdf.open(stream=pdf_of(pattern, cut_line=wanted)) as document:
            assert len(drawn_in(document[0], MAGENTA)) == count
            assert len(drawn_in(document[0], ORANGE)) == count, "a tick on either side of the fold"
            assert drawn_in(document[0], RED) == []
            assert len(drawn_in(document[1], MAGENTA)) == 2


def test_the_ruler_is_100_mm_with_a_tick_each_10_and_marks_stand_outside_the_bleed():
    pattern = box_pattern()
    with pymupdf.open(stream=pdf_of(pattern)) as document:
        page = document[0]
        picture = pymupdf.Rect(page.get_image_info()[0]["bbox"])
        drawings = drawn_in(page, (0.0, 0.0, 0.0))
        assert not any(one["rect"].intersects(picture) for one in drawings)
        lines = [
            (np.array([*item[1]]), np.array([*item[2]]))
            for drawing in drawings
            for item in drawing["items"]
            if item[0] == "l"
        ]
        assert "100 mm: print at 100 %" in page.get_text()
    flat = [abs(a[0] - b[0]) * MM_PER_POINT for a, b in lines if abs(a[1] - b[1]) < 0.01]
    assert max(flat) == pytest.approx(100.0, abs=0.1)
    start = next(min(a[0], b[0]) for a, b in lines if abs(a[0] - b[0]) * MM_PER_POINT > 99) * MM_PER_POINT
    ticks = sorted(a[0] * MM_PER_POINT - start for a, b in lines if abs(a[0] - b[0]) < 0.01)
    assert [tick for tick in ticks if -0.5 < tick < 100.5] == pytest.approx(list(range(0, 101, 10)), abs=0.1)


def test_the_picture_in_the_pdf_is_lossless_and_has_its_profile():
    pattern = box_pattern()
    files = files_of(pattern, 200)
    reader = pypdf.PdfReader(io.BytesIO(files["mask.pdf"]))
    (entry,) = reader.pages[0]["/Resources"]["/XObject"].values()
    stored = entry.get_object()
    expected = pixels(files["mask.png"])
    assert np.array_equal(np.frombuffer(stored.get_data(), np.uint8).reshape(expected.shape), expected)
    kind, profile = stored["/ColorSpace"]
    (intent,) = reader.trailer["/Root"]["/OutputIntents"]
    output = intent.get_object()["/DestOutputProfile"]
    assert kind == "/ICCBased"
    for one in (profile, output):
        described = ImageCms.ImageCmsProfile(io.BytesIO(one.get_object().get_data()))
        assert "sRGB" in ImageCms.getProfileDescription(described)
    assert reader.metadata.title == "Mask box, size M"
    assert "advmask:pattern=box" in reader.metadata.subject


def test_notes_say_how_to_fold_and_to_sew_and_promise_nothing():
    for name, wanted in {
        "pleated": ["mountain line", "pleat 1 15.8 mm", "Nose wire: 90 mm", "8 mm outside", "Ear loops"],
        "panelled": ["chin dart", "Sew the red lines", "6 mm outside", "2 pieces"],
        "contour": ["has no allowance", "1 piece", "207 x 128 mm"],
        "flatfold": ["centre seam", "2 pieces", "Ear loops"],
        "gaiter": ["back seam", "500 x 250 mm"],
    }.items():
        pattern = build_mask(MaskSettings(pattern=name)).pattern
        left, top, right, bottom = pattern.box_mm
        shape = (3, round(bottom - top), round(right - left))
        design = Design(torch.zeros(shape), pattern=name, texels_per_mm=1.0)
        content = pdf_of(pattern, 72, 3.0, design)
        with pymupdf.open(stream=content) as document:
            words = " ".join(document[2].get_text().split())
            plan = document[1].get_text()
            assert document[2].get_images() == []
        assert all(word in words for word in wanted), name
        assert "not a promise" in words
        assert "protect" not in words.lower()
        assert ("Ear loops" in words) == (name != "gaiter")
        if name == "pleated":
            assert plan.count("mountain fold (edge towards you), 15.8 mm deep") == 3
            assert plan.count("valley fold") == 3


# Tiles.


def tile_pages(content, dpi):
    with pymupdf.open(stream=content) as document:
        for page in document:
            view = page.get_pixmap(dpi=dpi)
            yield np.frombuffer(view.samples, np.uint8).reshape(view.height, view.width, 3)


@pytest.mark.parametrize(("paper", "shape"), [("a5", (1, 3)), ("150x160", (2, 2)), ("140x400", (2, 1))])
def test_tiles_put_together_are_the_whole_sheet(paper, shape):
    pattern = hexagon()
    texels = torch.rand(3, 16, 24).repeat_interleave(10, 1)[:, :153].repeat_interleave(10, 2)[..., :234]
    design = design_of(pattern, texels=texels.contiguous(), size="L")
    whole = next(tile_pages(pdf_of(pattern, 100, 3.0, design), 254)).astype(int)
    sheet, asked = sheet_of(pattern, printing(100, 3.0)), SheetSettings(paper=paper)
    layout = lay_out(sheet, asked)
    assert (layout.rows, layout.columns) == shape
    pages = list(tile_pages(pdf_of(pattern, 100, 3.0, design, paper=paper), 254))
    count = len(layout.tiles)
    assert len(pages) >= 1 + 2 * count + 1
    for tile, page in zip(layout.tiles, pages[1:], strict=False):
        # 10 pixels to a millimetre; the window begins after margin and frame, the whole after its margin.
        x0, y0, x1, y1 = (round(10 * edge) for edge in tile.window)
        x1, y1 = min(x1, round(10 * sheet.width)), min(y1, round(10 * sheet.height))
        # Title and ruler stand where no tile cuts them, and not where the whole sheet has them.
        first, last = max(y0, round(10 * sheet.picture[1])), min(y1, round(10 * sheet.picture[3]))
        part = page[120 + first - y0 : 120 + last - y0, 120 : 120 + x1 - x0].astype(int)
        expected = whole[50 + first : 50 + last, 50 + x0 : 50 + x1]
        # A viewer draws a picture on whole pixels of the page: each must be between its neighbours'.
        low, high = minimum_filter(expected, (3, 3, 1)), maximum_filter(expected, (3, 3, 1))
        wrong = ((part < low - 8) | (part > high + 8)).any(axis=2)[3:-3, 3:-3]
        assert wrong.mean() < 0.002, tile.name  # letters
    covered = shapely.union_all([shapely.box(*tile.window) for tile in layout.tiles])
    assert covered.covers(shapely.box(0, 0, sheet.width, sheet.height).buffer(-1e-6))
    for one, two in itertools.pairwise(layout.tiles):
        if one.row == two.row:
            assert one.window[2] - two.window[0] == pytest.approx(10.0, abs=1e-6)


def test_tiles_have_names_marks_and_a_map():
    content = pdf_of(hexagon(), paper="150x160")
    reader = pypdf.PdfReader(io.BytesIO(content))
    texts = [page.extract_text() for page in reader.pages]
    assert "map of the tiles" in texts[0]
    assert all(name in texts[0] for name in ("A1", "A2", "B1", "B2"))
    for number, name in enumerate(("A1", "A2", "B1", "B2"), 1):
        assert f"Tile {name} of 2 x 2" in texts[number]
        assert f"Tile {name} of 2 x 2" in texts[number + 4]
    assert "Glue the tiles" in " ".join(texts[9:])
    trim = [float(v) * MM_PER_POINT for v in reader.pages[1].trimbox]
    assert trim[0] == pytest.approx(12.0, abs=0.1)


@settings(max_examples=40, deadline=None)
@given(
    width=st.floats(30, 900), height=st.floats(30, 700),
    paper=st.sampled_from(["a5", "a4", "letter", "a3", "200x200"]), overlap=st.floats(2, 30),
)  # fmt: skip
def test_any_sheet_is_covered_by_its_tiles(width, height, paper, overlap):
    pattern = box_pattern(width=width, height=height)
    asked = SheetSettings(paper=paper, overlap_mm=overlap)
    sheet = sheet_of(pattern, printing(100, 3.0))
    layout = lay_out(sheet, asked)
    assert sorted(layout.page) == sorted(asked.paper_mm)
    if not layout.tiles:
        assert min(layout.place) >= asked.margin_mm - 1e-6
        return
    parts = [shapely.box(*tile.window) for tile in layout.tiles]
    assert shapely.union_all(parts).covers(shapely.box(0, 0, sheet.width, sheet.height).buffer(-1e-6))
    for tile in layout.tiles:
        for size, side in zip(
            (tile.window[2] - tile.window[0], tile.window[3] - tile.window[1]), layout.page, strict=True
        ):
            assert size <= side - 2 * (asked.margin_mm + 7.0) + 1e-6
    assert len({tile.name for tile in layout.tiles}) == len(layout.tiles)


@pytest.mark.parametrize("paper", ["none", "a4"])
@pytest.mark.parametrize("measured", [96.0, 104.0])
def test_a_ruler_that_measured_wrong_is_put_right(paper, measured):
    pattern = hexagon(160.0, 110.0)
    with pymupdf.open(stream=pdf_of(pattern, paper=paper, ruler_mm=measured), filetype="pdf") as document:
        page = document[0]
        if paper == "a4":
            assert sorted(side * MM_PER_POINT for side in in_mm_sides(page)) == pytest.approx(
                [210, 297], abs=0.1
            )
        lines = [line for line in page.get_drawings() if line["type"] == "s"]
        lengths = [line["rect"].width * MM_PER_POINT for line in lines if line["rect"].height < 20]
        # This printer makes 100 mm into `measured`; the ruler comes out right.
        assert min(abs(length * measured / 100 - 100.0) for length in lengths) < 0.1
        width = page.get_image_info()[0]["bbox"]
        assert (width[2] - width[0]) * MM_PER_POINT * measured / 100 == pytest.approx(166.0, abs=0.3)
        assert "scaled by" in " ".join(document[-1].get_text().split())


def in_mm_sides(page):
    return page.rect.width, page.rect.height


def test_paper_in_inches():
    assert SheetSettings(paper="8.5x11in").paper_mm == pytest.approx((215.9, 279.4))
    assert SheetSettings(paper="210x297mm").paper_mm == (210.0, 297.0)


@pytest.mark.parametrize("paper", ["a6", "100x150", "10x10", "cardboard", "0x0"])
def test_papers_that_cannot_be(paper):
    with pytest.raises(ConfigError, match=r"a5|WIDTHxHEIGHT"):
        SheetSettings.build({"paper": paper})


# Files.


def test_exports_are_the_same_bytes_every_time(tmp_path):
    pattern = two_panels()
    design = design_of(pattern, size="S", text={"artist": "A"})
    first = write_exports(tmp_path / "new" / "a", design, pattern)
    second = write_exports(tmp_path / "b", design, pattern)
    assert [path.name for path in first] == ["mask.png", "mask.pdf"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert sorted(other.name for other in one.parent.iterdir()) == ["mask.pdf", "mask.png"]


def test_without_overlays_the_other_files_are_the_same():
    pattern = two_panels()
    design = design_of(pattern, size="S")
    whole, kept = print_files(design, pattern), print_files(design, pattern, overlays=False)
    assert sorted(set(whole) - set(kept)) == ["mask-lines.png", "mask-lines.svg"]
    assert kept == {name: whole[name] for name in ("mask.png", "mask.pdf")}


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


def test_only_files_of_ours_are_replaced_and_all_or_none(tmp_path):
    write_kept(tmp_path, {"a": b"1", "b": b"2"})
    write_kept(tmp_path, {"a": b"3"})
    (tmp_path / "b").write_bytes(b"edited")
    (tmp_path / "c").write_bytes(b"the user's")
    for name in ("b", "c"):
        with pytest.raises(RunError, match="is not as advmask wrote it"):
            write_kept(tmp_path, {"a": b"4", name: b"5"})
    assert [(tmp_path / name).read_bytes() for name in "abc"] == [b"3", b"edited", b"the user's"]
    write_kept(tmp_path, {"c": b"the user's"})
    write_kept(tmp_path, {"b": b"6"}, overwrite=True)
    write_kept(tmp_path, {"b": b"7", "c": b"8"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c", MANIFEST]


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
        rasterise(design, pattern, printing())


def test_settings_of_printing():
    assert PrintingSettings.build({}).dpi == 300
    assert PrintingSettings.build({"dpi": 1200, "bleed_mm": 0}).bleed_mm == 0.0
    for bad in ({"dpi": 71}, {"dpi": 1201}, {"bleed_mm": -1}, {"dpl": 300}):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            PrintingSettings.build(bad)


@pytest.mark.parametrize("again", ["the same", "others"])
def test_killed_while_files_get_their_names(tmp_path, killed_at_rename, again):
    older, newer = ({name: text + name.encode() for name in "abc"} for text in (b"older ", b"newer "))
    for number in range(9):
        folder = tmp_path / str(number)
        write_kept(folder, older)
        killed = killed_at_rename(number, lambda: write_kept(folder, newer))  # noqa: B023
        assert all((folder / name).read_bytes() in (older[name], newer[name]) for name in "abc")
        wanted = newer if again == "the same" else dict.fromkeys("abc", b"newest")
        write_kept(folder, wanted)  # takes nothing of ours for the user's
        assert all((folder / name).read_bytes() == wanted[name] for name in "abc")
        (folder / "a").write_bytes(b"edited")
        with pytest.raises(RunError, match="is not as advmask wrote it"):
            write_kept(folder, older)
        if not killed:
            assert number == 4
            return


def test_a_damaged_list_of_files_counts_nothing_as_ours(tmp_path):
    for text in ("[" * 100_000, "{", '{"sha256": 3}', '{"sha256": {}, "replaced": 3}', "[]"):
        (tmp_path / MANIFEST).write_text(text)
        (tmp_path / "a").write_bytes(b"the user's")
        with pytest.raises(RunError, match="is not as advmask wrote it"):
            write_kept(tmp_path, {"a": b"1"})
