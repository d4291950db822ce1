"""Vector drawings as motifs: drawn as they look, and refused where they reach for anything else."""

import base64
import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advmask.core.errors import DesignError
from advmask.textures import svg_drawing
from advmask.textures.picture_texels import open_as_srgb, read_mask_picture, read_picture_as_texels
from advmask.textures.settings import TextureSettings
from advmask.textures.svg_drawing import is_svg, read_svg

SPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
HEAD = f'<svg {SPACES} viewBox="0 0 40 20">'
RED, BLUE = '<rect width="20" height="20" fill="#e01010"/>', '<circle cx="30" cy="10" r="8" fill="#1020c0"/>'
FLOWER = f"{HEAD}{RED}{BLUE}</svg>"


USE = '<use href="#a{}"/>'


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg_drawing, "SIDE_PX", 200)


def written(tmp_path: Path, text: str, name: str = "flower.svg") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_drawing_is_drawn_sharp_and_on_white(tmp_path: Path) -> None:
    picture = open_as_srgb(written(tmp_path, FLOWER))
    assert (picture.size, picture.mode, picture.info) == ((200, 100), "RGB", {})
    pixels = np.asarray(picture)
    assert (pixels[5, 5] == (0xE0, 0x10, 0x10)).all()
    assert (pixels[50, 150] == (0x10, 0x20, 0xC0)).all()
    assert (pixels[2, 197] == 255).all()
    assert (pixels[:, 99] == (0xE0, 0x10, 0x10)).all(), (
        "the edge lies between two pixels, and nothing is blurred"
    )
    assert (pixels[5, 100] == 255).all()
    circle = (pixels[..., 2] > 150) & (pixels[..., 0] < 100)
    assert circle.sum() == pytest.approx(np.pi * 40**2, rel=0.02)


def test_it_is_a_start_a_motif_and_a_mask_of_locked_parts(tmp_path: Path) -> None:
    path = written(tmp_path, FLOWER)
    texels = read_picture_as_texels(path, height=10, width=20)
    assert texels[:, 5, 5].tolist() == pytest.approx([0xE0 / 255, 0x10 / 255, 0x10 / 255])
    assert TextureSettings(start=str(path)).start == str(path)
    white = written(tmp_path, f"{HEAD}{RED.replace('#e01010', '#fff')}</svg>")
    locked = read_mask_picture(white, height=10, width=20)
    assert locked[5, 5] == 1
    assert locked[5, 15] == 0


def test_packed_and_told_by_their_content(tmp_path: Path) -> None:
    packed = tmp_path / "flower.svgz"
    packed.write_bytes(gzip.compress(FLOWER.encode()))
    assert np.array_equal(open_as_srgb(packed), open_as_srgb(written(tmp_path, FLOWER)))
    assert is_svg(written(tmp_path, f"<?xml version='1.0'?>\n<!-- a flower -->\n{FLOWER}", "no-ending"))
    assert not is_svg(written(tmp_path, "<!DOCTYPE html><svg/>", "page.html"))
    assert not is_svg(written(tmp_path, "<?xml version='1.0'?><note/>", "note.xml"))
    assert not is_svg(tmp_path / "nowhere.svg")


def picture_inside(side: int) -> str:
    stream = io.BytesIO()
    Image.new("1", (side, side)).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        ('<image href="file:///etc/passwd" width="9" height="9"/>', "'file:///etc/passwd', which lies"),
        ('<image href="/etc/hostname.png" width="9" height="9"/>', "which lies outside the drawing; embed"),
        ('<image xlink:href="https://example.org/a.png" width="9" height="9"/>', "lies outside the drawing"),
        ('<use href="other.svg#a"/>', "'other.svg#a', which lies outside the drawing"),
        ('<image href="data:image/svg+xml;base64,PHN2Zy8+" width="9" height="9"/>', "lies outside"),
        ('<style>@import "a.css";</style>', "imports a style sheet"),
        ("<style>rect { fill: url(http://example.org/#a) }</style>", "'http://example.org/#a'"),
        ('<rect width="9" height="9" style="fill:url( \'a.svg#p\' )"/>', "'a.svg#p'"),
        (f'<image href="{picture_inside(8000)}" width="9" height="9"/>', "more than 60,000,000 pixels"),
        (f'<image href="{picture_inside(14_000)}" width="9" height="9"/>', "more than 60,000,000 pixels"),
        (3 * f'<image href="{picture_inside(4600)}" width="9" height="9"/>', "more than 60,000,000 pixels"),
        ('<image href="data:image/png;base64,\u00e4" width="9" height="9"/>', "holds a damaged picture"),
        ("<g>" * 500 + "</g>" * 500, "or 400 inside each other"),
        ("<g>", "is a damaged SVG drawing"),
    ],
)  # fmt: skip
def test_what_reaches_outside_or_is_too_much_is_refused(tmp_path: Path, inside: str, sentence: str) -> None:
    with pytest.raises(DesignError) as refused:
        open_as_srgb(written(tmp_path, f"{HEAD}{inside}</svg>"))
    assert sentence in str(refused.value)
    assert "flower.svg" in str(refused.value)


def test_entities_style_sheets_and_other_xml_are_refused(tmp_path: Path) -> None:
    laughs = '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(DesignError, match="declares entities"):
        open_as_srgb(written(tmp_path, laughs + FLOWER))
    with pytest.raises(DesignError, match="asks for a style sheet outside itself"):
        open_as_srgb(written(tmp_path, f'<?xml version="1.0"?><?xml-stylesheet href="a.css"?>{FLOWER}'))
    with pytest.raises(DesignError, match="it begins with <html>"):
        open_as_srgb(written(tmp_path, "<?xml version='1.0'?><html><svg/></html>"))
    for name in ("no-such-letters", "utf-7", "utf-16"):
        with pytest.raises(DesignError, match="is a damaged SVG drawing"):
            open_as_srgb(written(tmp_path, f'<?xml version="1.0" encoding="{name}"?>{FLOWER}'))
    path = tmp_path / "a.svg"
    path.write_bytes(HEAD.encode() + b"\xff</svg>")
    with pytest.raises(DesignError, match="not written in UTF-8"):
        open_as_srgb(path)


def test_a_packed_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg_drawing, "_MOST_BYTES", 100_000)
    path = tmp_path / "bomb.svgz"
    path.write_bytes(gzip.compress(f"{HEAD}{' ' * 1_000_000}</svg>".encode()))
    with pytest.raises(DesignError, match="is a drawing of more than"):
        open_as_srgb(path)


def test_a_million_pixels_are_drawn_at_our_size(tmp_path: Path) -> None:
    wide = HEAD.replace('viewBox="0 0 40 20"', 'width="1000000" height="1000000"')
    wide += '<rect width="500000" height="1000000" fill="#00a000"/></svg>'
    picture = read_svg(written(tmp_path, wide), background=(255, 255, 255))
    assert picture.size == (200, 200)
    assert picture.getpixel((50, 50)) == (0, 0xA0, 0)


def test_parts_that_use_each_other_without_end_stop_at_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svg_drawing, "_MEMORY", 400 << 20)
    monkeypatch.setattr(svg_drawing, "_CPU_S", 5)
    nested = "".join(f'<g id="a{i}">{10 * USE.format(i - 1)}</g>' for i in range(1, 12))
    with pytest.raises(DesignError, match="cannot be drawn: it is damaged, or asks for more than"):
        open_as_srgb(written(tmp_path, f'{HEAD}<g id="a0"><rect width="9" height="9"/></g>{nested}</svg>'))
