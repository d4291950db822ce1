"""Worn meshes of users, as OBJ."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from advmask.core.errors import DesignError
from advmask.masks.digest import surface_digest
from advmask.masks.mask_building import build_mask
from advmask.masks.obj_pattern import surface_from_obj
from advmask.masks.obj_writer import surface_obj
from advmask.masks.settings import MaskSettings
from advmask.masks.shipped import shipped_surface

# A sheet of 120 x 80 mm before the mouth, in four quads; v points down in vt.
SHEET = """\
v -60 0 60
v 0 0 80
v 60 0 60
v -60 -40 60
v 0 -40 80
v 60 -40 60
v -60 -80 50
v 0 -80 70
v 60 -80 50
vt -63 0
vt 0 0
vt 63 0
vt -63 40
vt 0 40
vt 63 40
vt -63 81
vt 0 81
vt 63 81
f 4/4 5/5 2/2 1/1
f 5/5 6/6 3/3 2/2
f 7/7 8/8 5/5 4/4
f 8/8 9/9 6/6 5/5
"""


def read(text: str):
    return surface_from_obj(text.encode(), name="mine", where="mine.obj")


def swapped(*pairs: tuple[str, str]) -> str:
    text = SHEET
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_sheet_becomes_a_mask():
    surface = read(SHEET)
    assert surface.name == "mine"
    assert surface.pattern.box_mm == (-63, 0, 63, 81)
    assert surface.size_mm == (126, 81)
    assert (len(surface.vertices_mm), len(surface.faces)) == (9, 8)
    (panel,) = surface.pattern.panels
    assert len(panel.outline_mm) == 8
    normals = np.cross(
        *(surface.vertices_mm[surface.faces[:, i]] - surface.vertices_mm[surface.faces[:, 0]] for i in (1, 2))
    )
    assert (normals[:, 2] > 0).all()


@pytest.mark.parametrize("name", ["contour", "panelled"])
def test_shipped_surfaces_survive_the_format(name):
    surface = shipped_surface(name)
    again = read(surface_obj(surface))
    assert len(again.faces) == len(surface.faces)
    assert len(again.pattern.panels) == len(surface.pattern.panels)
    np.testing.assert_allclose(again.pattern.box_mm, surface.pattern.box_mm, atol=1e-3)
    corners, expected = (
        np.sort(one.vertices_mm[one.faces].reshape(-1, 9), axis=0) for one in (again, surface)
    )
    np.testing.assert_allclose(corners, expected, atol=1e-3)
    # The place on the face is looked up again, on a sheet that lies within a millimetre or two.
    order = np.lexsort(np.rint(again.vertices_mm * 100).T), np.lexsort(np.rint(surface.vertices_mm * 100).T)
    off = np.linalg.norm(again.chart_mm[order[0]] - surface.chart_mm[order[1]], axis=1)
    assert np.median(off) < 2.5


POLYGONS = {
    "notch": [(-60, 0), (-15, 0), (0, 20), (15, 0), (60, 0), (55, 60), (-55, 60)],
    "point on an edge": [(-60, 0), (0, 0), (60, 0), (60, 60), (0, 60), (-60, 60)],
    "points on one edge": [(-60, 0), (-20, 0), (20, 0), (60, 0), (60, 60), (-60, 60)],
    "rectangle": [(-60, 0), (60, 0), (60, 60), (-60, 60)],
    "arrow": [(-60, 0), (0, 30), (60, 0), (0, 70)],
    "comb": [(-60, 0), (-40, 40), (-20, 0), (0, 40), (20, 0), (40, 40), (60, 0), (60, 60), (-60, 60)],
}


def polygon(corners, *, first: int = 0, turned: bool = False) -> str:
    """One face before the mouth, flat as it is worn."""
    order = (np.arange(len(corners))[:: 1 if turned else -1] + first) % len(corners) + 1
    lines = [f"v {u} {-v} 60" for u, v in corners] + [f"vt {u} {v}" for u, v in corners]
    return "\n".join([*lines, "f " + " ".join(f"{n}/{n}" for n in order)])


@pytest.mark.parametrize("corners", POLYGONS.values(), ids=POLYGONS)
def test_a_polygon_is_the_same_from_whichever_corner_it_begins(corners):
    shape = shapely.Polygon(corners)
    for turned in (False, True):
        seen = set()
        for first in range(len(corners)):
            surface = read(polygon(corners, first=first, turned=turned))
            triangles = shapely.polygons(surface.uv_mm[surface.faces])
            assert len(triangles) == len(corners) - 2, "every corner is used, so that neighbours fit"
            assert shapely.union_all(triangles).symmetric_difference(shape).area < 1e-6
            assert shapely.area(triangles).sum() == pytest.approx(shape.area)
            assert shapely.Polygon(surface.pattern.panels[0].outline_mm).equals(shape)
            seen.add(surface_digest(surface))
        assert len(seen) == 1


def test_a_point_on_an_edge_meets_its_neighbours():
    """A face above with a point in the middle of its lower edge, and two faces below that share the point."""
    text = polygon([(-60, 0), (60, 0), (60, 30), (0, 30), (-60, 30)]) + "\n"
    text += "v -60 -60 60\nv 0 -60 60\nv 60 -60 60\nvt -60 60\nvt 0 60\nvt 60 60\n"
    surface = read(text + "f 6/6 7/7 4/4 5/5\nf 7/7 8/8 3/3 4/4")
    assert len(surface.pattern.panels) == 1
    assert surface.pattern.box_mm == (-60, 0, 60, 60)


@pytest.mark.parametrize(
    "corners", [[(-60, 0), (60, 60), (60, 0), (-60, 60)], [(-60, 0), (60, 0), (0, 0)] * 2]
)
def test_a_polygon_over_itself_is_refused(corners):
    with pytest.raises(
        DesignError, match=r"mine\.obj, line \d+.*: (the edge of the face|a triangle without)"
    ):
        read(polygon(corners))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_polygon_is_split_exactly_or_refused(data):
    corner = st.tuples(st.integers(-6, 6), st.integers(0, 6))
    corners = [(10 * u, 10 * v) for u, v in data.draw(st.lists(corner, min_size=4, max_size=9))]
    shape = shapely.Polygon(corners)
    whole = shape.is_valid and shape.area > 0 and all(a != b for a, b in pairwise([*corners, corners[0]]))
    try:
        surface = read(polygon(corners, first=data.draw(st.integers(0, 8))))
    except DesignError as error:
        assert not whole or "measures" in str(error)  # noqa: PT017
        return
    assert whole
    triangles = shapely.polygons(surface.uv_mm[surface.faces])
    assert shapely.area(triangles).sum() == pytest.approx(shape.area)
    assert shapely.union_all(triangles).symmetric_difference(shape).area < 1e-6


def blender(surface, *, quads: bool) -> str:
    """The surface as Blender exports it: six decimals, normals, groups, a material, ends counted back."""
    lines = ["# Blender 4.2.0", "mtllib mask.mtl", "o Mask", "g Mask_cloth"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in surface.vertices_mm]
    lines += ["vn 0.0000 0.0000 1.0000"] + [f"vt {u:.6f} {v:.6f}" for u, v in surface.uv_mm]
    lines += ["s 0", "usemtl Cloth"]
    faces = [list(face) for face in surface.faces]
    if quads:  # two triangles that a Delaunay triangulation would make of their quad
        faces = joined(surface, faces)
    count = len(surface.vertices_mm)
    for number, face in enumerate(faces):
        ends = [(n - count if number % 2 else n + 1) for n in face]
        lines.append("f " + " ".join(f"{n}/{n}/1" for n in ends))
    return "\n".join(lines) + "\n"


def joined(surface, faces: list[list[int]]) -> list[list[int]]:
    owner = {(face[i], face[(i + 1) % 3]): n for n, face in enumerate(faces) for i in range(3)}
    taken, found = set(), []
    for n, face in enumerate(faces):
        for i in range(3):
            a, b, c = (face[(i + k) % 3] for k in range(3))
            other = owner.get((b, a))
            if n in taken or other is None or other in taken or other == n:
                continue
            (d,) = set(faces[other]) - {a, b}
            quad = [a, d, b, c]
            ring = shapely.Polygon(surface.uv_mm[quad])
            cut = shapely.constrained_delaunay_triangles(ring) if ring.is_valid else None
            if cut is not None and any(
                part.equals(shapely.Polygon(surface.uv_mm[face])) for part in cut.geoms
            ):
                taken |= {n, other}
                found.append(quad)
    return found + [face for n, face in enumerate(faces) if n not in taken]


@pytest.mark.parametrize("quads", [False, True])
def test_a_mesh_out_of_blender_is_the_mask_of_the_template(quads):
    template = read(surface_obj(shipped_surface("contour")))
    text = blender(template, quads=quads)
    assert not quads or text.count("\nf ") < 0.8 * len(template.faces)
    again = read(text)
    assert again.pattern.box_mm == pytest.approx(template.pattern.box_mm, abs=1e-5)
    assert len(again.faces) == len(template.faces)
    corners = [np.c_[one.vertices_mm, one.uv_mm, one.chart_mm][one.faces] for one in (again, template)]
    rounded = [{frozenset(map(tuple, np.round(face, 3).tolist())) for face in one} for one in corners]
    assert len(rounded[0] ^ rounded[1]) <= 2, "the same triangles, but for a tie between diagonals"


@pytest.mark.parametrize(
    "text",
    [
        SHEET.replace("\n", "\r\n"),
        "\ufeffmtllib x.mtl\no mask\n" + SHEET + "\n# the end\n\n",
        swapped(("/4 5/5 2/2 1/1", "/4/1 5/5/1 \\\n2/2/1 1/1/1")),
        swapped(("f 4/4 5/5 2/2 1/1", "f -6/-6 -5/-5 -8/-8 -9/-9")),
        swapped(("f 4/4 5/5 2/2 1/1", "f 4/4 5/5 2/2\nf 4/4 2/2 1/1")),
        "\n".join(SHEET.splitlines()[:18])
        + "\n"
        + "".join(  # every face with vertices and coordinates of its own
            "".join(f"v {SHEET.splitlines()[i - 1][2:]}\nvt {SHEET.splitlines()[i + 8][3:]}\n" for i in face)
            + "f -4/-4 -3/-3 -2/-2 -1/-1\n"
            for face in ((4, 5, 2, 1), (5, 6, 3, 2), (7, 8, 5, 4), (8, 9, 6, 5))
        ),
    ],
)
def test_ways_to_write_the_same(text):
    surface, plain = read(text), read(SHEET)
    np.testing.assert_array_equal(surface.vertices_mm, plain.vertices_mm)
    np.testing.assert_array_equal(surface.uv_mm, plain.uv_mm)
    assert len(surface.pattern.panels) == 1


def test_faces_that_all_turn_inwards_are_turned():
    inwards = "\n".join(
        "f " + " ".join(reversed(line.split()[1:])) if line.startswith("f") else line
        for line in SHEET.splitlines()
    )
    surface = read(inwards)
    a, b, c = (surface.vertices_mm[surface.faces[:, corner]] for corner in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_coordinates_that_differ_make_a_seam():
    two = swapped(("vt 63 81\n", "vt 63 81\nvt 20 0\nvt 20 40\nvt 20 81\n"), ("63 ", "83 "))
    two = two.replace("-83", "-63").replace("f 5/5 6/6 3/3 2/2", "f 5/11 6/6 3/3 2/10")
    two = two.replace("f 8/8 9/9 6/6 5/5", "f 8/12 9/9 6/6 5/11")
    surface = read(two)
    assert [panel.name for panel in surface.pattern.panels] == ["panel 1", "panel 2"]
    assert len(surface.vertices_mm) == 12
    assert surface.pattern.box_mm == (-63, 0, 83, 81)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (swapped(("f 4/4 5/5 2/2 1/1", "f 4 5 2 1")), "line 19: corner '4' has no texture coordinate"),
        (swapped(("f 4/4 5/5 2/2 1/1", "f 4//1 5//1 2//1")), "line 19: corner '4//1' has no texture"),
        (swapped(("9/9", "10/9")), "line 22: there is no v number '10'; 9 stand above it"),
        (swapped(("9/9", "9/0")), "line 22: there is no vt number '0'"),
        (swapped(("9/9", "9/x")), "line 22: there is no vt number 'x'"),
        (swapped(("v 0 -40 80", "v 0 nan 80")), "line 5: v needs 3 finite numbers in mm, got '0 nan 80'"),
        (swapped(("vt 0 0", "vt 0")), "line 11: vt needs 2 finite numbers"),
        (swapped(("f 4/4 5/5 2/2 1/1", "f 4/4 5/5")), "line 19: a face has at least 3 corners"),
        (SHEET[: SHEET.index("f 4")], "holds no faces"),
        ("", "holds no faces"),
        (swapped(("f 4/4 5/5 2/2 1/1", "f 4/4 5/5 4/4 1/1")), "line 19.*: a triangle without area worn"),
        (swapped(("vt 0 40", "vt 0 0")), "without area on the pattern"),
        (swapped(("vt 0 40", "vt 90 40")), "triangles are overturned on the pattern"),
        (swapped((" 40\n", " -40\n"), (" 81\n", " -81\n")).replace("v -60 -40", "v -60 -41"), "mirror image"),
        (SHEET + "f 4/4 5/5 2/2 1/1\n", "line 19: .*(share one edge|same side of one edge)"),
        (
            "\n".join(
                " ".join([word, *(str(float(n) / 1000) for n in rest)]) if word == "v" else line
                for line in SHEET.splitlines()
                for word, *rest in [line.split()]
            ),
            "seems to be in metres; scale it by 1000",
        ),
        (
            "\n".join(
                " ".join([word, *(str(float(n) / 200 + 0.5) for n in rest)]) if word == "vt" else line
                for line in SHEET.splitlines()
                for word, *rest in [line.split()]
            ),
            "seems to run from 0 to 1",
        ),
    ],
)
def test_what_is_wrong_with_a_mesh(text, says):
    with pytest.raises(DesignError, match=says) as caught:
        read(text)
    assert str(caught.value).startswith("mine.obj")


def grid(hole: bool = False, fold: float = 0.0) -> str:
    """A sheet of 10 x 10 quads, by choice without its middle, or turned over itself on the pattern."""
    lines = []
    for row in range(11):
        for column in range(11):
            lines.append(f"v {12 * column - 60} {-8 * row} {70 - abs(column - 5)}")
            angle = fold * column / 10
            radius = 40 + 8 * row
            flat = (radius * np.sin(angle), radius * np.cos(angle)) if fold else (12 * column - 60, 8 * row)
            lines.append(f"vt {flat[0]:.4f} {flat[1]:.4f}")
    for row in range(10):
        for column in range(10):
            if hole and row == column == 5:
                continue
            a = 11 * row + column + 1
            lines.append("f " + " ".join(f"{n}/{n}" for n in (a, a + 11, a + 12, a + 1)))
    return "\n".join(lines)


def test_holes_and_overlaps_are_refused():
    assert len(read(grid()).pattern.panels) == 1
    with pytest.raises(DesignError, match=r"has 2 edges, one of them around \(6\.0, 44\.0\) mm"):
        read(grid(hole=True))
    assert len(read(grid(fold=5.0)).pattern.panels) == 1
    with pytest.raises(DesignError, match="overlaps itself on the pattern"):
        read(grid(fold=7.0))


def test_panels_on_each_other_are_refused():
    shifted = "".join(
        f"vt {float(line.split()[1]) + 100} {line.split()[2]}\n" if line.startswith("vt") else f"{line}\n"
        for line in SHEET.splitlines()
        if not line.startswith("f")
    )
    shifted = shifted.replace(" 60\n", " 61\n").replace(" 80\n", " 81\n").replace(" 50\n", " 51\n")
    faces = SHEET[SHEET.index("f 4") :]
    later = "".join(
        "f "
        + " ".join(f"{int(c.split('/')[0]) + 9}/{int(c.split('/')[1]) + 9}" for c in line.split()[1:])
        + "\n"
        for line in faces.splitlines()
    )
    with pytest.raises(DesignError, match=r"line 41: panel 2 overlaps panel 1 on the pattern \(vt\) around"):
        read(SHEET + shifted + later)


def test_too_many_triangles():
    with pytest.raises(DesignError, match="more than 200,000 triangles"):
        read("v 0 0 0\nvt 0 0\n" + "f" + " 1/1" * 200_003)


def test_the_file_is_named_by_the_settings(tmp_path):
    (tmp_path / "pleated.OBJ").write_text(SHEET)
    surface = build_mask(MaskSettings(pattern=str(tmp_path / "pleated.OBJ"), size="L"))
    assert surface.name == "own_pleated"
    assert surface.size_mm == pytest.approx((126 * 1.06, 81 * 1.06))


@settings(max_examples=60, deadline=None)
@given(
    place=st.integers(0, len(SHEET) - 1),
    length=st.integers(0, 12),
    junk=st.text(alphabet="vtf/ -0123456789.e\n\\#n", max_size=12),
)
def test_a_damaged_file_is_read_or_refused(place, length, junk):
    try:
        surface = read(SHEET[:place] + junk + SHEET[place + length :])
    except DesignError as error:
        assert str(error).startswith("mine.obj")  # noqa: PT017
        return
    assert np.isfinite(surface.vertices_mm).all()
    assert np.isfinite(surface.chart_mm).all()


@pytest.mark.parametrize(
    "change", [lambda x, y, z: (x, z, -y), lambda x, y, z: (x, y + 90, z), lambda x, y, z: (x, y, z - 90)]
)
def test_a_mask_that_is_not_on_the_face_is_refused(change):
    lines = [
        "v {} {} {}".format(*change(*map(float, line.split()[1:]))) if line.startswith("v ") else line
        for line in surface_obj(shipped_surface("contour")).splitlines()
    ]
    with pytest.raises(DesignError, match="mm from the lower face"):
        read("\n".join(lines))


def test_inches_are_suspected():
    with pytest.raises(DesignError, match=r"inches; scale it by 25\.4"):
        read(
            "\n".join(
                "v {} {} {}".format(*(float(n) / 25.4 for n in line.split()[1:]))
                if line.startswith("v ")
                else line
                for line in SHEET.splitlines()
            )
        )
