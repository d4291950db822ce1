"""One layer for each ink, as SVG and as PDF: for screens, vinyl, and printers with spot colours."""

import io
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import shapely
from numpy.typing import NDArray
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from advmask.core.shown_names import shown
from advmask.printing.flat_inks import FlatInks
from advmask.printing.latin import latin

_POINTS_PER_MM = 72 / 25.4
_FRAME_MM = 12.0  # around what is printed: register marks and words
_MARK_MM, _MARK_FROM_EDGE_MM = 3.0, 6.0
_DIGITS = 3  # of millimetres
_KNIT_MM = 0.06  # a line in an ink's own colour, so that no ground shines through where two inks meet


def ink_svg(inks: FlatInks, *, title: str) -> str:
    """All inks as one drawing at true size, a layer for each, cut off where the bleed ends.

    Convention: one user unit is one millimetre, in the pattern frame. Neighbouring inks share their border
    without gap or overlap; paths have a hairline of their own colour, or viewers would show the ground
    between them. The last layer, of register marks, is hidden.
    """
    left, top, width, height = _page(inks)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<svg xmlns="http://www.w3.org/2000/svg" '
        'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        f'width="{width:g}mm" height="{height:g}mm" viewBox="{left:g} {top:g} {width:g} {height:g}">',
        f"<title>{escape(title)}</title>",
    ]
    for number, (name, code, shape) in enumerate(zip(inks.names, inks.codes, inks.shapes, strict=True), 1):
        lines += [
            f'<g id="ink-{number}" inkscape:groupmode="layer" inkscape:label={quoteattr(name)} '
            f'fill="{code}" fill-rule="evenodd" stroke="{code}" stroke-width="{_KNIT_MM}">',
            *(f'  <path d="{_svg_path(part)}"/>' for part in shapely.get_parts(shape)),
            "</g>",
        ]
    marks = " ".join(f"M{a[0]:g},{a[1]:g}L{b[0]:g},{b[1]:g}" for a, b in _marks(left, top, width, height))
    lines += [
        '<g id="register" inkscape:groupmode="layer" inkscape:label="register marks" style="display:none">',
        f'  <path d="{marks}" fill="none" stroke="#000000" stroke-width="0.15"/>',
        "</g>",
    ]
    return "\n".join([*lines, "</svg>", ""])


def ink_pdf(inks: FlatInks, *, title: str, facts: Mapping[str, str]) -> bytes:
    """All inks on one page, each a layer and a spot colour; then a page for each ink alone, in black.

    The pages for single inks are films for screens: solid black where that ink prints, with register marks
    and the ink's number and colour. The same arguments give the same bytes.
    """
    left, top, width, height = _page(inks)
    writer = PdfWriter()
    writer.pdf_header = "%PDF-1.5"
    # Millimetres, y down, the origin of the pattern where it belongs.
    frame = (
        f"q {_POINTS_PER_MM:.8f} 0 0 {-_POINTS_PER_MM:.8f} "
        f"{-left * _POINTS_PER_MM:.5f} {(height + top) * _POINTS_PER_MM:.5f} cm\n"
    )
    paths = ["".join(_pdf_path(part) for part in shapely.get_parts(shape)) for shape in inks.shapes]
    marks = "0.15 w " + "".join(
        f"{a[0]:.3f} {a[1]:.3f} m {b[0]:.3f} {b[1]:.3f} l S\n" for a, b in _marks(left, top, width, height)
    )
    groups = [
        writer._add_object(
            DictionaryObject(
                {NameObject("/Type"): NameObject("/OCG"), NameObject("/Name"): TextStringObject(name)}
            )
        )
        for name in inks.names
    ]
    spots = [_spot(name, colour) for name, colour in zip(inks.names, inks.colours, strict=True)]
    layers = "".join(
        f"/OC /Layer{number} BDC /Spot{number} cs 1 scn /Spot{number} CS 1 SCN {_KNIT_MM} w\n"
        f"{path.replace('f*', 'B*')}EMC\n"
        for number, path in enumerate(paths, 1)
    )
    count = len(paths)
    pages = [(frame + layers + "0 G " + marks + "Q\n", f"{title}: {count} inks, at true size")]
    for number, path in enumerate(paths, 1):
        words = f"{title}: {inks.names[number - 1]}, {number} of {count}, black where it prints"
        pages.append((frame + "0 g\n" + path + "0 G " + marks + "Q\n", words))
    resources = DictionaryObject(
        {
            NameObject("/Font"): DictionaryObject({NameObject("/F1"): _helvetica()}),
            NameObject("/ColorSpace"): DictionaryObject(
                {NameObject(f"/Spot{number}"): spot for number, spot in enumerate(spots, 1)}
            ),
            NameObject("/Properties"): DictionaryObject(
                {NameObject(f"/Layer{number}"): group for number, group in enumerate(groups, 1)}
            ),
        }
    )
    for content, words in pages:
        page = writer.add_blank_page(width * _POINTS_PER_MM, height * _POINTS_PER_MM)
        stream = DecodedStreamObject()
        text = latin(words).replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        at = 4 * _MARK_FROM_EDGE_MM * _POINTS_PER_MM / 2
        label = f"BT /F1 8 Tf 0 g {at:.2f} {height * _POINTS_PER_MM - 14:.2f} Td ({text}) Tj ET\n"
        stream.set_data((content + label).encode("latin-1", "replace"))
        page[NameObject("/Contents")] = writer._add_object(stream.flate_encode())
        page[NameObject("/Resources")] = resources
    listed = ArrayObject(groups)
    shown_ = DictionaryObject({NameObject("/Order"): listed, NameObject("/ON"): listed})
    writer.root_object[NameObject("/OCProperties")] = DictionaryObject(
        {NameObject("/OCGs"): listed, NameObject("/D"): shown_}
    )
    subject = "; ".join(f"{key}={value}" for key, value in sorted(facts.items()))
    writer.add_metadata({"/Title": shown(title), "/Subject": shown(subject), "/Creator": "advmask"})
    finished = io.BytesIO()
    writer.write(finished)
    return finished.getvalue()


def _page(inks: FlatInks) -> tuple[float, float, float, float]:
    left, top, right, bottom = inks.inked.bounds
    left, top = np.floor(left - _FRAME_MM), np.floor(top - _FRAME_MM)
    return (
        float(left),
        float(top),
        float(np.ceil(right + _FRAME_MM) - left),
        float(np.ceil(bottom + _FRAME_MM) - top),
    )


def _marks(
    left: float, top: float, width: float, height: float
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Lines of four crosses, one near each corner."""
    near = _MARK_FROM_EDGE_MM
    lines = []
    for x in (left + near, left + width - near):
        for y in (top + near, top + height - near):
            lines += [((x - _MARK_MM, y), (x + _MARK_MM, y)), ((x, y - _MARK_MM), (x, y + _MARK_MM))]
    return lines


def _rings(part: shapely.Geometry) -> list[NDArray[np.float64]]:
    rings = [part.exterior, *part.interiors]
    return [shapely.get_coordinates(ring)[:-1].round(_DIGITS) for ring in rings]


def _svg_path(part: shapely.Geometry) -> str:
    return "".join("M" + "L".join(f"{x:g},{y:g}" for x, y in ring.tolist()) + "Z" for ring in _rings(part))


def _pdf_path(part: shapely.Geometry) -> str:
    rings = []
    for ring in _rings(part):
        (x, y), *others = ring.tolist()
        rings.append(f"{x:.3f} {y:.3f} m\n" + "".join(f"{x:.3f} {y:.3f} l\n" for x, y in others) + "h\n")
    return "".join(rings) + "f*\n"


def _spot(name: str, colour: NDArray[np.uint8]) -> ArrayObject:
    """A spot colour that printers without it show as sRGB."""
    numbers = ArrayObject(FloatObject(f"{value / 255:.6f}") for value in colour.tolist())
    tint = DictionaryObject(
        {
            NameObject("/FunctionType"): NumberObject(2),
            NameObject("/Domain"): ArrayObject([NumberObject(0), NumberObject(1)]),
            NameObject("/C0"): ArrayObject([NumberObject(1)] * 3),
            NameObject("/C1"): numbers,
            NameObject("/N"): NumberObject(1),
        }
    )
    called = NameObject("/" + name.replace(" ", "_").replace("#", ""))
    return ArrayObject([NameObject("/Separation"), called, NameObject("/DeviceRGB"), tint])


def _helvetica() -> DictionaryObject:
    return DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
