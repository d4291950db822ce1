"""From settings to a mask: one that ships, or a pattern of the user's own."""

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from advmask.core.errors import ConfigError, DesignError
from advmask.masks.obj_pattern import surface_from_obj
from advmask.masks.settings import SHIPPED, SIZES, MaskSettings
from advmask.masks.shipped import shipped_surface
from advmask.masks.surface import MaskSurface
from advmask.masks.svg_pattern import surface_from_svg

_READERS = {".svg": surface_from_svg, ".obj": surface_from_obj}
_MOST_BYTES = 64 * 2**20
_LONGEST_NAME = 60


def build_mask(settings: MaskSettings) -> MaskSurface:
    """Build the mask that the settings name.

    A file of the user's is read each time and built again only if its content has changed.

    Raises:
        ConfigError: There is no such pattern.
        DesignError: The file is not a pattern.
    """
    path = own_pattern_file(settings)
    surface = shipped_surface(settings.pattern) if path is None else _own_surface(path)
    if settings.straps not in {None, surface.pattern.straps}:
        surface = replace(surface, pattern=replace(surface.pattern, straps=settings.straps))
    return surface.graded(SIZES[settings.size], settings.size)


def own_pattern_file(settings: MaskSettings) -> Path | None:
    """The user's file that the settings name, or None where the pattern ships with the package.

    Raises:
        ConfigError: The pattern is neither.
    """
    if settings.pattern in SHIPPED:
        return None
    try:
        path = Path(settings.pattern).expanduser()
    except RuntimeError:  # no such user
        path = Path(settings.pattern)
    if path.suffix.lower() in _READERS:
        return path
    raise ConfigError(
        f"Unknown pattern {settings.pattern!r}; mask.pattern is {', '.join(SHIPPED)}, or the path of an .svg "
        "outline or an .obj mesh."
    )


def more_than_named(settings: MaskSettings) -> MaskSettings | None:
    """The settings, where the name and size of a pattern do not tell all of them; else None.

    Raises:
        ConfigError: There is no such pattern.
    """
    return None if own_pattern_file(settings) is None and settings.straps is None else settings


def pattern_name(path: Path) -> str:
    """Name of a pattern from a file: its stem in letters, digits, dots and dashes, unlike a shipped one."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", path.stem).strip("._-")[:_LONGEST_NAME] or "pattern"
    return f"own_{stem}" if stem in (*SHIPPED, "cloth") else stem


def _own_surface(path: Path) -> MaskSurface:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DesignError(f"{path} has more than {_MOST_BYTES >> 20} MiB; simplify the pattern.")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {path}; check mask.pattern.") from error
    except OSError as error:
        raise DesignError(f"{path} cannot be read: {error.strerror or error}.") from error
    return _built(path.suffix.lower(), content, pattern_name(path), str(path))


@lru_cache(maxsize=4)
def _built(suffix: str, content: bytes, name: str, where: str) -> MaskSurface:
    return _READERS[suffix](content, name=name, where=where)
