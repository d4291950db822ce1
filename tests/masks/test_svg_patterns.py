"""Patterns as SVG: drawn, read back, and outlines of users cut from the cloth."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from advmask.core.errors import DesignError
from advmask.masks.digest import surface_digest
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import SHIPPED, MaskSettings
from advmask.masks.shipped import shipped_surface
from advmask.masks.stretch import edge_stretch
from advmask.masks.svg_pattern import surface_from_svg
from advmask.masks.svg_shapes import read_drawing
from advmask.masks.svg_writer import pattern_svg

BOX = "M -60,30 H 60 V 90 H -60 Z"


def svg(body: str, head: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head}>{body}</svg>'.encode()


def finished(d: str = BOX, more: str = "") -> str:
    return f'<path class="finished" {more} d="{d}"/>'


def read(body: str, head: str = ""):
    return surface_from_svg(svg(body, head), name="mine", where="mine.svg")


def area(surface) -> float:
    a, b, c = (surface.vertices_mm[surface.faces[:, corner]] for corner in range(3))
    return 0.5 * float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())


def outline(surface) -> shapely.Polygon:
    return shapely.Polygon(surface.pattern.panels[0].outline_mm)


@pytest.mark.parametrize("size", ["M", "L"])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_drawn_pattern_is_read_back(name, size):
    drawn = build_mask(MaskSettings(pattern=name, size=size))
    text = pattern_svg(drawn.pattern)
    assert text == pattern_svg(drawn.pattern)
    medium = shipped_surface(name)
    again = surface_from_svg(text.encode(), name="mine", where="mine.svg")
    assert len(again.pattern.panels) == len(medium.pattern.panels)
    for one, other in zip(again.pattern.panels, medium.pattern.panels, strict=True):
        assert (one.name, one.allowance_mm) == (other.name, other.allowance_mm)
        np.testing.assert_allclose(one.outline_mm, other.outline_mm, atol=1e-3)
    lines = {(line.kind, line.name): line.points_mm for line in medium.pattern.lines}
    assert {(line.kind, line.name) for line in again.pattern.lines} == set(lines)
    for line in again.pattern.lines:
        np.testing.assert_allclose(line.points_mm, lines[line.kind, line.name], atol=1e-3)
    distance, nearest = cKDTree(again.uv_mm).query(medium.uv_mm)
    assert distance.max() < 2e-3
    assert np.linalg.norm(again.vertices_mm[nearest] - medium.vertices_mm, axis=1).max() < 0.02
    assert area(again) == pytest.approx(area(medium), rel=1e-4)
    assert edge_stretch(again).within == pytest.approx(edge_stretch(medium).within, abs=2e-3)


def test_an_outline_is_cut_from_the_cloth():
    surface = read(finished())
    assert surface.name == "mine"
    assert surface.pattern.box_mm == (-60, 30, 60, 90)
    triangles = shapely.polygons(surface.uv_mm[surface.faces])
    assert shapely.union_all(triangles, grid_size=1e-6).symmetric_difference(outline(surface)).area < 1e-2
    assert shapely.area(triangles).sum() == pytest.approx(120 * 60, abs=0.01)
    a, b, c = (surface.uv_mm[surface.faces[:, corner]] for corner in range(3))
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (turn < 0).all()
    cloth = shipped_surface("cloth")
    distance, nearest = cKDTree(cloth.uv_mm).query(surface.uv_mm)
    kept = distance < 1e-9
    assert kept.sum() > 200
    np.testing.assert_allclose(surface.vertices_mm[kept], cloth.vertices_mm[nearest[kept]], atol=1e-9)
    np.testing.assert_allclose(surface.chart_mm[kept], cloth.chart_mm[nearest[kept]], atol=1e-9)


SAME_BOX = [
    '<rect class="finished" x="-60" y="30" width="120" height="60"/>',
    '<polygon class="finished" points="-60,30 60,30 60,90 -60,90"/>',
    '<polyline class="finished" points="-60 30 60 30 60 90 -60 90 -60 30"/>',
    '<g transform="translate(0 30)"><g class="finished">'
    '<path transform="scale(2,1)" d="M-30,0h60v60h-60z"/></g></g>',
    '<g id="finished-1" transform="rotate(90) translate(30 -60)"><rect width="60" height="120"/></g>',
    '<path id="finished" d="M -60,30 L 60,30 L 60,90 L -60,90 L -60,30"/>',
    '<defs><rect id="r" width="120" height="60"/></defs><use class="finished" href="#r" x="-60" y="30"/>',
    f'<path class="cut" d="{BOX}"/>',
    f'<path class="cut" d="M0,0h9v9z"/><path class="finished" d="{BOX}"/><path d="M0,0 L5,5"/><text>x</text>',
]


@pytest.mark.parametrize("body", SAME_BOX)
def test_shapes_groups_and_transforms(body):
    surface = read(body)
    assert outline(surface).symmetric_difference(shapely.box(-60, 30, 60, 90)).area < 1e-6
    assert surface.pattern.panels[0].allowance_mm == 0


def test_curves_are_followed():
    circle = read('<circle class="finished" cx="0" cy="60" r="40"/>')
    assert outline(circle).area == pytest.approx(np.pi * 1600, rel=1e-3)
    ellipse = read(finished("M -50,60 A 50,30 0 0 1 50,60 A 50,30 0 0 1 -50,60 Z"))
    assert outline(ellipse).area == pytest.approx(np.pi * 1500, rel=1e-3)


def test_lines_and_panels_and_allowance():
    surface = read(
        finished("M -70,40 h 60 v 40 h -60 z", 'data-allowance-mm="7" data-name="left"')
        + finished("M 10,40 h 60 v 40 h -60 z")
        + '<line class="wire" x1="-20" y1="42" x2="-60" y2="42"/>'
        + '<path id="fold_2" d="M-70,50H-10M-70,60H-10"/>'
    )
    assert [(panel.name, panel.allowance_mm) for panel in surface.pattern.panels] == [
        ("left", 7),
        ("panel 2", 0),
    ]
    assert [line.kind for line in surface.pattern.lines] == ["wire", "fold", "fold"]
    assert len(surface.relief) == 3


def test_a_template_may_be_widened_by_a_centimetre():
    contour = shipped_surface("contour").pattern
    ring = shapely.Polygon(contour.panels[0].outline_mm).buffer(8.0, join_style="mitre")
    points = " ".join(f"{u},{v}" for u, v in ring.exterior.coords)
    surface = read(f'<polygon class="finished" points="{points}"/>', 'data-pattern="contour"')
    assert area(surface) > area(shipped_surface("contour")) + 3000
    assert edge_stretch(surface).within > 0.85


@pytest.mark.parametrize(
    ("body", "head", "says"),
    [
        (
            finished("M -60,30 L 60,90 L 60,30 L -60,90 Z"),
            "",
            r"crosses or touches itself at \(0\.0, 60\.0\) mm",
        ),
        (
            finished("M -60,30 H 60 V 90 H -60"),
            "",
            r"number 1 of class 'finished' is not closed.*\(-60\.0, 90\.0\)",
        ),
        ('<path d="M0,0h9v9z"/>', "", "has no outline"),
        (finished("M -60,30 H 60 V 90 H -60 Z M 0,40 h 9 v 9 z"), "", "made of 2 separate lines"),
        (
            finished("M -160,30 H 60 V 90 H -60 Z"),
            "",
            r"leaves the cloth by \d+\.\d mm at \(-160\.0, 30\.0\) mm",
        ),
        (
            finished("M -160,30 H 60 V 90 H -60 Z"),
            "",
            r"goes from -112 to 112 mm across, from 0 to 137 mm down",
        ),
        (finished(), 'width="100mm" viewBox="0 0 200 90"', r"one user unit measures 0\.5 mm"),
        (finished(), 'width="10cm" height="100mm"', r"one user unit measures 0\.2646 mm"),
        (finished(), 'width="100" viewBox="0 0 200 90"', "one user unit measures 0.1323 mm"),
        (finished(), 'width="0mm"', "one user unit measures"),
        (finished(), 'width="3em"', "width='3em'"),
        (finished(), 'viewBox="0 0 x 1"', "viewBox '0 0 x 1'"),
        (
            finished() + finished("M 0,40 h 90 v 30 h -90 z"),
            "",
            r"number 2 of .* overlaps .* by 18 cm2 around",
        ),
        (finished("M 0,40 h 30 v 30 h -30 z"), "", "encloses 9 cm2 and a panel has at least 10 cm2"),
        (finished("M 0,40 h 30"), "", "not closed|no area"),
        (finished(""), "", "has no length"),
        (finished("M 0,0 L"), "", "cannot be read"),
        (finished("M 0,0 L 1e999,3 z"), "", "not a number|cannot be read"),
        (finished(more='data-allowance-mm="wide"'), "", "data-allowance-mm='wide'"),
        (finished(more='data-allowance-mm="-1"'), "", "write 0 to 30"),
        ('<rect id="finished" width="10cm" height="4"/>', "", "<rect id='finished'> has width='10cm'"),
        ('<polygon class="finished" points="1 2 3"/>', "", "odd or too small"),
        (finished(), 'data-pattern="mine"', "was drawn from the pattern 'mine'"),
        (finished(), 'data-size="XXL"', "data-size='XXL'"),
        ("<open>", "", "is not XML"),
    ],
)
def test_what_is_wrong_with_a_drawing(body, head, says):
    with pytest.raises(DesignError, match=says) as caught:
        read(body, head)
    assert "mine.svg" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b" \n", "is empty"), (b"<html/>", "not SVG")]
)
def test_what_is_no_drawing(content, says):
    with pytest.raises(DesignError, match=says):
        surface_from_svg(content, name="mine", where="mine.svg")


def test_groups_without_end_are_refused():
    with pytest.raises(DesignError, match="groups within groups"):
        read("<g>" * 5000 + finished() + "</g>" * 5000)


def test_a_shrunken_pattern_keeps_to_its_own_cloth():
    text = pattern_svg(shipped_surface("pleated").pattern)
    trimmed = text.replace("87.5,190", "80,190").replace("-80,190", "-87.5,190")
    assert trimmed != text
    surface = surface_from_svg(trimmed.encode(), name="mine", where="f")
    assert area(surface) < area(shipped_surface("pleated"))
    too_wide = text.replace("87.5,190", "95,190").replace("-95,190", "-87.5,190")
    with pytest.raises(
        DesignError, match=r"leaves the cloth of the pleated pattern it is made from by 7\.\d mm"
    ):
        surface_from_svg(too_wide.encode(), name="mine", where="f")


def test_the_users_file_is_built_again_only_when_it_changes(tmp_path):
    path = tmp_path / "My mask (2).svg"
    path.write_bytes(svg(finished()))
    chosen = MaskSettings(pattern=str(path))
    first = build_mask(chosen)
    assert first.name == "My_mask_2"
    assert surface_digest(build_mask(chosen)) == surface_digest(first)
    path.write_bytes(svg(finished("M -50,30 H 60 V 90 H -50 Z")))
    assert build_mask(chosen).size_mm == (110, 60)
    assert build_mask(MaskSettings(pattern=str(path), size="L")).size_mm == pytest.approx((116.6, 63.6))


@pytest.mark.parametrize(
    ("stem", "name"), [("contour", "own_contour"), ("a b", "a_b"), ("日本", "pattern"), ("x" * 99, "x" * 60)]
)
def test_names_of_users_patterns(tmp_path, stem, name):
    path = tmp_path / f"{stem}.SVG"
    path.write_bytes(svg(finished()))
    assert build_mask(MaskSettings(pattern=str(path))).name == name


def test_a_folder_is_no_pattern(tmp_path):
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(DesignError, match="cannot be read"):
        build_mask(MaskSettings(pattern=str(tmp_path / "a.svg")))


def test_home_is_expanded(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m.svg").write_bytes(svg(finished()))
    assert build_mask(MaskSettings(pattern="~/m.svg")).name == "m"


@settings(max_examples=40, deadline=None)
@given(
    corners=st.lists(st.tuples(st.floats(-90, 90), st.floats(40, 100)), min_size=3, max_size=9, unique=True)
)
def test_any_polygon_is_cut_exactly_or_refused(corners):
    points = " ".join(f"{u:.4f},{v:.4f}" for u, v in corners)
    polygon = shapely.Polygon([(round(u, 4), round(v, 4)) for u, v in corners])
    try:
        surface = read(f'<polygon class="finished" points="{points}"/>')
    except DesignError as error:
        assert "mine.svg" in str(error)  # noqa: PT017
        on_cloth = outline(shipped_surface("cloth")).buffer(-0.1)
        assert not polygon.is_valid or polygon.area < 1000.1 or not on_cloth.contains(polygon)
        return
    triangles = shapely.polygons(surface.uv_mm[surface.faces])
    assert shapely.area(triangles).sum() == pytest.approx(polygon.area, abs=0.5)
    assert np.isfinite(surface.vertices_mm).all()


@settings(max_examples=80, deadline=None)
@given(
    d=st.text(alphabet="MLHVCSQTAZmlhvcsqtaz0123456789., -e", max_size=40),
    transform=st.sampled_from(["", "rotate(", "scale(0)", "matrix(1 2)", "translate(nan)", "skewX(90)"]),
)
def test_wild_paths_never_end_in_another_error(d, transform):
    try:
        read_drawing(svg(f'<g transform="{transform}">{finished(d)}</g>'), where="wild.svg")
    except DesignError as error:
        assert "wild.svg" in str(error)  # noqa: PT017
