"""Vector drawings (SVG) as pixels: looked through first, then drawn by resvg in a process of its own.

resvg draws without scripts and without any network, and reads files that a drawing names; so that it never
does, a drawing that names anything outside itself is refused. Whatever else a drawing can do to a renderer,
by parts that use each other a billion times or filters without end, ends with that process at its limits.
"""

import base64
import gzip
import io
import re
import subprocess
import sys
import zlib
from pathlib import Path
from xml.parsers import expat

from PIL import Image

from advmask.core.errors import DesignError

SIDE_PX = 4000
"""Longer side of the picture: a mask 250 mm wide at 400 dpi."""
_MOST_BYTES, _MOST_ELEMENTS, _DEEPEST = 64 << 20, 500_000, 400
_MOST_EMBEDDED = 60_000_000  # pixels of all pictures inside
_HEAD = 4096
_CPU_S, _MEMORY, _WALL_S = 20, 2 << 30, 120.0
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!DOCTYPE\s+svg|(?:\w+:)?svg[\s>])", re.IGNORECASE)
_ROOT = re.compile(rb"<(?:\w+:)?svg[\s>]", re.IGNORECASE)
_REFERENCE = re.compile(r"url\(\s*[\"']?\s*([^\"')\s]*)|@import", re.IGNORECASE)
_DATA = re.compile(r"data:image/(png|jpe?g|gif|webp)\s*;\s*base64\s*,(.*)", re.IGNORECASE | re.DOTALL)
_SPACE = "http://www.w3.org/2000/svg"
_GZIP = b"\x1f\x8b"
# Width and height bound the picture; its proportions stay.
_DRAW = """
import sys
try:
    import resource
    for limit, most in ((resource.RLIMIT_CPU, {cpu}), (resource.RLIMIT_AS, {memory})):
        resource.setrlimit(limit, (most, most))
except (ImportError, OSError, ValueError):
    pass
import resvg_py
drawing = sys.stdin.buffer.read().decode("utf-8")
fonts, size = bool(int(sys.argv[2])), dict(width={side}, height={side})
png = resvg_py.svg_to_bytes(svg_string=drawing, background=sys.argv[1], skip_system_fonts=not fonts, **size)
sys.stdout.buffer.write(bytes(png))
"""


def is_svg(path: Path) -> bool:
    """Whether a file is a vector drawing, by its first bytes, or a packed one by its name too."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return False
    if head.startswith(_GZIP):
        return path.suffix.lower() == ".svgz"
    return _BEGINS.match(head) is not None and (
        path.suffix.lower() == ".svg" or _ROOT.search(head) is not None
    )


def read_svg(path: Path, *, background: tuple[int, int, int]) -> Image.Image:
    """Draw a vector drawing, `SIDE_PX` along its longer side, as mode RGB.

    Args:
        path: The file, `.svg` or packed as `.svgz`.
        background: Behind what it leaves free.

    Raises:
        DesignError: It names something outside itself, declares entities, is damaged, or asks for more than
            a drawing does.
    """
    content = _content(path)
    writes = _looked_through(content, path)
    code = _DRAW.format(cpu=_CPU_S, memory=_MEMORY, side=SIDE_PX)
    words = [sys.executable, "-P", "-c", code, "#" + bytes(background).hex(), str(int(writes))]
    too_much = (
        f"{path} cannot be drawn: it is damaged, or asks for more than {_CPU_S} seconds or "
        f"{_MEMORY >> 30} GB; simplify it, or export it as PNG."
    )
    try:
        done = subprocess.run(words, input=content, capture_output=True, timeout=_WALL_S, check=False)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise DesignError(too_much) from error
    if done.returncode != 0:
        raise DesignError(too_much)
    with Image.open(io.BytesIO(done.stdout), formats=("PNG",)) as picture:
        drawn = picture.convert("RGB")
    drawn.info = {}
    return drawn


def _content(path: Path) -> bytes:
    """The drawing as UTF-8."""
    large = DesignError(
        f"{path} is a drawing of more than {_MOST_BYTES >> 20} MB; simplify it, or export it as PNG."
    )
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        if content.startswith(_GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DesignError(f"{path} cannot be read ({error}); save it again.") from error
    if len(content) > _MOST_BYTES:
        raise large
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DesignError(f"{path} is not written in UTF-8; save it again as plain SVG.") from error
    return content


def _looked_through(content: bytes, path: Path) -> bool:
    """Refuse what no drawing needs; tell whether there are letters in it."""
    parser = expat.ParserCreate()
    found = {"elements": 0, "depth": 0, "letters": 0, "style": 0, "pixels": 0}
    sheets: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        space = attributes.get(":".join(["xmlns", *name.split(":")[:-1]]))
        if not found["elements"] and (local != "svg" or space != _SPACE):
            raise DesignError(
                f"{path} is not an SVG drawing: it begins with <{name}> of {space or 'no kind'}."
            )
        found["elements"] += 1
        found["depth"] += 1
        found["letters"] += local == "text"
        found["style"] += local == "style"
        if found["elements"] > _MOST_ELEMENTS or found["depth"] > _DEEPEST:
            raise DesignError(
                f"{path} has more than {_MOST_ELEMENTS:,} parts, or {_DEEPEST} inside each other; "
                "simplify it, or export it as PNG."
            )
        for key, value in attributes.items():
            if key.rpartition(":")[2] in ("href", "src") and local != "a":
                found["pixels"] += _pixels_in(value.strip(), path)
                if found["pixels"] > _MOST_EMBEDDED:
                    raise DesignError(
                        f"{path} holds pictures of more than {_MOST_EMBEDDED:,} pixels; reduce them."
                    )
            _check_sheet(value, path)

    def end(name: str) -> None:
        found["depth"] -= 1
        if name.rpartition(":")[2] == "style":
            found["style"] -= 1
            _check_sheet("".join(sheets), path)
            sheets.clear()

    def text(letters: str) -> None:
        if found["style"]:
            sheets.append(letters)

    def entity(*_: object) -> None:
        raise DesignError(
            f"{path} declares entities, which can hide anything; save it as plain or optimised SVG."
        )

    def processed(target: str, _: str) -> None:
        if target == "xml-stylesheet":
            raise DesignError(f"{path} asks for a style sheet outside itself; save it as plain SVG.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = text, entity
    parser.ProcessingInstructionHandler = processed
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last of encodings that are none
        raise DesignError(f"{path} is a damaged SVG drawing ({error}); save it again.") from error
    return bool(found["letters"])


def _pixels_in(link: str, path: Path) -> int:
    """Of the picture that a link holds itself; 0 where it leads into the drawing, and else it is refused."""
    if link.startswith("#") or not link:
        return 0
    data = _DATA.fullmatch(link)
    if data is None:
        raise DesignError(
            f"{path} asks for {link[:60]!r}, which lies outside the drawing; embed that picture in it, or "
            "export the drawing as PNG."
        )
    try:
        content = base64.b64decode(re.sub(r"\s+", "", data[2]))
    except ValueError as error:  # letters that none of it has, too
        raise DesignError(f"{path} holds a damaged picture; embed it again.") from error
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "GIF", "WEBP")) as picture:
            return picture.width * picture.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _MOST_EMBEDDED + 1
    except Exception:  # resvg leaves such a picture out
        return 0


def _check_sheet(text: str, path: Path) -> None:
    if "url" not in text.lower() and "@" not in text:
        return
    for found in _REFERENCE.finditer(text):
        if found[1] is None:
            raise DesignError(f"{path} imports a style sheet from outside itself; save it as plain SVG.")
        if found[1] and not found[1].startswith(("#", "data:")):
            raise DesignError(
                f"{path} asks for {found[1][:60]!r}, which lies outside the drawing; save it as plain SVG."
            )
