r"""Paths on the command line, quoted so that Hydra's grammar hands them on letter by letter.

Rules, for the keys in `PATH_KEYS`:

- An unquoted value becomes a quoted one with the same text; a leading `~` is expanded. Spaces, brackets,
  `=`, commas, parentheses, quotes, `$`, `#` and backslashes then mean themselves, and so do numbers.
- `null`, `true` and `false` keep their meaning. A value that is a quoted string already is left as it is,
  so `design='"null"'` names a folder called null, and `faces.root='"${oc.env:PHOTOS}"'` interpolates.
- `hydra.run.dir` and `hydra.sweep.dir` may hold interpolations such as `${now:%Y}`: they stay.
- With `--multirun` an unquoted comma separates the values of a sweep, as it does for any other setting,
  and each value is quoted by itself: `-m design=runs/a,runs/b`. A path with a comma must then be quoted by
  hand. Hydra's own functions (`choice(...)`, `glob(...)`) are left as they are. The folders of Hydra are
  not swept over.

`mask=FILE.svg` and `mask=FILE.obj` are short for `mask.pattern=FILE`, and `printer=FILE.icc` is short for
`printer=icc printer.profile=FILE`.

Colours as #rrggbb are quoted in any value, alone or in a list.

`recognizers` and `aligners` are lists of names; each element is quoted. A comma ends an element only if what
follows looks like a name (`dlib`) or a scheme (`onnx:`), so most paths with commas need no quotes.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString

PATH_KEYS = frozenset(
    {
        "design",
        "enrolment",
        "faces.cache",
        "faces.masked",
        "faces.mesh_model",
        "faces.people",
        "faces.root",
        "folder",
        "hydra.run.dir",
        "hydra.sweep.dir",
        "input",
        "mask.pattern",
        "out",
        "output",
        "photo",
        "photos",
        "printer.profile",
        "printer.table",
        "protocol.calibration",
        "protocol.pairs",
        "run",
        "shop.template",
        "style",
        "texture.start",
        "objective.style.picture",
    }
)
_LISTS_OF_NAMES = frozenset({"recognizers", "protocol.aligners", "surrogates.aligners"})
_FOLDERS_OF_HYDRA = frozenset({"hydra.run.dir", "hydra.sweep.dir"})

_ASSIGNMENT = re.compile(r"(\+{0,2})([A-Za-z_][\w.]*)=(.*)\Z", re.DOTALL)
_CONSTANT = re.compile(r"\s*(null|true|false)\s*\Z", re.IGNORECASE)
_QUOTED_TEXT = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_QUOTED = re.compile(_QUOTED_TEXT, re.DOTALL)
_QUOTED_ELEMENT = re.compile(rf"\s*({_QUOTED_TEXT})\s*(,|\Z)", re.DOTALL)
_SWEEP_ELEMENT = re.compile(r"(.*?)(,|\Z)", re.DOTALL)
_RECOGNIZER_ELEMENT = re.compile(
    r"(.*?)(,(?=\s*(?:[A-Za-z][\w-]*\s*(?:,|\Z)|[A-Za-z][\w-]*:|[\"']))|\Z)", re.DOTALL
)
_SWEEP_FUNCTION = re.compile(r"(choice|glob|range|interval|sort|shuffle|tag)\(.*\)\Z", re.DOTALL)
_PATTERN_FILE = re.compile(r"\.(svg|obj)[\"']?\Z", re.IGNORECASE)
_PROFILE_FILE = re.compile(r"\.(icc|icm)[\"']?\Z", re.IGNORECASE)
_COLOUR = re.compile(rf"{_QUOTED_TEXT}|(?<![^\[,:\s])#[0-9A-Fa-f]{{3,8}}(?![^\],}}\s])", re.DOTALL)
_INTERPOLATION = re.compile(r"\$\{[A-Za-z_.][^{}]*\}")


def quote_overrides(words: Iterable[str], *, multirun: bool = False) -> list[str]:
    """Quote the path values among Hydra overrides; the others pass unchanged.

    Args:
        words: Overrides as typed, for example `faces.root=~/my photos`.
        multirun: Whether unquoted commas separate the values of a sweep.
    """
    return [_quote_override(spelled, multirun=multirun) for word in words for spelled in _spelled_out(word)]


def quoted(text: str, *, interpolate: bool = False) -> str:
    r"""Hydra literal, in double quotes, that is read as exactly `text`.

    Args:
        text: Any text; only a text that is `???` as a whole keeps OmegaConf's meaning (missing).
        interpolate: Leave `${...}` an interpolation instead of escaping it.
    """
    return QuotedString(text if interpolate else escaped(text), Quote.double).with_quotes()


def escaped(text: str) -> str:
    """A text in which OmegaConf sees no interpolation, and which it reads as it was."""
    # It halves the backslashes right before `${` and takes an odd one as the escape.
    return re.sub(r"(\\*)\$\{", lambda match: f"{match[1] * 2}\\${{", text)


def quoted_path(text: str) -> str:
    """As `quoted`, after expanding a leading `~`."""
    return quoted(_expand(text))


def _quote_override(word: str, *, multirun: bool) -> str:
    match = _ASSIGNMENT.match(word)
    if match is None:
        return word
    sign, key, value = match.groups()
    if key in _LISTS_OF_NAMES:
        return f"{sign}{key}={_quote_recognizers(value, multirun=multirun)}"
    if key in _FOLDERS_OF_HYDRA:
        return f"{sign}{key}={_quote_value(value, interpolate=_INTERPOLATION.search(value) is not None)}"
    if key in PATH_KEYS:
        return f"{sign}{key}={_quote_sweep(value) if multirun else _quote_value(value)}"
    return f"{sign}{key}={_COLOUR.sub(_quote_colour, value)}"


def _quote_colour(found: re.Match[str]) -> str:
    return quoted(found[0]) if found[0].startswith("#") else found[0]


def _spelled_out(word: str) -> list[str]:
    """A word, or the words that it is short for."""
    match = _ASSIGNMENT.match(word)
    if match is not None and match[2] == "mask" and _PATTERN_FILE.search(match[3]):
        return [f"{match[1]}mask.pattern={match[3]}"]
    if match is not None and match[2] == "printer" and _PROFILE_FILE.search(match[3]):
        return ["printer=icc", f"printer.profile={match[3]}"]
    return [word]


def _quote_value(value: str, *, interpolate: bool = False) -> str:
    if not value or _CONSTANT.match(value) or _QUOTED.fullmatch(value):
        return value
    return quoted(_expand(value), interpolate=interpolate)


def _quote_sweep(value: str) -> str:
    if _SWEEP_FUNCTION.match(value):
        return value
    parts = _split(value, _SWEEP_ELEMENT)
    return _quote_value(value) if len(parts) == 1 else ",".join(_quote_value(part) for part in parts)


def _quote_recognizers(value: str, *, multirun: bool) -> str:
    if not value or _CONSTANT.match(value) or _INTERPOLATION.fullmatch(value):
        return value
    if not multirun:
        return _list_of_names(value)
    if _SWEEP_FUNCTION.match(value):
        return value
    if value.startswith("["):
        return ",".join(_list_of_names(part) for part in re.split(r"(?<=\])\s*,\s*(?=\[)", value))
    return ",".join(f"[{_quote_name(name)}]" for name in _split(value, _RECOGNIZER_ELEMENT))


def _list_of_names(value: str) -> str:
    inner = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if not inner.strip():
        return "[]"
    return f"[{','.join(_quote_name(name) for name in _split(inner, _RECOGNIZER_ELEMENT))}]"


def _quote_name(name: str) -> str:
    if _QUOTED.fullmatch(name):
        return name
    scheme, colon, rest = name.partition(":")
    return quoted(f"{scheme}{colon}{_expand(rest)}")


def _split(text: str, element: re.Pattern[str]) -> list[str]:
    """Split at the commas that `element` accepts, never inside an element that is a quoted string."""
    parts: list[str] = []
    position = 0
    while True:
        match = _QUOTED_ELEMENT.match(text, position) or element.match(text, position)
        assert match is not None  # both elements match an empty text
        parts.append(match[1].strip())
        position = match.end()
        if not match[2]:
            return parts


def _expand(text: str) -> str:
    if not text.startswith("~"):
        return text
    head, slash, tail = text.partition("/")
    try:
        # Only the first part goes through Path, which would drop doubled and trailing slashes.
        return f"{Path(head).expanduser()}{slash}{tail}"
    except RuntimeError:  # no such user: a name that merely begins with a tilde
        return text
