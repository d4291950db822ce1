"""A template to draw on: what is drawn on it lies, in the print, where it was drawn."""

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from PIL import Image, PngImagePlugin

from advmask import cli
from advmask.core.errors import DesignError
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import SHIPPED, MaskSettings
from advmask.printing.raster import margin_mm, rasterise
from advmask.printing.settings import PrintingSettings
from advmask.printing.template import seen_from, template_png, template_svg
from advmask.wearing.opened_design import load_design

SIDE_MM = 12.0


@pytest.mark.parametrize(("pattern", "size", "at"), [
    ("contour", "M", (-40.0, 60.0)),
    ("panelled", "L", (62.0, 45.0)),
    ("gaiter", "M", (-210.0, 20.0)),
])  # fmt: skip
def test_a_drawing_is_printed_where_it_was_drawn(pattern, size, at, tmp_path):
    """Within half a dot of the coarser of drawing and print, its edges measured by their coverage."""
    mask = MaskSettings(pattern=pattern, size=size)
    surface = build_mask(mask)
    with Image.open(io.BytesIO(template_png(surface, dpi=72))) as template:
        drawing = Image.new("RGB", template.size, "white")
        width, height = template.size
    left, top, right, bottom = surface.pattern.frame_mm
    x = (np.array([at[0], at[0] + SIDE_MM]) - left) * width / (right - left)
    y = (np.array([at[1], at[1] + SIDE_MM]) - top) * height / (bottom - top)
    corners = np.rint([x[0], y[0], x[1], y[1]]).astype(int)
    drawing.paste((0, 0, 0), tuple(corners.tolist()))
    drawn_mm = corners * np.tile([(right - left) / width, (bottom - top) / height], 2) + np.tile(
        [left, top], 2
    )
    drawing.save(tmp_path / "drawing.png")

    printing = PrintingSettings(dpi=150)
    design = load_design(tmp_path / "drawing.png", mask=mask, fit="template", finest=printing.dpi / 25.4)
    dark = 1 - rasterise(design, surface.pattern, printing).on_white().astype(float).mean(axis=2) / 255
    start = np.array(surface.pattern.box_mm[:2]) - margin_mm(surface.pattern, printing)
    found = []
    for profile in (dark.max(axis=0), dark.max(axis=1)):
        inked = np.flatnonzero(profile > 0.5)
        found.append([inked[0], inked[-1] + 1])
    (x0, x1), (y0, y1) = np.array(found) * 25.4 / printing.dpi + start[:, None]
    assert [x0, y0, x1, y1] == pytest.approx(drawn_mm, abs=0.5 * 25.4 / 72)


def test_a_picture_of_other_proportions_is_refused(tmp_path):
    Image.new("RGB", (300, 300)).save(tmp_path / "square.png")
    with pytest.raises(DesignError, match=r"1\.5\d\d times as wide as high; draw on the file"):
        load_design(tmp_path / "square.png", mask="contour", fit="template")


def test_the_svg_is_the_frame_in_mm_with_a_layer_to_draw_in():
    surface = build_mask(MaskSettings(pattern="pleated"))
    left, top, right, bottom = surface.pattern.frame_mm
    page = [left, top, right - left, bottom - top]
    root = ElementTree.fromstring(template_svg(surface))
    assert [float(v) for v in root.get("viewBox").split()] == pytest.approx(page)
    assert float(root.get("width").removesuffix("mm")) == pytest.approx(right - left)
    layers = [child for child in root if child.tag.endswith("}g")]
    assert [one.get("id") for one in layers] == ["drawing", "guides"]
    assert len(layers[0]) == 0
    colours = {path.get("stroke") for path in layers[1]}
    assert {"#d00060", "#ff00ff", "#0050ff", "#00a000", "#e08000"} <= colours


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_seen_from_in_front_is_the_middle_and_less_than_from_all_sides(name):
    surface = build_mask(MaskSettings(pattern=name))
    front, sides = seen_from(surface, [0.0]), seen_from(surface, [-45.0, 0.0, 45.0])
    panels = shapely.union_all([shapely.Polygon(one.outline_mm) for one in surface.pattern.panels])
    assert front.difference(sides.buffer(0.3)).area < 1.0
    assert front.area < 0.97 * panels.area
    u, _, right, _ = front.bounds
    assert u == pytest.approx(-right, abs=1.0)
    if name == "gaiter":
        assert right < 160, "the back is not seen"
        assert sides.bounds[2] < 240


def test_a_centre_line_over_a_notch_is_drawn_in_pieces(tmp_path):
    outline = '<path class="finished" d="M-60,20 L60,20 L60,100 L-60,100 L-60,65 L30,65 L30,58 L-60,58 Z"/>'
    path = tmp_path / "own.svg"
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{outline}</svg>')
    surface = build_mask(MaskSettings(pattern=str(path)))
    assert template_svg(surface).count("#d00060") == 2
    assert template_png(surface, dpi=72)


def test_the_command_writes_both_and_never_over_a_drawing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["pattern", "mask=contour", "template=true", "dpi=72"]
    assert cli.main(words) == 0
    assert "633 x 409 px at 72 dpi" in capsys.readouterr().out
    path = Path("patterns/contour-M-template.png")
    with Image.open(path) as picture:
        assert picture.size == (633, 409)
        assert picture.mode == "RGBA"
    assert Path("patterns/contour-M-template.svg").exists()
    assert cli.main(words) == 0, "the same again"
    assert cli.main([*words, "bleed_mm=5"]) == 0, "nothing was drawn on it"
    with Image.open(path) as picture:
        text = PngImagePlugin.PngInfo()
        for key, value in picture.info.items():
            if isinstance(value, str):
                text.add_text(key, value)
        picture.putpixel((300, 200), (1, 2, 3, 255))
        picture.save(path, pnginfo=text)
    drawn = path.read_bytes()
    assert cli.main(words) == 7
    assert path.read_bytes() == drawn
