"""The chart as laid out and as files: complete, shuffled, at true size, and the same every time."""

import hashlib
import io
import math
from collections import Counter

import numpy as np
import pymupdf
import pytest
from PIL import Image

from advmask.core.errors import ConfigError
from advmask.printing.chart.chart_dots import draw_chart, marker_modules
from advmask.printing.chart.chart_layout import (
    CELL_MM,
    COLUMNS,
    HEIGHT_MM,
    ROWS,
    SEEDS,
    VERSION,
    VERSIONS,
    WIDTH_MM,
    chart_layout,
    marker_corners_mm,
    marker_ids,
    marker_meaning,
)
from advmask.printing.chart.pages import PAGES_MM, chart_pdf, chart_png, frame_corner_mm
from advmask.printing.settings import Paper

ALL = range(SEEDS)


@pytest.mark.parametrize("seed", ALL)
def test_every_chart_is_complete(seed: int) -> None:
    chart = chart_layout(seed)
    assert Counter(patch.use for patch in chart.patches) == {"fit": 134, "held out": 48, "field": 72}
    fitted = {patch.rgb for patch in chart.patches if patch.use == "fit"}
    assert len(fitted) == 134
    assert {(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)} <= fitted
    cells = [(patch.column, patch.row) for patch in chart.patches] + [(b.column, b.row) for b in chart.lines]
    assert len(set(cells)) == len(cells)
    corners = np.concatenate([marker_corners_mm(corner) for corner in range(4)])
    for column, row in cells:
        assert 0 <= column < COLUMNS
        assert 0 <= row < ROWS
        place = np.array([column, row]) * CELL_MM
        apart = np.maximum(place - corners, corners - place - CELL_MM).max(axis=1)
        assert apart.min() > 2, "markers stand by themselves, with white around them"


@pytest.mark.parametrize("seed", ALL)
def test_colour_says_nothing_of_place(seed: int) -> None:
    chart = chart_layout(seed)
    coloured = [patch for patch in chart.patches if patch.use != "field"]
    places = np.array([patch.centre_mm for patch in coloured])
    tones = np.array([patch.rgb for patch in coloured])
    assert np.abs(np.corrcoef(places.T, tones.T)[:2, 2:]).max() < 0.12
    at = {(patch.column, patch.row): np.array(patch.rgb) for patch in coloured}
    pairs = [(at[c, r], at[n]) for c, r in at for n in ((c + 1, r), (c, r + 1)) if n in at]
    close = sum(math.dist(one, other) < 100 for one, other in pairs)
    assert close <= 0.02 * len(pairs)


def test_charts_printed_once_stay_readable() -> None:
    # Whoever changes the layout counts VERSION up and writes the new sum here.
    assert VERSION == 1
    text = "\n".join(
        f"{patch.column} {patch.row} {patch.rgb} {patch.use}"
        for seed in ALL
        for patch in chart_layout(seed).patches
    )
    assert (
        hashlib.sha256(text.encode()).hexdigest()
        == "18e64f38814f6dfca8289af5b07445674dab5821f0aa7fe55ab60770cff27fab"
    )


def test_field_patches_lie_everywhere() -> None:
    chart = chart_layout(0)
    field = np.array([patch.centre_mm for patch in chart.patches if patch.use == "field"])
    for place in chart.centres():
        assert np.linalg.norm(field - place, axis=1).min() < 2 * CELL_MM


def test_seeds_differ_and_markers_tell_them() -> None:
    charts = [chart_layout(seed) for seed in ALL]
    assert len({chart.patches for chart in charts}) == SEEDS
    numbers = {
        marker_ids(v, s)[corner]: (v, s, corner) for v in (1, VERSIONS) for s in ALL for corner in range(4)
    }
    assert len(numbers) == 2 * SEEDS * 4
    assert all(marker_meaning(number) == meaning for number, meaning in numbers.items())
    assert marker_modules(max(numbers)).shape == (8, 8)
    for wrong in (-1, SEEDS):
        with pytest.raises(ConfigError, match="choose 0 to 15"):
            chart_layout(wrong)


@pytest.mark.parametrize("dpi", [150, 300, 600])
def test_patches_and_lines_in_dots(dpi: int) -> None:
    chart = chart_layout(3)
    picture = draw_chart(chart, dpi=dpi)
    assert picture.shape == (round(HEIGHT_MM * dpi / 25.4), round(WIDTH_MM * dpi / 25.4), 3)
    per_mm = dpi / 25.4
    for patch in chart.patches:
        x, y = (int(place * per_mm) for place in patch.centre_mm)
        assert tuple(picture[y, x]) == patch.rgb
    for block in chart.lines:
        x, y = (int(place * per_mm) for place in block.centre_mm)
        reach = int(4 * per_mm)
        part = picture[y - reach : y + reach, x - reach : x + reach, 0]
        line = part[0] if block.upright else part[:, 0]
        assert (part == (line if block.upright else line[:, None])).all()
        if dpi % 300 == 0:
            assert set(np.unique(line)) == {0, 255}
            runs = np.diff(np.flatnonzero(np.diff(line.astype(int))))
            assert set(runs) == {round(block.period_mm * per_mm / 2)}


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_the_pdf_has_true_size_and_every_dot(paper: Paper) -> None:
    chart = chart_layout(1)
    content = chart_pdf(chart, paper=paper)
    assert content == chart_pdf(chart, paper=paper)
    document = pymupdf.open(stream=content, filetype="pdf")
    assert len(document) == 1
    page = document[0]
    to_mm = 25.4 / 72
    assert (page.rect.width * to_mm, page.rect.height * to_mm) == pytest.approx(PAGES_MM[paper], abs=0.05)
    (found,) = page.get_images()
    box = page.get_image_rects(found[0])[0]
    assert (box.width * to_mm, box.height * to_mm) == pytest.approx((WIDTH_MM, HEIGHT_MM), abs=0.05)
    assert (box.x0 * to_mm, box.y0 * to_mm) == pytest.approx(frame_corner_mm(paper), abs=0.05)
    pixels = pymupdf.Pixmap(document, found[0])
    shown = np.frombuffer(pixels.samples, dtype=np.uint8).reshape(pixels.h, pixels.w, pixels.n)
    assert (shown == draw_chart(chart, dpi=300)).all()
    words = page.get_text()
    assert "Print at 100 %" in words
    assert "Switch colour correction off" in words
    assert f"chart {1}, seed 1" in words
    ruler = max((d["rect"].width for d in page.get_drawings()), default=0) * to_mm
    assert ruler == pytest.approx(100, abs=0.3)
    margins = [block[:4] for block in page.get_text("blocks")]
    assert min(block[0] for block in margins) * to_mm > 10
    assert max(block[2] for block in margins) * to_mm < PAGES_MM[paper][0] - 10
    assert min(block[1] for block in margins) * to_mm > 7
    assert max(block[3] for block in margins) * to_mm < PAGES_MM[paper][1] - 7


def test_the_png_is_the_same_page() -> None:
    chart = chart_layout(2)
    content = chart_png(chart, dpi=150)
    assert content == chart_png(chart, dpi=150)
    picture = Image.open(io.BytesIO(content))
    assert picture.size == (round(210 * 150 / 25.4), round(297 * 150 / 25.4))
    assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.02)
    assert picture.info["advmask:seed"] == "2"
    pdf = pymupdf.open(stream=chart_pdf(chart, dpi=150), filetype="pdf")[0].get_pixmap(dpi=150)
    shown = np.frombuffer(pdf.samples, dtype=np.uint8).reshape(pdf.h, pdf.w, pdf.n)
    left, top = (round(place * 150 / 25.4) for place in frame_corner_mm("a4"))
    for patch in chart.patches:
        x, y = (int(place * 150 / 25.4) for place in patch.centre_mm)
        assert tuple(shown[top + y, left + x]) == pytest.approx(patch.rgb, abs=1)
        assert picture.getpixel((left + x, top + y)) == patch.rgb


def test_mirrored_for_transfer_paper() -> None:
    chart = chart_layout(0)
    plain, mirrored = (Image.open(io.BytesIO(chart_png(chart, dpi=150, mirrored=m))) for m in (False, True))
    assert (np.asarray(mirrored) == np.asarray(plain)[:, ::-1]).all()
    pages = [
        pymupdf.open(stream=chart_pdf(chart, dpi=150, mirrored=m), filetype="pdf")[0].get_pixmap(dpi=150)
        for m in (False, True)
    ]
    plain_pdf, mirrored_pdf = (
        np.frombuffer(page.samples, dtype=np.uint8).reshape(page.h, page.w, 3).astype(int) for page in pages
    )
    differ = np.abs(mirrored_pdf - plain_pdf[:, ::-1]).max(axis=2) > 40
    assert differ.mean() < 0.05, "all but the edges of dots"
