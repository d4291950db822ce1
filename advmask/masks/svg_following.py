"""What of an SVG drawing would move, size or cut a line in a way that is not followed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from advmask.masks.svg_places import Place

_CUTTING = ("clip-path", "mask", "mask-image")
_MOVING = ("offset", "offset-path", "animation", "animation-name", "zoom", "perspective", "all")
_AT_REST = frozenset({"none", "1", "100%", "normal", "initial", "unset"})
_ANIMATIONS = frozenset({"animate", "animateTransform", "animateMotion", "set"})
_STILL = frozenset({"fill", "stroke", "opacity", "color", "stop-color", "filter", "cursor"})


def check_followed(place: "Place") -> None:
    """Refuse an element that holds a line of a pattern and places or cuts it in another way than is read.

    Raises:
        DesignError: It does; the message names the element.
    """
    value = place.tree.styles.value
    for name in _CUTTING:
        found = value(place.element, name)
        if found not in {None, "none", ""}:
            raise place.refused(
                f"has {name}={found!r}, which cuts away part of what it holds; release it (in Inkscape, "
                "Object > Clip or Mask > Release) and draw the outline as it is to be"
            )
    styles = place.tree.styles.of(place.element)
    for name in _MOVING:
        if styles.get(name, "none") not in _AT_REST:
            raise place.refused(f"has {name}={styles[name]!r} in its style, which is not followed; remove it")
    for name, found in styles.items():
        if found in {"inherit", "revert", "revert-layer"} or "var(" in found:
            raise place.refused(f"has {name}={found!r} in its style, which is not followed; write a value")
    if place.element.get("systemLanguage"):
        raise place.refused("is shown in some languages only; remove its systemLanguage")
    if place.element in place.tree.animated:
        raise place.refused("moves, and a pattern stands still; remove its animation")
    if place.is_root and (value(place.element, "transform") or "none") != "none":
        raise place.refused("has a transform, and programs differ in what it does there; put it on a group")


def animations(element: ElementTree.Element, tag: str) -> Iterator[str | None]:
    """Of an animation that may move something: the id of what, or None for what holds it; else nothing."""
    name = element.get("attributeName", "")
    if tag in _ANIMATIONS and name not in _STILL and not name.startswith(("fill-", "stroke-")):
        link = element.get("href") or element.get("{http://www.w3.org/1999/xlink}href")
        yield link.removeprefix("#") if link else None
