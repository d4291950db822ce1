"""The files shown in the documentation are patterns."""

import re
from pathlib import Path

import pytest

from advmask.masks.obj_pattern import surface_from_obj
from advmask.masks.settings import SHIPPED, SIZES
from advmask.masks.shipped import shipped_surface
from advmask.masks.stretch import edge_stretch
from advmask.masks.svg_pattern import surface_from_svg

TEXT = (Path(__file__).parents[2] / "docs" / "patterns.md").read_text(encoding="utf-8")


def block(language: str) -> bytes:
    (found,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return found.encode()


def test_the_outline():
    surface = surface_from_svg(block("svg"), name="example", where="example.svg")
    assert surface.pattern.panels[0].allowance_mm == 5
    assert [line.kind for line in surface.pattern.lines] == ["wire"]
    assert edge_stretch(surface).within > 0.9


def test_the_mesh():
    surface = surface_from_obj(block("obj"), name="example", where="example.obj")
    assert len(surface.pattern.panels) == 2
    assert edge_stretch(surface).within == 1.0


@pytest.mark.parametrize("name", SHIPPED)
def test_the_sizes(name):
    width, height = shipped_surface(name).size_mm
    assert f"{width:.0f} x {height:.0f} mm" in TEXT
    assert all(f"| {factor:.2f} |" in TEXT for factor in SIZES.values())
