"""Where in millimetres each element of an SVG drawing lies: transforms, frames and uses one in another."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from advmask.core.errors import DesignError
from advmask.masks.svg_following import check_followed
from advmask.masks.svg_grammar import LARGEST, LENGTH
from advmask.masks.svg_transforms import Box, Matrix, shifted, style_matrix
from advmask.masks.svg_viewports import box_of, filled

if TYPE_CHECKING:
    from advmask.masks.svg_tree import SvgTree

_FILL_BOXES = frozenset({"fill-box", "content-box"})


@dataclass(frozen=True, eq=False)
class Place:
    """An element where it is drawn, once for each time it is.

    What is wrong with an element is found only when its matrix is asked for: what holds no line of a pattern
    may be as it likes.

    Attributes:
        tree: The drawing.
        element: What is drawn.
        above: What it is drawn in, None for the root and for an element looked at by itself.
        shown_by: The use element that shows it, if one does.
        alone: Look at it by itself: its own transform is left out.
    """

    tree: "SvgTree"
    element: ElementTree.Element
    above: "Place | None" = None
    shown_by: ElementTree.Element | None = None
    alone: bool = False

    @property
    def tag(self) -> str:
        """Name of the element."""
        return self.tree.tag(self.element)

    @property
    def is_root(self) -> bool:
        """Whether it is the drawing itself."""
        return self.element is self.tree.root

    @property
    def what(self) -> str:
        """The element as an error message names it."""
        named = self.tree.named(self.element)
        return f"{named}, shown by {self.tree.named(self.shown_by)}" if self.shown_by is not None else named

    @cached_property
    def matrix(self) -> Matrix:
        """(3, 3) from the numbers inside the element to user units of the root."""
        with np.errstate(all="ignore"):
            total = np.asarray(self.outer @ self._inner)
        if not (np.abs(total) <= LARGEST).all():
            raise self.refused("is drawn larger than anything can be; remove its transform or its frame")
        return total

    @cached_property
    def outer(self) -> Matrix:
        """(3, 3) from the user space in which x, y, width and height of the element are."""
        check_followed(self)
        above = np.eye(3) if self.above is None else self.above.matrix
        if self.alone or self.is_root:
            return above
        styles = dict(self.tree.styles.of(self.element))
        origin = self.element.get("transform-origin")
        if origin is not None and "transform-origin" not in styles:  # attributes may leave the unit away
            words = [f"{word}px" if _is_plain(word) else word for word in origin.split()]
            styles["transform-origin"] = " ".join(words)
        if "transform-box" not in styles and self.element.get("transform-box"):
            styles["transform-box"] = "of an attribute"  # which programs read or not
        try:
            attribute = self.element.get("transform", "").strip()
            own = style_matrix(styles, "" if attribute == "none" else attribute, self._reference_box)
        except ValueError as error:
            given = styles.get("transform") or self.element.get("transform") or "of its style"
            raise self.refused(
                f"has the transform {given!r}, which cannot be read ({error}); remove it"
            ) from error
        return np.asarray(above @ own)

    @cached_property
    def frame(self) -> Box | None:
        """Left, top, width and height of an inner svg or a symbol, in `outer` units; None for all else."""
        if self.is_root or self.tag not in {"svg", "symbol"}:
            return None
        x, y = (self.number(key, 0.0) for key in "xy")
        sizes = []
        styles = self.tree.styles.of(self.element).keys() & {"x", "y", "width", "height"}
        if self.shown_by is not None:
            styles |= self.tree.styles.of(self.shown_by).keys() & {"width", "height"}
        if styles:
            raise self.refused(
                f"has its {min(styles)} in a style, where programs read it or not; write attributes"
            )
        for key in ("width", "height"):
            given = None if self.shown_by is None else self.tree.styles.value(self.shown_by, key)
            own = self.tree.styles.value(self.element, key)
            if self.tag == "symbol" and given is None and own is not None and self._view_box:
                raise self.refused(f"has a {key} of its own, which programs read or not; give its <use> one")
            if given is not None and self.above is not None and given != "auto":
                sizes.append(self.above.number(key, 0.0))
            else:
                sizes.append(self.number(key, None))
        if min(sizes) < 0:
            raise self.refused("has a width or height below zero; give it a size")
        return x, y, sizes[0], sizes[1]

    @cached_property
    def viewport(self) -> tuple[float, float] | None:
        """Width and height to which shares in percent refer, inside the element; None if nothing tells."""
        if self.is_root or self.frame is not None:
            if self._view_box:
                return self._box()[2:]
            return self.tree.root_size if self.frame is None else self.frame[2:]
        return None if self.above is None else self.above.viewport

    def number(self, key: str, default: float | None) -> float:
        """A place or size of the element, in user units.

        Args:
            key: The attribute, or property of a style.
            default: Where it is not given; None for the whole frame.

        Raises:
            DesignError: It has another unit, or is a share of something unknown.
        """
        given = self.tree.styles.value(self.element, key)
        if given is None or given.strip() == "auto":
            if default is not None:
                return default
            given = "100%"
        match = LENGTH.match(given)
        if match is not None and not abs(float(match[1])) <= LARGEST:
            raise self.refused(f"has {key}={given[:30]!r}, which is not a number that a drawing can have")
        if match is not None and match[2] == "%":
            around = None if self.above is None else self.above.viewport
            if around is None:
                raise self.refused(
                    f"has {key}={given!r}, a share of a size that is not known; write a plain number of user "
                    "units, which are mm"
                )
            width, height = around
            whole = {"x": width, "w": width, "y": height, "h": height}.get(key.lstrip("cr")[:1])
            return (
                float(match[1]) / 100 * (float(np.hypot(width, height) / 2**0.5) if whole is None else whole)
            )
        if match is None or match[2] not in {"", "px"}:
            raise self.refused(f"has {key}={given!r}; write a plain number of user units, which are mm")
        return float(match[1])

    def chain(self) -> Iterator["Place"]:
        """The element and all it is drawn in."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.above

    def refused(self, how: str) -> DesignError:
        """An error that names the element."""
        return DesignError(f"{self.tree.where}: {self.what} {how}.")

    @property
    def _view_box(self) -> str | None:
        return self.element.get("viewBox")

    def _box(self) -> Box:
        try:
            return box_of(self._view_box or "")
        except ValueError as error:
            raise self.refused(f"has the viewBox {self._view_box!r}; {error}") from error

    @property
    def _inner(self) -> Matrix:
        if self.tag == "use":
            return shifted(self.number("x", 0.0), self.number("y", 0.0))
        if self.frame is None:
            return np.eye(3)
        x, y, width, height = self.frame
        if not self._view_box:
            return shifted(x, y)
        try:
            return np.asarray(
                shifted(x, y)
                @ filled(self._box(), width, height, self.element.get("preserveAspectRatio", ""))
            )
        except ValueError as error:
            raise self.refused(f"has {error}; remove it") from error

    def _reference_box(self) -> Box | None:
        which = self.tree.styles.of(self.element).get("transform-box", "")
        if which in _FILL_BOXES:
            return self.tree.filled_box(self)
        around = None if self.above is None else self.above.viewport
        known = which in {"", "view-box", "initial", "unset"} and (
            which or not self.element.get("transform-box")
        )
        return (0.0, 0.0, *around) if around is not None and known else None


def _is_plain(word: str) -> bool:
    match = LENGTH.match(word)
    return match is not None and not match[2]
