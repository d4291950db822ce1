"""Where lines of an SVG drawing are: as a browser draws them, or refused with the element's name."""

import logging
import time

import numpy as np
import pytest

from advmask.core.errors import DesignError
from advmask.masks.svg_grammar import numbers, spelt_out
from advmask.masks.svg_pattern import surface_from_svg
from advmask.masks.svg_shapes import read_drawing

D = "M -90,32 L -45,12 C -25,4 25,4 45,12 L 90,32 L 82,75 C 60,105 30,125 0,126 C -30,125 -60,105 -82,75 Z"
HEAD = 'width="240mm" height="150mm" viewBox="-120 -5 240 150"'
IDENTIFIED = 'id="a"'
WHOLE = (-90, 6, 90, 126)
INNER = 'viewBox="-120 -5 240 150"'


def svg(body: str, head: str = HEAD) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head}>{body}</svg>'.encode()


def path(more: str = "", *, classed: str = 'class="finished"') -> str:
    return f'<path {classed} {more} d="{D}"/>'


def boxes(body: str, head: str = HEAD) -> list[list[float]]:
    _, lines = read_drawing(svg(body, head), where="mine.svg")
    return [[*line.points_mm.min(axis=0), *line.points_mm.max(axis=0)] for line in lines]


def scaled(x: float, y: float | None = None, *, about: tuple[float, float] = (0, 0)) -> list[float]:
    y = x if y is None else y
    left, top, right, bottom = WHOLE
    u, v = about
    return [u + x * (left - u), v + y * (top - v), u + x * (right - u), v + y * (bottom - v)]


# The places are those that Chromium draws at; see each line for how they come about.
STYLED = {
    "transform:scale(.8)": scaled(0.8),
    "transform:scale(.8) !important; transform:scale(.4)": scaled(0.8),
    "TRANSFORM: Scale(0.8, .5)": scaled(0.8, 0.5),
    "-webkit-transform:scale(.7)": scaled(0.7),
    "transform:translate(10px,5px)": [-80, 11, 100, 131],
    "transform:translate(10%,-10%)": [-66, -9, 114, 111],
    "transform:translateX(-5px) translateY(1e1px)": [-95, 16, 85, 136],
    "transform:matrix(.5, 0, 0, .6, 3, 4) translateX(5px)": [-39.5, 7.6, 50.5, 79.6],
    "transform:rotate(90deg)": [-126, -90, -6, 90],
    "transform:rotate(.25turn)": [-126, -90, -6, 90],
    "transform:rotateZ(100grad)": [-126, -90, -6, 90],
    "transform:scaleX(.5) scaleY(.8)": scaled(0.5, 0.8),
    "transform:scale(.5);transform-origin:20px 30px": scaled(0.5, about=(20, 30)),
    "transform:scale(.5);transform-origin:50% 50%": scaled(0.5, about=(120, 75)),
    "transform:scale(.5);transform-origin:top right": scaled(0.5, about=(240, 0)),
    "transform:scale(.5);transform-origin:bottom": scaled(0.5, about=(120, 150)),
    "transform:scale(.5);transform-box:fill-box": scaled(0.5, about=(-90, 6)),
    "transform:scale(.5);transform-box:fill-box;transform-origin:center": scaled(0.5, about=(0, 66)),
    "transform:translate(50%,10%);transform-box:fill-box": [0, 18, 180, 138],
    "scale:.5": scaled(0.5),
    # translate, then rotate, then scale, whatever their order
    "scale:.5 .6;rotate:90deg;translate:10px 5px": [10 - 126 * 0.6, 5 - 45, 10 - 6 * 0.6, 5 + 45],
    "transform:none": list(WHOLE),
    "fill:none;stroke:#00f;transform-origin:10px 20px": list(WHOLE),
}


@pytest.mark.parametrize(("style", "box"), STYLED.items())
def test_transforms_of_styles(style, box):
    for body in (path(f'style="{style}"'), f'<g style="{style}">{path()}</g>'):
        assert boxes(body) == [pytest.approx(box, abs=0.02)]
    if "transform:" in style.lower() and "none" not in style:  # a style goes before an attribute
        assert boxes(path(f'style="{style}" transform="scale(9)"')) == [pytest.approx(box, abs=0.02)]


@pytest.mark.parametrize(
    ("attribute", "box"),
    [
        ('transform="scale(5e-1-.5)"', [-45, -63, 45, -3]),
        ('transform="translate(10)scale(.5,.6)"', [-35, 3.6, 55, 75.6]),
        ('transform="translate(10) , rotate(90)"', [-116, -90, 4, 90]),
        ('transform="rotate(90 20 30)"', [-76, -80, 44, 100]),
        ('transform="scale(.5)" transform-origin="20 30"', scaled(0.5, about=(20, 30))),
        ('transform="scale(.5)" transform-origin="50% 50%"', scaled(0.5, about=(120, 75))),
        ('transform="none"', list(WHOLE)),
    ],
)
def test_transforms_of_attributes(attribute, box):
    assert boxes(path(attribute)) == [pytest.approx(box, abs=0.02)]


@pytest.mark.parametrize(
    ("sheet", "box"),
    [
        (".finished{transform:scale(.6)}", scaled(0.6)),
        ("path{transform:scale(.6)}", scaled(0.6)),
        ("#a{transform:scale(.6)} .finished{transform:scale(.3)}", scaled(0.6)),
        ("g > .finished, .none{transform:scale(.6)}", scaled(0.6)),
        ("g{transform:scale(.6)} path:not(.x){scale:.5}", scaled(0.3)),
        ("path{transform:scale(.6)!important} #a{transform:scale(.3)}", scaled(0.6)),
        (
            "@font-face{font-family:x;src:url(y)} @media print{path{fill:red}} .x{transform:scale(2)}",
            list(WHOLE),
        ),
        ("@keyframes k{to{transform:scale(2)}} .st0{fill:none}", list(WHOLE)),
        ("/* <!-- */ .finished{fill:none;;transform:scale(.6)", scaled(0.6)),
    ],
)
def test_style_sheets(sheet, box):
    body = f'<style type="text/css"><![CDATA[{sheet}]]></style><g>{path(IDENTIFIED)}</g>'
    assert boxes(body) == [pytest.approx(box, abs=0.02)]


@pytest.mark.parametrize(
    ("frame", "box"),
    [
        (f'x="-60" y="0" width="120" height="75" {INNER}', [-45, 5.5, 45, 65.5]),
        (f'x="-60" width="120" height="120" {INNER}', [-45, 28, 45, 88]),
        (f'width="120" height="120" {INNER} preserveAspectRatio="xMinYMin"', [15, 5.5, 105, 65.5]),
        (f'width="120" height="120" {INNER} preserveAspectRatio="xMaxYMax slice"', [-48, 8.8, 96, 104.8]),
        (f'width="120" height="120" {INNER} preserveAspectRatio="none"', [15, 8.8, 105, 104.8]),
        (f'width="50%" height="50%" {INNER}', [15, 5.5, 105, 65.5]),
        ('viewBox="-120 -5 480 300"', [15, 5.5, 105, 65.5]),
        ('x="10" y="5"', [-80, 11, 100, 131]),
        (f'x="-60" width="120" height="75" {INNER} transform="scale(.5)"', [-22.5, 2.75, 22.5, 32.75]),
    ],
)
def test_inner_drawings(frame, box):
    assert boxes(f"<svg {frame}>{path()}</svg>") == [pytest.approx(box, abs=0.02)]


@pytest.mark.parametrize(
    ("symbol", "use", "box"),
    [
        ("", "", list(WHOLE)),
        ("", 'x="5" y="3" width="10" height="10"', [-85, 9, 95, 129]),
        (INNER, "", [30, 11, 210, 131]),
        (INNER, 'x="-60" width="120" height="75"', [-45, 5.5, 45, 65.5]),
        (INNER, 'x="-60" width="120" height="75" style="transform:scale(.5)"', [-22.5, 2.75, 22.5, 32.75]),
        (f'{INNER} preserveAspectRatio="none"', 'width="50%" height="100%"', [15, 11, 105, 131]),
    ],
)
def test_symbols(symbol, use, box):
    shown = f'<defs><symbol id="m" {symbol}>{path(classed="")}</symbol></defs>'
    for link in ("href", "xlink:href"):
        head = f'{HEAD} xmlns:xlink="http://www.w3.org/1999/xlink"'
        body = f'{shown}<use class="finished" {link}="#m" {use}/>'
        assert boxes(body, head) == [pytest.approx(box, abs=0.02)]


def test_a_clone_of_a_line_is_a_line_too():
    body = '<path id="finished-left" data-name="left" d="M -80,40 h 70 v 50 h -70 z"/>'
    body += '<use href="#finished-left" transform="scale(-1 1)" data-name="right" data-allowance-mm="6"/>'
    surface = surface_from_svg(svg(body), name="mine", where="mine.svg")
    assert [(one.name, one.allowance_mm) for one in surface.pattern.panels] == [("left", 0), ("right", 6)]
    assert surface.pattern.box_mm == (-80, 40, 80, 90)


def test_what_the_frame_of_a_symbol_cuts_off_is_told(caplog):
    body = f'<defs><symbol id="m">{path(classed="")}</symbol></defs><use class="finished" href="#m"/>'
    with caplog.at_level(logging.WARNING):
        assert boxes(body) == [pytest.approx(WHOLE, abs=0.02)]
    (told,) = caplog.messages
    assert "<path> number 1 reaches beyond the frame of <symbol id='m'>" in told
    caplog.clear()
    boxes(body.replace("<symbol", '<symbol overflow="visible"'))
    assert not caplog.messages


@pytest.mark.parametrize(
    "body",
    [
        f'<style>.x{{display:none}}</style>{path()}<g class="x">{path()}</g>',
        f'{path()}<g visibility="hidden">{path()}</g>',
        f'{path()}<g style="visibility : hidden"><g>{path()}</g></g>',
        f'<g style="visibility:hidden"><g visibility="visible">{path()}</g>{path()}</g>',
        f'{path()}<g style="display : none">{path()}</g><g display="none">{path()}</g>',
        f'<switch><g requiredExtensions="x">{path()}</g><g>{path()}</g><g>{path()}</g></switch>',
        f'{path()}<use id="loop" href="#loop"/><g id="h"><use href="#h"/></g>',
        f'{path()}<animate attributeName="x" href="#b"/><rect id="b"><animate attributeName="x"/></rect>',
        f'<g><animate attributeName="fill"/><set attributeName="stroke-width"/>{path()}</g>',
        f'{path()}<text x="3em" transform="wrong">a</text><svg viewBox="no"><rect width="3em"/></svg>',
    ],
)
def test_what_is_not_shown_is_no_line(body):
    assert boxes(body) == [pytest.approx(WHOLE, abs=0.02)]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (path('style="transform:translate(10mm)"'), "<path> number 1 .*the length '10mm' is not understood"),
        (path('style="transform:translate(10,5)"'), "the length '10' is not understood; write user units"),
        (path('style="transform:rotate(10)"'), "the angle '10' is not understood; write it in deg"),
        (path('style="transform:translate3d(1px,2px,3px)"'), "translate3d.*is not understood.*; remove it"),
        (path('style="transform:scale(calc(1 + 1))"'), "cannot be read"),
        (path('style="transform:var(--a)"'), "transform='var"),
        (path('style="transform:inherit"'), "transform='inherit'"),
        (path('style="transform:scale(.5);transform-box:stroke-box"'), "transform-box is not known"),
        (path('transform="scale(.5)" transform-box="fill-box"'), "transform-box is not known"),
        (path('transform="translate(10px)"'), "transform 'translate\\(10px\\)', which cannot be read"),
        (path('transform="rotate(45deg)"'), "cannot be read"),
        (path('transform="scale(2) wobble(3)"'), "'wobble\\(3\\)' is not understood"),
        (path('style="zoom:2"'), "zoom='2'"),
        (path('style="offset-path:path(x)"'), "offset-path="),
        (path('style="animation:grow 2s"'), "animation="),
        (path('clip-path="url(#c)"'), "clip-path='url\\(#c\\)', which cuts away"),
        (f'<g style="clip-path:inset(3px)">{path()}</g>', "<g> number 1 has clip-path='inset"),
        (f'<g mask="url(#c)">{path()}</g>', "<g> number 1 has mask="),
        (
            f"<style>@media screen{{path{{transform:scale(2)}}}}</style>{path()}",
            "<style> holds an @media rule",
        ),
        (f'<style>@import "a.css";</style>{path()}', "<style> holds an @import rule"),
        (f'<style media="print">path{{scale:2}}</style>{path()}', "rules for media='print'"),
        (f"<style>g{{path{{transform:scale(2)}}}}</style>{path()}", "rules within rules"),
        (f"<style>path::x(y){{scale:2}} :wild(2){{scale:3}}</style>{path()}", "a rule for .*not understood"),
        (f"<style>g:has(path){{scale:2}}</style>{path()}", "a rule for 'g:has.path.'.*not understood"),
        (f'<g><animateTransform attributeName="transform"/>{path()}</g>', "<g> number 1 moves"),
        (f'<animate href="#a" attributeName="d"/>{path(IDENTIFIED)}', "<path id='a'>.* moves"),
        (
            '<use class="finished" href="other.svg#m"/>',
            "<use> number 1 .* shows 'other.svg#m', which is not in",
        ),
        ('<use class="finished" href="#none"/>', "shows '#none', which is not in the drawing"),
        (f"<foreignObject>{path()}</foreignObject>", "<foreignObject> number 1 holds lines of the pattern"),
        (f'<g systemLanguage="de">{path()}</g>', "in some languages only"),
        (
            f'<defs><symbol id="m" {INNER} width="9" height="9">{path(classed="")}</symbol></defs>'
            '<use class="finished" href="#m"/>',
            "<symbol id='m'>, shown by <use> number 1 .* give its <use> one",
        ),
        (f'<svg style="width:100px" {INNER}>{path()}</svg>', "<svg> number 2 has its width in a style"),
        (f'<svg viewBox="0 0 10">{path()}</svg>', "<svg> number 2 has the viewBox '0 0 10'"),
        (f'<svg {INNER} preserveAspectRatio="middle">{path()}</svg>', "preserveAspectRatio='middle'"),
        (f'<svg width="-1" height="3">{path()}</svg>', "below zero"),
        ('<path class="finished" d="M0 0 L5 5 6"/>', "a number is missing"),
        ('<path class="finished" d="M0 0 L5 5 garbage"/>', "no command stands at 'garbage'"),
        ('<path class="finished" d="M0 0 L1e400 5z"/>', "1e400 is not a number that a drawing can have"),
        (path('transform="scale(1e8) scale(1e8)"'), "is drawn larger than anything can be"),
        (path('transform="scale(1e10)"'), "1e10 is not a number"),
        ('<rect class="finished" width="1e99" height="3"/>', "has width='1e99', which is not a number"),
        ('<path class="finished" d="L5 5"/>', "no command stands at 'L5 5'"),
        ('<polygon class="finished" points="0 0 9 nine 3 4"/>', "'nine 3 4' is not a number"),
    ],
)
def test_what_is_not_followed_is_refused_by_name(body, says):
    with pytest.raises(DesignError, match=f"(?s)^mine.svg: .*{says}"):
        boxes(body)


def test_the_root_may_not_be_transformed():
    with pytest.raises(DesignError, match="<svg> number 1 has a transform"):
        boxes(path(), f'{HEAD} transform="scale(2)"')


def test_a_style_sheet_in_another_file_is_refused():
    content = b'<?xml-stylesheet href="a.css"?>' + svg(path())
    with pytest.raises(DesignError, match="styles in another file"):
        read_drawing(content, where="mine.svg")


def test_many_groups_and_shapes_are_read_in_good_time():
    body = "<style>g .finished, path.x{visibility:visible}</style>" + '<path d="M0 0h1v1z"/>' * 3000
    body += "<g>" * 300 + path() + "</g>" * 300
    start = time.monotonic()
    assert boxes(body) == [pytest.approx(WHOLE, abs=0.02)]
    assert time.monotonic() - start < 20, "seconds; in squares of their number it would be minutes"


def test_doublings_without_end_are_refused():
    body = path('id="finished0"')
    for number in range(1, 40):
        last = f'<use href="#finished{number - 1}"/>'
        body += f'<g id="finished{number}">{last}{last}</g>'
    with pytest.raises(DesignError, match=r"draws its parts more than 100000 times; remove some <use>"):
        boxes(body)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<polygon points="-90 32-45 12 0 6 45 12 90 32 82 75 45 110 0 126-45 110-82 75"/>', WHOLE),
        ('<polygon points="-9e1,32-.45e2+12,0.6.5 45 12 90 32"/>', (-90, 0.5, 90, 32)),
        ('<rect x="-10%" y="10%" width="50%" height="40%"/>', (-24, 15, 96, 75)),
        ('<circle cx="0" cy="60" r="20%"/>', (-40.02, 19.98, 40.02, 100.02)),
        ('<ellipse cx="0" cy="60" rx="40"/>', (-40, 20, 40, 100)),
        ('<path d="M-50,60a50 30 0 01100 0a50 30 0 01-100 0z"/>', (-50, 30, 50, 90)),
        ('<path d="m-60 30h120v60H-60z"/>', (-60, 30, 60, 90)),
        ('<path style="d:path(&quot;M-60 30h100v60h-100z&quot;)" d="M0 0"/>', (-60, 30, 40, 90)),
        ('<rect style="x:-50px;y:20px;width:100px;height:50px"/>', (-50, 20, 50, 70)),
    ],
)
def test_minified_and_relative_shapes(shape, box):
    assert boxes(f'<g class="finished">{shape}</g>') == [pytest.approx(box, abs=0.02)]


def test_numbers_run_into_each_other():
    assert numbers(" -90 32-45.5.5,1e1-2E-1\n+3") == [-90, 32, -45.5, 0.5, 10, -0.2, 3]
    assert spelt_out("M.5.5-1e-1,2a1 1 0 0110 10z") == "M .5 .5 -1e-1 2 a 1 1 0 0 1 10 10 z"
    for wrong in ("1,,2", "1 2,", "1 x", "0x10", "1e"):
        with pytest.raises(ValueError, match=r"number|comma"):
            numbers(wrong)


@pytest.mark.parametrize(("dpi", "share"), [(72, "35.28"), (96, "26.46"), (300, "8.47")])
@pytest.mark.parametrize(
    "page", ['width="{0}px" height="{1}px" viewBox="0 0 {0} {1}"', 'width="100%" viewBox="0 0 {0} {1}"', ""]
)
def test_a_drawing_in_pixels_is_told_its_unit(dpi, share, page):
    scale = dpi / 25.4
    head = page.format(round(240 * scale), round(150 * scale))
    body = path(f'transform="translate({120 * scale} {5 * scale}) scale({scale})"')
    with pytest.raises(DesignError, match="Nothing in the file speaks of mm") as caught:
        surface_from_svg(svg(body, head), name="mine", where="mine.svg")
    assert f"{dpi} px to the inch, which makes 180 x 120 mm (then scale it to {share} %)" in str(caught.value)
    with pytest.raises(DesignError, match="leaves the cloth") as caught:
        surface_from_svg(svg(body, HEAD), name="mine", where="mine.svg")
    assert "px" not in str(caught.value), "this one says that it is in mm"


def test_lengths_of_the_page():
    """At 96 px to the inch, whatever unit the page is written in; a style goes before an attribute."""
    box = 'viewBox="-120 -5 240 150"'
    for width in (
        "24cm",
        "240mm",
        f"{240 / 25.4:.6f}in",
        f"{240 / 25.4 * 72:.4f}pt",
        f"{240 / 25.4 * 6:.5f}pc",
    ):
        assert boxes(path(), f'width="{width}" {box}') == [pytest.approx(WHOLE, abs=0.02)]
    assert boxes(path(), f'width="1in" style="width:240mm;height:auto" {box}') == [
        pytest.approx(WHOLE, abs=0.02)
    ]
    with pytest.raises(DesignError, match="one user unit measures 10 mm"):
        boxes(path(), f'style="width:240cm" {box}')
    assert np.allclose(boxes(path(), box), [WHOLE], atol=0.02)
