"""The surfaces that ship with the package."""

from functools import cache
from pathlib import Path

from advmask.masks.pattern_files import load_surface
from advmask.masks.surface import MaskSurface


@cache
def shipped_surface(name: str) -> MaskSurface:
    """A surface that ships, by its pattern's name; or the `cloth` that outlines of users are cut from."""
    return load_surface(Path(__file__).parent / "data" / f"{name}.npz")
