"""Words on sheets: never over a line, at any shape and size; drawings of the steps; the ruler on one tile."""

import warnings
from functools import partial

import numpy as np
import pymupdf
import pytest
import shapely
import torch
from fpdf import FPDF

from advmask.masks.flat_pattern import FlatPattern, Panel
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import SHIPPED, SIZES, MaskSettings
from advmask.printing.cloth_words import cloth_words
from advmask.printing.exports import print_files
from advmask.printing.latin import latin
from advmask.printing.lines import _width, plan_outlines
from advmask.printing.plan_names import labels_of
from advmask.printing.settings import PAPERS, PrintingSettings, SheetSettings
from advmask.printing.sheet_layout import RULER_MM, lay_out, sheet_of
from advmask.printing.step_drawings import DRAWINGS, LETTERS_PT, drawing_of
from advmask.textures.design_files import Design

MM_PER_POINT = 25.4 / 72


@pytest.fixture(scope="module")
def pdf():
    one = FPDF(unit="mm")
    one.add_page()
    return one


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_name_stands_on_the_plan_and_none_over_a_line(name, size, pdf):
    pattern = build_mask(MaskSettings(pattern=name, size=size)).pattern
    outlines = plan_outlines(pattern, 3.0)
    labels = labels_of(pattern, outlines, width_of=partial(_width, pdf))
    assert len(labels) == len(pattern.lines) + len(pattern.panels)
    lines = [shapely.LinearRing(ring) for rings in outlines.values() for ring in rings]
    lines += [shapely.LineString(line.points_mm) for line in pattern.lines]
    for label in labels:
        assert shapely.distance(label.box, lines).min() > 0.4, label.words
    boxes = shapely.union_all([label.box for label in labels])
    assert boxes.area == pytest.approx(sum(label.box.area for label in labels))


def test_the_letters_on_the_page_lie_within_the_boxes_that_were_kept_free():
    pattern = build_mask(MaskSettings(pattern="panelled")).pattern
    left, top, right, bottom = pattern.box_mm
    design = Design(
        torch.zeros(3, round(bottom - top), round(right - left)), pattern="panelled", texels_per_mm=1.0
    )
    files = print_files(design, pattern, PrintingSettings(dpi=72), overlays=False)
    with pymupdf.open(stream=files["mask.pdf"]) as document:
        page = document[1]
        strokes = [
            shapely.LineString([(item[1].x, item[1].y), (item[2].x, item[2].y)])
            for drawn in page.get_drawings()
            for item in drawn["items"]
            if item[0] == "l" and drawn["color"] != (0.0, 0.0, 0.0)
        ]
        for words in ("chin dart, left", "nose wire, right", "left in the picture, this side up"):
            (quad,) = page.search_for(words, quads=True)
            corners = np.array([tuple(quad.ul), tuple(quad.ur), tuple(quad.lr), tuple(quad.ll)])
            middle = corners.mean(axis=0)  # quads hold the whole line of type; letters are their inner part
            letters = shapely.Polygon(middle + (corners - middle) * 0.6)
            assert shapely.distance(letters, strokes).min() > 0.0, words


@pytest.mark.parametrize("name", DRAWINGS)
def test_words_of_a_drawing_lie_on_no_line_and_in_its_box(name, pdf):
    drawing = drawing_of(name, build_mask(MaskSettings(pattern="pleated")).pattern)
    assert len(drawing.marks) >= 2
    box = shapely.box(0, 0, 38, 24)
    lines = []
    for mark in drawing.marks:
        assert shapely.LineString(mark.points).within(box.buffer(0.01)), mark
        ring = mark.kind == "cloth"
        lines.append(shapely.LinearRing(mark.points) if ring else shapely.LineString(mark.points))
    pdf.set_font("helvetica", size=LETTERS_PT)
    letter = LETTERS_PT * MM_PER_POINT / 0.75
    for words, x, y in drawing.words:
        width = pdf.get_string_width(latin(words)) / 0.75
        placed = shapely.box(x, y - 0.72 * letter, x + width, y + 0.1 * letter)
        assert placed.within(box.buffer(0.5)), words
        assert shapely.distance(placed, lines).min() > 0.1, words


@pytest.mark.parametrize("paper", ["a5", "a4", "letter", "140x300"])
@pytest.mark.parametrize("width", [125.0, 180.0, 250.0, 516.0])
def test_no_tile_cuts_the_ruler(paper, width):
    outline = np.array([[0.0, 0.0], [width, 0.0], [width, 300.0], [0.0, 300.0]]) - [width / 2, 0.0]
    pattern = FlatPattern("wide", "M", (Panel("all", outline),))
    sheet = sheet_of(pattern, PrintingSettings())
    layout = lay_out(sheet, SheetSettings(paper=paper))
    left = layout.ruler_left(sheet)
    assert left >= 0.0
    assert left + RULER_MM <= sheet.width
    if layout.tiles:
        last = [tile.window for tile in layout.tiles if tile.row == layout.rows - 1]
        assert any(x0 <= left and left + RULER_MM <= x1 for x0, _, x1, _ in last)
        assert all(bottom >= sheet.height - 0.1 and top <= sheet.picture[3] for _, top, _, bottom in last)
    assert paper in PAPERS or layout.tiles


@pytest.mark.parametrize(
    "printer", ["office_inkjet", "sublimation", "direct_to_garment", "laser_transfer", "mine"]
)
def test_cloth_and_heat_are_said_for_each_printer(printer):
    pattern = build_mask(MaskSettings(pattern="panelled")).pattern
    words = " ".join(
        cloth_words(pattern, printer=printer, mirrored=printer in {"sublimation", "laser_transfer"})
    )
    wanted = {
        "office_inkjet": "inkjets",
        "sublimation": "polyester",
        "direct_to_garment": "cotton",
        "laser_transfer": "baking paper",
        "mine": "Ask the shop",
    }
    assert wanted[printer] in words
    assert "Lining" in words
    assert ("scrap" in words) == (printer in {"sublimation", "laser_transfer"})


def test_each_step_has_its_drawing_on_the_notes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("pleated", "gaiter"):
            pattern = build_mask(MaskSettings(pattern=name)).pattern
            left, top, right, bottom = pattern.box_mm
            texels = torch.zeros(3, round(bottom - top), round(right - left))
            design = Design(texels, pattern=name, texels_per_mm=1.0)
            files = print_files(design, pattern, PrintingSettings(dpi=72), overlays=False)
            with pymupdf.open(stream=files["mask.pdf"]) as document:
                page = document[2]
                text, count = page.get_text(), len(page.get_drawings())
            assert count > 12, "the legend has at most 7 lines"
            assert ("15.8\nmm" in text) == (name == "pleated")
            assert ("tube" in text) == (name == "gaiter")
