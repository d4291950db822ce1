"""Page boxes and layers, which fpdf2 does not write, added to a finished PDF as an incremental update.

An update is appended: it repeats the few objects that change and a table of where they are, and points back
at the table before it. Nothing that was written is touched.

Source:
    ISO 32000-1:2008, 7.5.6 (incremental updates), 8.11 (optional content), 14.11.2 (page boundaries).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]

_MM_PER_POINT = 25.4 / 72.0


@dataclass(frozen=True)
class PageBoxes:
    """Boxes of a page in millimetres from its top left corner; None leaves them at the page itself.

    Attributes:
        height: Of the page.
        trim: What is left after cutting.
        bleed: How far ink goes.
    """

    height: float
    trim: Box | None = None
    bleed: Box | None = None


def with_boxes_and_layers(content: bytes, pages: Sequence[PageBoxes], layers: Mapping[str, str]) -> bytes:
    """Add page boxes and layers to a PDF that fpdf2 wrote.

    Args:
        content: The PDF, not encrypted, with a plain cross-reference table and one resource dictionary.
        pages: Of each page in order.
        layers: Name in the user's panel of layers, by the name used in the page contents.
    """
    document = _Document(content)
    catalog = document.reference(document.trailer, "Root")
    root = document.reference(document.text(catalog), "Pages")
    kids = _references(document.text(root), "Kids")
    changed: dict[int, str] = {}
    for number, boxes in zip(kids, pages, strict=True):
        entries = "".join(
            f"/{name} [{_points(box, boxes.height)}]\n"
            for name, box in (("BleedBox", boxes.bleed), ("TrimBox", boxes.trim))
            if box is not None
        )
        if entries:
            changed[number] = _with(document.text(number), entries)
    if layers:
        first = document.size
        groups = {name: first + place for place, name in enumerate(layers)}
        for name, number in groups.items():
            changed[number] = f"<<\n/Type /OCG\n/Name ({_escaped(layers[name])})\n>>"
        listed = " ".join(f"{number} 0 R" for number in groups.values())
        properties = " ".join(f"/{name} {number} 0 R" for name, number in groups.items())
        for resources in sorted({document.reference(document.text(kid), "Resources") for kid in kids}):
            changed[resources] = _with(document.text(resources), f"/Properties << {properties} >>\n")
        changed[catalog] = _with(
            document.text(catalog),
            f"/OCProperties << /OCGs [{listed}] /D << /Order [{listed}] /ON [{listed}] >> >>\n",
        )
    return document.updated(changed)


class _Document:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._table = int(content[content.rindex(b"startxref") + 9 :].split()[0])
        lines = content[self._table :].split(b"\n")
        self.size = int(lines[1].split()[1])
        self._places = [int(line.split()[0]) for line in lines[2 : 2 + self.size]]
        self.trailer = content[content.rindex(b"trailer") :].decode("latin-1")

    def text(self, number: int) -> str:
        """The dictionary of an object without a stream."""
        start = self._content.index(b"<<", self._places[number])
        return self._content[start : self._content.index(b"endobj", start)].decode("latin-1").rstrip()

    def reference(self, text: str, key: str) -> int:
        found = re.search(rf"/{key} (\d+) 0 R", text)
        assert found is not None, f"fpdf2 wrote no /{key}"
        return int(found[1])

    def updated(self, changed: Mapping[int, str]) -> bytes:
        result = bytearray(self._content)
        if not result.endswith(b"\n"):
            result += b"\n"
        places = {}
        for number, text in sorted(changed.items()):
            places[number] = len(result)
            result += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
        table = len(result)
        result += b"xref\n0 1\n0000000000 65535 f \n"  # some readers take the first object for number 0
        for number, place in places.items():
            result += f"{number} 1\n{place:010d} 00000 n \n".encode()
        identity = re.search(r"/ID \[.*?\]", self.trailer)
        entries = [f"/{key} {self.reference(self.trailer, key)} 0 R" for key in ("Root", "Info")]
        entries += [identity[0]] if identity else []
        size = max(self.size, *(number + 1 for number in places), 0)
        result += f"trailer\n<<\n/Size {size}\n/Prev {self._table}\n".encode()
        result += ("\n".join(entries) + f"\n>>\nstartxref\n{table}\n%%EOF\n").encode("latin-1")
        return bytes(result)


def _references(text: str, key: str) -> list[int]:
    found = re.search(rf"/{key} \[(.*?)\]", text, re.DOTALL)
    assert found is not None, f"fpdf2 wrote no /{key}"
    return [int(number) for number in re.findall(r"(\d+) 0 R", found[1])]


def _with(dictionary: str, entries: str) -> str:
    """A dictionary with entries of its own first, so that those it holds need not be understood."""
    return f"<<\n{entries}{dictionary.removeprefix('<<').lstrip()}"


def _points(box: Box, height: float) -> str:
    left, top, right, bottom = box
    corners = left, height - bottom, right, height - top
    return " ".join(f"{corner / _MM_PER_POINT:.3f}" for corner in corners)


def _escaped(text: str) -> str:
    return re.sub(r"([\\()])", r"\\\1", text)
