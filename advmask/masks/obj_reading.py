"""The text of an OBJ file as numbers, each face with the line it stands on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from advmask.core.errors import DesignError

MOST_FACES = 200_000
_LARGEST = 1e9  # beyond it is no length in mm, nor is what is not a number


@dataclass(frozen=True, eq=False)
class ObjPolygons:
    """Faces of an OBJ file as they stand there: the corners of all, one face after the other.

    Attributes:
        positions: (P, 3) of `v`.
        coordinates: (T, 2) of `vt`.
        corners: (C,) numbers of positions, from 0.
        corner_coordinates: (C,) numbers of coordinates, from 0.
        counts: (F,) how many corners each face has, 3 or more.
        lines: (F,) line numbers in the file, from 1.
    """

    positions: Float64[np.ndarray, "p 3"]
    coordinates: Float64[np.ndarray, "t 2"]
    corners: Int64[np.ndarray, " c"]
    corner_coordinates: Int64[np.ndarray, " c"]
    counts: Int64[np.ndarray, " f"]
    lines: Int64[np.ndarray, " f"]


def read_obj(content: bytes, *, where: str) -> ObjPolygons:
    """Read `v`, `vt` and `f` lines; all others are ignored.

    Args:
        content: The file.
        where: Its name, for messages.

    Raises:
        DesignError: A line cannot be read, a face lacks texture coordinates or names what is not there, or
            there are no faces or more than 200,000. The message names the line.

    Source:
        Wavefront, Object Files (.obj), appendix B1 of the Advanced Visualizer manual.
    """
    positions: list[list[float]] = []
    coordinates: list[list[float]] = []
    corners: list[tuple[int, int]] = []
    counts: list[int] = []
    lines: list[int] = []
    for number, line in enumerate(_logical_lines(content), 1):
        place = f"{where}, line {number}"
        word, *rest = line.partition("#")[0].split() or [""]
        if word == "v":
            positions.append(_numbers(rest, 3, place, word))
        elif word == "vt":
            coordinates.append(_numbers(rest, 2, place, word))
        elif word == "f":
            if len(rest) < 3:
                raise DesignError(f"{place}: a face has at least 3 corners, got {len(rest)}.")
            corners += [_corner(text, len(positions), len(coordinates), place) for text in rest]
            counts.append(len(rest))
            lines.append(number)
            if len(corners) - 2 * len(counts) > MOST_FACES:
                raise DesignError(f"{place}: more than {MOST_FACES:,} triangles; simplify the mesh.")
    if not lines:
        raise DesignError(f"{where} holds no faces; it needs lines that begin with v, vt and f.")
    named = np.array(corners, dtype=np.int64)
    return ObjPolygons(
        np.array(positions, dtype=np.float64),
        np.array(coordinates, dtype=np.float64),
        named[:, 0],
        named[:, 1],
        np.array(counts, dtype=np.int64),
        np.array(lines, dtype=np.int64),
    )


def _logical_lines(content: bytes) -> list[str]:
    """Lines of text; one that ends in a backslash goes on in the next, which is left empty."""
    lines = content.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    for number in range(len(lines) - 1, 0, -1):
        if lines[number - 1].rstrip().endswith("\\"):
            lines[number - 1] = lines[number - 1].rstrip()[:-1] + " " + lines[number]
            lines[number] = ""
    return lines


def _numbers(words: list[str], count: int, place: str, word: str) -> list[float]:
    try:
        numbers = [float(text) for text in words[:count]]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(abs(number) < _LARGEST for number in numbers):
        raise DesignError(
            f"{place}: {word} needs {count} finite numbers in mm, got {' '.join(words)[:60]!r}."
        )
    return numbers


def _corner(text: str, positions: int, coordinates: int, place: str) -> tuple[int, int]:
    parts = text.split("/")
    if len(parts) < 2 or not parts[1]:
        raise DesignError(
            f"{place}: corner {text!r} has no texture coordinate; write faces as v/vt, with vt in mm on "
            "the pattern."
        )
    return _index(parts[0], positions, place, "v"), _index(parts[1], coordinates, place, "vt")


def _index(text: str, count: int, place: str, word: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    index = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= index < count:
        raise DesignError(f"{place}: there is no {word} number {text[:20]!r}; {count} stand above it.")
    return index
