"""Stripes and dots go on through bleed and allowances, and across the seam down the middle."""

from pathlib import Path

import numpy as np
import pytest
import shapely
import torch
from PIL import Image

from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.printing.bleed import continued
from advmask.printing.raster import margin_mm, rasterise
from advmask.printing.settings import PrintingSettings
from advmask.textures.design_files import Design, write_design
from advmask.textures.picture_fit import fit_picture
from advmask.textures.settings import Fit
from advmask.wearing.laid_picture import lay_picture
from advmask.wearing.opened_design import load_design

PRINTING = PrintingSettings(dpi=127, bleed_mm=3.0)  # 5 dots per mm
DARK, LIGHT = np.array([20, 40, 110]), np.array([245, 240, 225])
SIDE = 1200


def draw(kind: str, folder: Path) -> Path:
    """A picture of slanted stripes, or of dots, about a centimetre wide on a mask."""
    y, x = np.mgrid[0:SIDE, 0 : 3 * SIDE // 2].astype(float)
    dots = np.hypot((x % 120) - 60, (y % 120) - 60) < 35
    marked = dots if kind == "dots" else (x + 0.6 * y) // 70 % 2 == 0
    path = folder / f"{kind}.png"
    Image.fromarray(np.where(marked[..., None], DARK, LIGHT).astype(np.uint8)).save(path)
    return path


def printed(path: Path, name: str) -> tuple[np.ndarray, np.ndarray, FlatPattern]:
    """(h, w) whether each dot is dark, which are printed, and the pattern."""
    design = load_design(path, mask=name, finest=5.0)
    pattern = build_mask(design.mask).pattern
    artwork = rasterise(design, pattern, PRINTING)
    return artwork.colour[..., 0] < 130, artwork.coverage > 200, pattern


def looked_up(picture: np.ndarray, pattern: FlatPattern, places_mm: np.ndarray) -> np.ndarray:
    """What the artwork shows at places of the pattern frame."""
    start = np.array(pattern.box_mm[:2]) - margin_mm(pattern, PRINTING)
    column, row = np.floor((places_mm - start) * 5.0).astype(int).T
    return picture[row, column]


@pytest.mark.parametrize("kind", ["stripes", "dots"])
def test_a_picture_goes_on_through_the_bleed(kind: str, tmp_path: Path) -> None:
    dark, inked, pattern = printed(draw(kind, tmp_path), "contour")
    left, top, right, bottom = pattern.box_mm
    # The picture covers the box, its middle in the middle of it.
    per_mm = min(SIDE * 1.5 / (right - left), SIDE / (bottom - top))
    middle = np.array([left + right, top + bottom]) / 2
    mask = shapely.Polygon(pattern.panels[0].outline_mm)
    rows, columns = np.nonzero(inked)
    places = np.stack([columns, rows], axis=1) / 5.0 + 0.1 + np.array([left, top]) - 3.0
    away = shapely.distance(mask, shapely.points(places))
    x, y = ((places - middle) * per_mm + np.array([SIDE * 0.75, SIDE / 2])).T
    wanted = np.hypot((x % 120) - 60, (y % 120) - 60) < 35 if kind == "dots" else (x + 0.6 * y) // 70 % 2 == 0
    inside = (x > 0) & (x < 1.5 * SIDE) & (y > 0) & (y < SIDE)  # beyond its edge it is mirrored
    bleed = (away > 0.2) & inside
    assert bleed.sum() > 5000
    same = dark[rows, columns] == wanted
    assert same[bleed].mean() > 0.96  # the rest lies on edges of stripes and dots
    assert same[bleed].mean() > same[(away == 0) & inside].mean() - 0.01


@pytest.mark.parametrize("kind", ["stripes", "dots"])
def test_a_picture_meets_at_the_seam_and_goes_on_beyond_it(kind: str, tmp_path: Path) -> None:
    dark, _, pattern = printed(draw(kind, tmp_path), "panelled")
    seams = [line.points_mm for line in pattern.lines if "centre seam" in line.name]
    seams.sort(key=lambda points: points[:, 0].mean())
    v = np.linspace(2.0, 147.0, 400)
    at = [np.interp(v, *points[np.argsort(points[:, 1])].T[::-1]) for points in seams]
    # From 8 mm on the left half over the seam to 8 mm on the right half, each half read alone.
    shown = []
    for across in (-8.0, -5.0, -2.0, 0.0, 2.0, 5.0, 8.0):
        left, right = (looked_up(dark, pattern, np.stack([u + across, v], axis=1)) for u in at)
        assert (left == right).mean() > 0.95
        shown.append(left.mean())
    assert 0.1 < np.mean(shown) < 0.9


def test_nothing_of_a_picture_is_lost_between_the_halves(tmp_path: Path) -> None:
    surface = build_mask(MaskSettings(pattern="panelled"))
    picture = Image.new("RGB", (900, 600), "white")
    picture.paste("red", (430, 0, 470, 600))  # a bar down the middle
    picture.save(tmp_path / "bar.png")
    laid, per_mm = lay_picture(tmp_path / "bar.png", surface, texels_per_mm=3.0)
    assert per_mm == 3.0
    assert laid.texels.shape[1:] == surface.texture_size(3.0)
    panels = shapely.MultiPolygon([shapely.Polygon(panel.outline_mm) for panel in surface.pattern.panels])
    rows, columns = np.nonzero(laid.texels[1].numpy() < 0.5)
    places = np.stack([columns, rows], axis=1) / 3.0 + np.array(surface.origin_mm)
    area = shapely.contains_xy(panels, *places.T).sum() / 9.0
    wide = min(900 / (2 * 92), 600 / 150)  # px per mm, about
    assert area == pytest.approx(150 * 40 / wide, rel=0.15)


@pytest.mark.parametrize("fit", ["cover", "contain", "template"])
def test_a_design_of_the_same_pattern_lies_as_it_was_learned(tmp_path: Path, fit: Fit) -> None:
    surface = build_mask(MaskSettings(pattern="panelled"))
    texels = torch.rand(3, *surface.texture_size(1.0), generator=torch.Generator().manual_seed(0))
    write_design(tmp_path / "texture.png", Design(texels, pattern="panelled", texels_per_mm=1.0))
    laid, _ = lay_picture(tmp_path / "texture.png", surface, texels_per_mm=1.0, fit=fit)
    assert torch.allclose(laid.texels, texels, atol=0.51 / 255)
    tiled, _ = lay_picture(tmp_path / "texture.png", surface, texels_per_mm=1.0, fit="tile", copy_mm=20)
    assert not torch.allclose(tiled.texels, texels, atol=0.2), "copies are made where they are asked for"


def test_a_learned_design_is_mirrored_about_its_edge() -> None:
    pattern = build_mask(MaskSettings()).pattern
    left, top, right, bottom = pattern.box_mm
    shape = round((bottom - top) * 3), round((right - left) * 3)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / 3.0
    dots = (np.hypot((x % 12) - 6, (y % 12) - 6) < 4).astype(np.float32)
    margin = 20
    wide = continued(dots[None], pattern, per_mm=3.0, margin=margin, exact=True)[0]
    edge = shapely.LinearRing((pattern.panels[0].outline_mm - (left, top)) * 3.0 + margin)
    stations = shapely.line_interpolate_point(edge, np.linspace(0, edge.length, 600, endpoint=False))
    places, after = shapely.get_coordinates(stations), np.roll(shapely.get_coordinates(stations), -1, axis=0)
    along = (after - places) / np.linalg.norm(after - places, axis=1)[:, None]
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1)
    if not shapely.Polygon(edge).exterior.is_ccw:
        outward = -outward
    same = []
    for away in (2.0, 5.0, 8.0):  # texels
        out, into = (np.floor(places + sign * away * outward).astype(int) for sign in (1, -1))
        kept = ~shapely.contains_xy(shapely.Polygon(edge), *(out + 0.5).T)
        same.append((wide[out[:, 1], out[:, 0]] == wide[into[:, 1], into[:, 0]])[kept].mean())
    assert min(same) > 0.9
    assert set(np.unique(wide)) == {0.0, 1.0}


@pytest.mark.parametrize("fit", ["cover", "contain", "tile"])
def test_a_margin_moves_nothing(fit: str) -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 70, 3), dtype=np.uint8))
    plain = np.asarray(fit_picture(picture, height=60, width=90, fit=fit, copy_width=25)).astype(int)
    wide = np.asarray(fit_picture(picture, height=60, width=90, fit=fit, copy_width=25, margin=17)).astype(
        int
    )
    assert wide.shape == (94, 124, 3)
    assert np.abs(wide[17:-17, 17:-17] - plain).max() <= 2
