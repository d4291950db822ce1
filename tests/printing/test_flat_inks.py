"""Designs in few inks as they are printed: exact colours, smooth borders, a layer for each ink."""

import io
import re

import numpy as np
import pymupdf
import pytest
import shapely
import torch
from PIL import Image
from scipy.ndimage import binary_erosion, distance_transform_edt

from advmask.masks.flat_pattern import FlatPattern, Panel
from advmask.printing.exports import print_files
from advmask.printing.flat_inks import FlatInks, artwork_of, flat_inks
from advmask.printing.ink_borders import ink_borders
from advmask.printing.settings import PrintingSettings, SheetSettings
from advmask.textures.design_files import Design
from advmask.textures.ink_fields import InkFields, load_ink_fields, save_ink_fields

PER_MM = 3.0
INKS = np.array([[250, 240, 220], [200, 40, 30], [20, 40, 110]], dtype=np.uint8)
PRINTING = PrintingSettings(dpi=508, bleed_mm=1.0)  # 20 dots per mm
WIDTH, HEIGHT = 26.0, 18.0


def pattern() -> FlatPattern:
    corners = np.array([[0.0, 0.0], [WIDTH, 0.0], [WIDTH, HEIGHT], [0.0, HEIGHT]])
    return FlatPattern("box", "M", (Panel("all", corners),))


def fields_at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(3, ...) how far each ink leads: a disc on a ground, and a wavy band across both."""
    disc = 4.6 - np.hypot(x - 8.3, y - 9.1)
    band = 1.7 - np.abs(x - 17.2 - 1.5 * np.sin(y / 2.5) + 0.3 * y)
    return np.stack([np.zeros_like(x), disc, band])


def design(*, fields: bool) -> Design:
    y, x = (np.mgrid[0 : round(HEIGHT * PER_MM), 0 : round(WIDTH * PER_MM)] + 0.5) / PER_MM
    strength = fields_at(x, y)
    texels = torch.from_numpy(INKS[strength.argmax(axis=0)]).permute(2, 0, 1).float() / 255
    kept = InkFields(torch.from_numpy(INKS).float() / 255, torch.from_numpy(strength).float())
    return Design(
        texels.contiguous(), pattern="box", texels_per_mm=PER_MM, ink_fields=kept if fields else None
    )


def exact_at(dots_per_mm: float, height: int, width: int, start: float) -> np.ndarray:
    """(h, w) the ink that leads at each dot's centre."""
    y, x = (np.mgrid[0:height, 0:width] + 0.5) / dots_per_mm + start
    return fields_at(x, y).argmax(axis=0)


def furthest_mm(found: np.ndarray, exact: np.ndarray, dots_per_mm: float) -> float:
    """How deep an ink reaches at most into the area of another, one way and the other."""
    worst = 0.0
    for number in range(len(INKS)):
        for one, other in ((found == number, exact == number), (exact == number, found == number)):
            away = distance_transform_edt(~other)
            worst = max(worst, float(away[one].max(initial=0.0)) / dots_per_mm)
    return worst


def numbers_of(picture: np.ndarray) -> np.ndarray:
    """Number of the nearest ink of each pixel; antialiased edges go to one or the other side."""
    return np.abs(picture[..., None, :].astype(int) - INKS.astype(int)).sum(axis=-1).argmin(axis=-1)


def worn(height: int, width: int) -> tuple[slice, slice]:
    """The finished panel within the artwork at 20 dots per mm, whose bleed is 1 mm."""
    return slice(20, height - 20), slice(20, width - 20)


def test_the_png_has_exactly_the_inks_and_the_learned_borders() -> None:
    for with_fields, most in ((True, 0.1), (False, 0.25)):  # the texels alone leave half of one open
        files = print_files(design(fields=with_fields), pattern(), PRINTING)
        with Image.open(io.BytesIO(files["mask.png"])) as opened:
            picture = np.asarray(opened.convert("RGB"))
        colours = {tuple(colour) for colour in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
        assert colours == {tuple(ink) for ink in INKS.tolist()} | {(255, 255, 255)}
        height, width = picture.shape[:2]
        found = numbers_of(picture)[worn(height, width)]
        exact = exact_at(20.0, height, width, -1.0)[worn(height, width)]
        assert furthest_mm(found, exact, 20.0) <= most


def test_in_a_clear_picture_nothing_but_the_inks_is_seen() -> None:
    files = print_files(design(fields=True), pattern(), PRINTING, SheetSettings(beyond="transparent"))
    with Image.open(io.BytesIO(files["mask.png"])) as opened:
        pixels = np.asarray(opened)
    assert set(np.unique(pixels[..., 3]).tolist()) == {0, 255}
    assert len(np.unique(pixels[pixels[..., 3] == 255], axis=0)) == len(INKS)


def test_the_drawing_has_a_layer_for_each_ink_with_the_learned_borders() -> None:
    svg = print_files(design(fields=True), pattern(), PRINTING)["mask-inks.svg"].decode()
    labels = re.findall(r'inkscape:label="([^"]+)"', svg)
    assert labels == ["ink 1 #faf0dc", "ink 2 #c8281e", "ink 3 #14286e", "register marks"]
    left, top, width, _ = (float(n) for n in re.search(r'viewBox="([^"]+)"', svg).group(1).split())
    with pymupdf.open(stream=svg.encode(), filetype="svg") as drawing:
        shown = drawing[0].get_pixmap(dpi=508)
        pixels = np.frombuffer(shown.samples, np.uint8).reshape(shown.height, shown.width, -1)[..., :3]
    per_mm = pixels.shape[1] / width
    y, x = (np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]] + 0.5) / per_mm + np.array([top, left])[
        :, None, None
    ]
    inside = (x > 0) & (x < WIDTH) & (y > 0) & (y < HEIGHT)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    exact = fields_at(x, y).argmax(axis=0)
    assert per_mm > 10
    assert furthest_mm(numbers_of(pixels)[box], exact[box], per_mm) <= 0.2


def test_the_pdf_has_a_layer_and_a_film_for_each_ink() -> None:
    inks = flat_inks(design(fields=True), pattern(), PRINTING)
    assert inks is not None
    content = print_files(design(fields=True), pattern(), PRINTING)["mask-inks.pdf"]
    with pymupdf.open(stream=content, filetype="pdf") as pdf:
        assert [layer["name"] for layer in pdf.get_ocgs().values()] == inks.names
        assert len(pdf) == 1 + len(INKS)
        for page, shape, name in zip(list(pdf)[1:], inks.shapes, inks.names, strict=True):
            assert name in page.get_text()
            grey = page.get_pixmap(dpi=254, colorspace=pymupdf.csGRAY)
            pixels = np.frombuffer(grey.samples, np.uint8).reshape(grey.height, grey.width)
            frame = 11 * 10  # marks and words stand around
            black = (255 - pixels[frame:-frame, frame:-frame].astype(float)).sum() / 255 / 100
            assert black == pytest.approx(shape.area, rel=0.01)


def test_inks_fill_what_is_printed_without_gap_or_overlap() -> None:
    inks = flat_inks(design(fields=True), pattern(), PRINTING)
    assert inks is not None
    assert sum(shape.area for shape in inks.shapes) == pytest.approx(inks.inked.area, abs=0.01)
    for number, one in enumerate(inks.shapes):
        for other in inks.shapes[number + 1 :]:
            assert shapely.intersection(one, other).area < 1e-3
    turned = inks.mirrored()
    assert [shape.area for shape in turned.shapes] == pytest.approx([shape.area for shape in inks.shapes])
    assert turned.shapes[1].centroid.x == pytest.approx(-inks.shapes[1].centroid.x)


def test_borders_stay_near_those_of_the_texels_whatever_they_are() -> None:
    draw = np.random.default_rng(0)
    for texels in (draw.integers(0, 4, (30, 40)), np.kron(draw.integers(0, 3, (6, 8)), np.ones((5, 5), int))):
        squares = [shapely.box(x, y, x + 1, y + 1) for y, x in np.ndindex(texels.shape)]
        flat = np.array([texels[y, x] for y, x in np.ndindex(texels.shape)])
        inked = [shapely.union_all(np.array(squares)[flat == number]) for number in range(flat.max() + 1)]
        steps = shapely.union_all([one.boundary for one in inked])
        points = np.concatenate([ring for of_ink in ink_borders(texels, 4).rings for ring in of_ink])
        away = shapely.distance(steps, shapely.points(points))
        assert away.max() <= 0.65  # FURTHEST, and a corner that is cut between two points


def test_steps_of_a_slanted_line_are_gone() -> None:
    y, x = np.mgrid[0:40, 0:120] + 0.5
    ring = np.concatenate(ink_borders((y - 20.2 > 0.13 * (x - 60)).astype(int), 2).rings[0])
    on_line = ring[(ring[:, 0] > 10) & (ring[:, 0] < 110) & (ring[:, 1] > 5) & (ring[:, 1] < 35)]
    slope, offset = np.polyfit(on_line[:, 0], on_line[:, 1], 1)
    assert slope == pytest.approx(0.13, abs=0.005)
    assert np.abs(on_line[:, 1] - slope * on_line[:, 0] - offset).max() < 0.12  # texels; steps have 0.5


def test_a_design_of_many_colours_has_no_inks_and_a_plain_one_no_layers() -> None:
    many = Design(torch.rand(3, 54, 78), pattern="box", texels_per_mm=PER_MM)
    assert artwork_of(many, pattern(), PRINTING)[1] is None
    plain = Design(torch.full((3, 54, 78), 0.2), pattern="box", texels_per_mm=PER_MM)
    files = print_files(plain, pattern(), PRINTING)
    assert not [name for name in files if "inks" in name]
    with Image.open(io.BytesIO(files["mask.png"])) as opened:
        assert len(opened.getcolors()) == 2


def test_a_locked_part_keeps_its_own_colour() -> None:
    made = design(fields=True)
    texels = made.texels.clone()
    texels[:, :12, :12] = torch.tensor([0.2, 0.8, 0.2])[:, None, None]
    inks = flat_inks(
        Design(texels, pattern="box", texels_per_mm=PER_MM, ink_fields=made.ink_fields), pattern(), PRINTING
    )
    assert isinstance(inks, FlatInks)
    assert "#33cc33" in inks.codes
    green = inks.shapes[inks.codes.index("#33cc33")]
    assert green.intersection(shapely.box(0, 0, WIDTH, HEIGHT)).area == pytest.approx(16.0, abs=0.5)


def test_fields_come_back_from_their_file(tmp_path) -> None:
    fields = design(fields=True).ink_fields
    assert fields is not None
    save_ink_fields(tmp_path / "inks.safetensors", fields)
    again = load_ink_fields(tmp_path / "inks.safetensors")
    assert torch.equal(again.colours, fields.colours)
    assert torch.allclose(again.strength, fields.strength, atol=1e-2)
    border = ~binary_erosion(again.strongest.numpy() == fields.strongest.numpy(), border_value=1)
    assert border.mean() < 0.01


def test_an_ink_that_lies_beyond_the_print_has_no_film() -> None:
    half = FlatPattern("box", "M", (Panel("all", np.array([[0.0, 0.0], [WIDTH, 0.0], [0.0, HEIGHT]])),))
    numbers = np.zeros((round(HEIGHT * PER_MM), round(WIDTH * PER_MM)), dtype=int)
    numbers[10:20, 10:20], numbers[-4:, -4:] = 1, 2
    texels = torch.from_numpy(INKS[numbers]).permute(2, 0, 1).float() / 255
    made = Design(texels.contiguous(), pattern="box", texels_per_mm=PER_MM)
    inks = flat_inks(made, half, PRINTING)
    assert inks is not None
    assert inks.codes == ["#faf0dc", "#c8281e"]
    artwork, _ = artwork_of(made, half, PRINTING)
    shown = {tuple(colour) for colour in artwork.colour[artwork.coverage > 0].reshape(-1, 3).tolist()}
    assert shown == {tuple(colour) for colour in INKS[:2].tolist()}
