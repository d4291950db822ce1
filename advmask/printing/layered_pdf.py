"""A PDF with what fpdf2 does not write: layers of one's own and page boxes, which pypdf adds."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from fpdf import FPDF
from pypdf import PageObject, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, RectangleObject, TextStringObject

Box = tuple[float, float, float, float]

_MM_PER_POINT = 25.4 / 72.0


class LayeredPdf(FPDF):
    """A document in millimetres whose pages are drawn one after the other.

    fpdf2 marks what belongs to optional content, but knows one group for all that is seen and printed. So
    every layer is drawn into that group, and told apart afterwards by the order in which they were drawn.

    Args:
        page: Width and height of the first page, mm.

    Source:
        ISO 32000-1:2008, 8.11 (optional content), 14.11.2 (page boundaries).
    """

    def __init__(self, page: tuple[float, float]) -> None:
        # fpdf2 takes a size as that of the upright page and turns it for "landscape"; this one is ready.
        super().__init__(orientation="portrait", unit="mm", format=page)
        self._layers: list[str] = []
        self._boxes: dict[int, dict[str, Box]] = {}

    @contextmanager
    def layer(self, name: str) -> Iterator[None]:
        """Let what is drawn inside the block belong to a layer, as a viewer's panel of layers names it."""
        self._layers.append(name)
        with self.optional_content():
            yield

    def set_boxes(self, *, trim: Box, bleed: Box) -> None:
        """Say of the present page what is left after cutting and how far ink goes.

        Args:
            trim: In mm from the top left corner of the page: left, top, right, bottom.
            bleed: The same.
        """
        self._boxes[self.page] = {"/TrimBox": trim, "/BleedBox": bleed}

    def finished(self, *, scale: float = 1.0) -> bytes:
        """The file; the same document gives the same bytes.

        Args:
            scale: All pages and what is on them are made so many times as large.
        """
        writer = PdfWriter(clone_from=io.BytesIO(self.output()))
        groups = _groups(writer, list(dict.fromkeys(self._layers)))
        drawn = iter(self._layers)
        for number, page in enumerate(writer.pages, 1):
            for name, box in self._boxes.get(number, {}).items():
                page[NameObject(name)] = _points(page, box)
            _tell_apart(page, groups, drawn)
            if scale != 1.0:
                page.scale_by(scale)
        writer.pdf_header = "%PDF-1.5"  # the first with layers
        finished = io.BytesIO()
        writer.write(finished)
        return finished.getvalue()


def _groups(writer: PdfWriter, names: list[str]) -> dict[str, DictionaryObject]:
    """A group for each layer, all seen and printed, in place of the one that fpdf2 wrote."""
    if not names:
        return {}
    listed = cast(DictionaryObject, writer.root_object["/OCProperties"])["/OCGs"]
    one = cast(DictionaryObject, cast(ArrayObject, listed)[0].get_object())
    groups = {name: one.clone(writer, force_duplicate=True) for name in names}
    for name, group in groups.items():
        group[NameObject("/Name")] = TextStringObject(name)
    listed = ArrayObject(group.indirect_reference for group in groups.values())
    shown = DictionaryObject({NameObject("/Order"): listed, NameObject("/ON"): listed})
    writer.root_object[NameObject("/OCProperties")] = DictionaryObject(
        {NameObject("/OCGs"): listed, NameObject("/D"): shown}
    )
    return groups


def _tell_apart(page: PageObject, groups: dict[str, DictionaryObject], drawn: Iterator[str]) -> None:
    """Give each mark in a page's content the group of the layer that was drawn there."""
    content = page.get_contents()
    assert content is not None, "fpdf2 wrote a page without contents"
    names = {name: NameObject(f"/Layer{number}") for number, name in enumerate(groups, 1)}
    content.operations = [
        ([operands[0], names[next(drawn)]] if operator == b"BDC" else operands, operator)
        for operands, operator in content.operations
    ]
    page.replace_contents(content)
    page.compress_content_streams()
    properties = {names[name]: group.indirect_reference for name, group in groups.items()}
    cast(DictionaryObject, page["/Resources"])[NameObject("/Properties")] = DictionaryObject(properties)


def _points(page: PageObject, box: Box) -> RectangleObject:
    left, top, right, bottom = (edge / _MM_PER_POINT for edge in box)
    height = float(page.mediabox.height)
    return RectangleObject((left, height - bottom, right, height - top))
