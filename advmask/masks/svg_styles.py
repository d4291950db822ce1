"""What style sheets and style attributes of an SVG drawing say about places and sizes."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree

import cssselect2
import tinycss2

from advmask.core.errors import DesignError

_PLACING = frozenset(
    {"transform", "transform-origin", "transform-box", "translate", "rotate", "scale", "zoom", "perspective"}
    | {"x", "y", "width", "height", "cx", "cy", "r", "rx", "ry", "d", "all", "display", "visibility"}
    | {"clip-path", "mask", "mask-image", "offset", "offset-path", "animation", "animation-name", "overflow"}
)
_PREFIX = re.compile(r"-(?:webkit|moz)-(?=transform|animation|clip-path|mask|perspective)")
_PLACING_TEXT = re.compile(rf"(?:^|[\s;{{-])(?:{'|'.join(sorted(_PLACING))})\s*:", re.IGNORECASE)
_HARMLESS_RULES = frozenset(
    {"charset", "font-face", "namespace", "keyframes", "-webkit-keyframes", "property"}
)
_AWAY = frozenset({"initial", "unset"})


class Styles:
    """For each element of a drawing, the CSS properties that move, size or hide it.

    Args:
        root: The svg element.
        where: The file's name, for messages.

    Raises:
        DesignError: A style sheet places things under conditions or comes from elsewhere.
    """

    def __init__(self, root: ElementTree.Element, *, where: str) -> None:
        self._where = where
        self._matcher: cssselect2.Matcher | None = None
        self._wrappers: dict[ElementTree.Element, cssselect2.ElementWrapper] = {}
        self._found: dict[ElementTree.Element, Mapping[str, str]] = {}
        for element in root.iter():
            name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
            if name == "link" and "stylesheet" in element.get("rel", ""):
                raise self._refused("<link>", "a style sheet in another file")
            if name == "style" and element.get("type", "text/css").strip().lower() in {"", "text/css"}:
                self._add_sheet("".join(element.itertext()), element.get("media", ""))
        if self._matcher is not None:
            wrapped = cssselect2.ElementWrapper.from_xml_root(root).iter_subtree()
            self._wrappers = {one.etree_element: one for one in wrapped}

    def of(self, element: ElementTree.Element) -> Mapping[str, str]:
        """Values by property, as they stand; what is not set is not there."""
        if element not in self._found:
            self._found[element] = self._cascaded(element)
        return self._found[element]

    def value(self, element: ElementTree.Element, name: str) -> str | None:
        """Of a property that may also be an attribute; the style goes before."""
        found = self.of(element).get(name)
        return element.get(name) if found is None else None if found in _AWAY else found

    def _cascaded(self, element: ElementTree.Element) -> Mapping[str, str]:
        layers = []
        if self._matcher is not None:
            matches = self._matcher.match(self._wrappers[element])
            layers += [payload for *_, pseudo, payload in matches if pseudo is None]
        if element.get("style"):
            layers.append(self._declared(element.get("style", ""), "a style attribute"))
        found: dict[str, str] = {}
        for important in (False, True):
            for layer in layers:
                found.update({name: value for name, value, first in layer if first == important})
        return found

    def _add_sheet(self, text: str, media: str) -> None:
        if media.strip().lower() not in {"", "all", "screen"} and _PLACING_TEXT.search(text):
            raise self._refused("<style>", f"rules for media={media!r}")
        for rule in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
            if rule.type == "at-rule":
                self._check_at_rule(rule)
            if rule.type != "qualified-rule":
                continue
            declared = self._declared(rule.content, "<style>")
            if not declared:
                continue
            selector = tinycss2.serialize(rule.prelude).strip()
            try:
                if ":has" in selector.lower():  # takes minutes in a large drawing
                    raise ValueError(":has")
                selectors = cssselect2.compile_selector_list(rule.prelude)
            except (cssselect2.SelectorError, ValueError) as error:
                raise self._refused(
                    "<style>", f"a rule for {selector[:60]!r}, which is not understood"
                ) from error
            self._matcher = self._matcher or cssselect2.Matcher()
            for compiled in selectors:
                self._matcher.add_selector(compiled, declared)

    def _check_at_rule(self, rule: tinycss2.ast.AtRule) -> None:
        name = rule.lower_at_keyword
        inside = "" if rule.content is None else tinycss2.serialize(rule.content)
        if name == "import" or (name not in _HARMLESS_RULES and _PLACING_TEXT.search(inside)):
            raise self._refused("<style>", f"an @{name} rule")

    def _declared(self, content: str | list[tinycss2.ast.Node], what: str) -> list[tuple[str, str, bool]]:
        found = []
        for one in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
            if one.type in {"qualified-rule", "at-rule"}:
                inside = "" if one.content is None else tinycss2.serialize(one.content)
                if _PLACING_TEXT.search(inside):
                    raise self._refused(what, "rules within rules")
            if one.type != "declaration":
                continue
            name = _PREFIX.sub("", one.lower_name)
            if name in _PLACING:
                found.append((name, tinycss2.serialize(one.value).strip(), bool(one.important)))
        return found

    def _refused(self, what: str, how: str) -> DesignError:
        return DesignError(
            f"{self._where}: {what} holds {how}, by which places and sizes may change; save the drawing as "
            "plain SVG, with its styles as attributes."
        )
