"""Every shape that an SVG drawing shows, in the order it is drawn, and what each is meant as."""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np

from advmask.core.errors import DesignError
from advmask.masks.svg_following import animations
from advmask.masks.svg_grammar import LENGTH
from advmask.masks.svg_places import Place
from advmask.masks.svg_styles import Styles
from advmask.masks.svg_transforms import Box

KINDS = ("finished", "cut", "seam", "fold", "wire")
SHAPES = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
_GROUPS = frozenset({"svg", "g", "a", "switch"})
_UNSEEN = frozenset({"defs", "symbol", "clipPath", "mask", "pattern", "marker", "metadata", "style", "title"})
_SIZED_OTHERWISE = frozenset({"text", "image", "foreignObject", "flowRoot"})
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"
_LINKS = ("href", "{http://www.w3.org/1999/xlink}href")
_CONDITIONS = ("requiredExtensions", "systemLanguage")
_MOST_TIMES = 100_000  # elements drawn through uses beyond those that stand there


class SvgTree:
    """A drawing.

    Args:
        root: The svg element.
        where: The file's name, for messages.

    Attributes:
        root: The svg element.
        where: The file's name.
        styles: What its style sheets say.
        animated: Elements that animations move.
        root_size: Width and height of the root in user units, where it has no viewBox and says so.
    """

    def __init__(self, root: ElementTree.Element, *, where: str) -> None:
        self.root, self.where = root, where
        self.styles = Styles(root, where=where)
        self._space = root.tag.rpartition("}")[0]
        self._numbers: dict[ElementTree.Element, int] = {}
        self._by_id: dict[str, ElementTree.Element] = {}
        counts: dict[str, int] = {}
        for element in root.iter():
            tag = self.tag(element)
            self._numbers[element] = counts[tag] = counts.get(tag, 0) + 1
            self._by_id.setdefault(element.get("id", ""), element)
        holders = ((child, holder) for holder in root.iter() for child in holder)
        self.animated = {
            holder if aim is None else self._by_id.get(aim)
            for child, holder in holders
            for aim in animations(child, self.tag(child))
        }
        self._left = len(self._numbers) + _MOST_TIMES
        sizes = [LENGTH.match(self.styles.value(root, key) or "") for key in ("width", "height")]
        plain = [float(one[1]) for one in sizes if one is not None and one[2] in {"", "px"}]
        self.root_size = (plain[0], plain[1]) if len(plain) == 2 else None

    def tag(self, element: ElementTree.Element) -> str:
        """Name of an element; of one that is not SVG, with a colon before it."""
        if not isinstance(element.tag, str):
            return ":comment"
        space, _, name = element.tag.rpartition("}")
        return name if space == self._space else f":{name}"

    def named(self, element: ElementTree.Element) -> str:
        """An element as an error message names it."""
        tag, name = self.tag(element).lstrip(":"), element.get("id")
        classed = f" of class {element.get('class')!r}" if element.get("class") else ""
        return (
            f"<{tag} id={name!r}>{classed}" if name else f"<{tag}> number {self._numbers[element]}{classed}"
        )

    def lines(self) -> Iterator[tuple[Place, str]]:
        """Every shape that is drawn as part of a pattern, and its kind, which it has or what it is drawn in.

        Raises:
            DesignError: A line of a pattern is in what cannot be followed.
        """
        for place, kind in self._walk(Place(self, self.root), None, True):
            if kind is not None:
                yield place, kind

    def filled_box(self, place: Place) -> Box | None:
        """The box around an element's shapes, in its own units; None if it holds what is sized otherwise."""
        from advmask.masks.svg_geometry import shape_path

        alone = Place(self, place.element, place.above, place.shown_by, alone=True)
        around = np.linalg.inv(place.above.matrix) if place.above is not None else np.eye(3)
        if any(self.tag(one) in _SIZED_OTHERWISE for one in place.element.iter()):
            return None
        boxes = []
        for inner, _ in self._walk(alone, None, True, every=True):
            box = shape_path(inner, around @ inner.matrix).bbox()
            if box is not None:
                boxes.append(box)
        if not boxes:
            return None
        left, top = np.min(boxes, axis=0)[:2]
        right, bottom = np.max(boxes, axis=0)[2:]
        return float(left), float(top), float(right - left), float(bottom - top)

    def _walk(
        self, place: Place, kind: str | None, seen: bool, *, every: bool = False
    ) -> Iterator[tuple[Place, str | None]]:
        """Shapes with a kind of line, or all; others get no look at their styles, for they may be many."""
        self._left -= 1
        if self._left < 0:
            raise DesignError(
                f"{self.where} draws its parts more than {_MOST_TIMES} times; remove some <use>."
            )
        element, tag = place.element, place.tag
        kind = kind_of(element) or kind
        if tag in SHAPES and kind not in KINDS and not every:
            return
        if self.styles.value(element, "display") == "none" or element.get("requiredExtensions"):
            return
        seen = {"visible": True, "hidden": False, "collapse": False}.get(
            self.styles.value(element, "visibility") or "", seen
        )
        if tag in SHAPES:
            if seen:
                yield place, kind
        elif tag == "use":
            yield from self._used(place, kind, seen, every=every)
        elif tag in _GROUPS or place.shown_by is not None:
            for child in element:
                if self.tag(child) in _UNSEEN:
                    continue
                yield from self._walk(Place(self, child, place), kind, seen, every=every)
                if tag == "switch" and self.tag(child)[0] != ":" and not any(map(child.get, _CONDITIONS)):
                    break
        elif any((kind_of(one) or kind) in KINDS and self.tag(one) in SHAPES for one in element.iter()):
            raise place.refused("holds lines of the pattern, and is not understood; move them out of it")

    def _used(
        self, place: Place, kind: str | None, seen: bool, *, every: bool
    ) -> Iterator[tuple[Place, str | None]]:
        link = next((found for name in _LINKS if (found := place.element.get(name))), "")
        target = self._by_id.get(link[1:]) if link.startswith("#") and link != "#" else None
        if target is None:
            if kind in KINDS:
                raise place.refused(
                    f"shows {link!r}, which is not in the drawing; put the outline itself there"
                )
            return
        if any(one.element is target for one in place.chain()):
            return  # in itself: no program draws that
        if self.tag(target) in SHAPES | _GROUPS | {"symbol", "use"}:
            yield from self._walk(Place(self, target, place, place.element), kind, seen, every=every)


def kind_of(element: ElementTree.Element) -> str | None:
    """What the element is meant as: by class, or by an id or Inkscape label that begins with the word."""
    for word in element.get("class", "").split():
        if word in (*KINDS, "labels", "safe", "bleed"):
            return word
    for text in (element.get("id", ""), element.get(f"{INKSCAPE}label", "")):
        match = re.match(r"(finished|cut|seam|fold|wire)(?![A-Za-z])", text)
        if match is not None:
            return match[1]
    return None


def said_of(place: Place) -> dict[str, Any]:
    """Attributes of a shape; what a use that shows it says as data goes before."""
    found: dict[str, Any] = dict(place.element.attrib)
    for one in place.chain():
        if one.shown_by is not None:
            found.update(
                {key: value for key, value in one.shown_by.attrib.items() if key.startswith("data-")}
            )
    return found
