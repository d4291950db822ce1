"""Draw the starting designs and control masks of this folder: `python textures/draw.py`.

Nothing here is read from elsewhere: every picture is computed from formulas and fixed seeds, with numpy and
Pillow alone, so that the files can be made again and have no author but this project.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from flowers import flowers
from lower_face import large_face, lower_face
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.float64]
SUPERSAMPLING = 3


@dataclass(frozen=True)
class Sheet:
    """Where the texels of a design lie on the mask; origin at the top of the nose line.

    Attributes:
        u_mm: (1, W) to the right.
        v_mm: (H, 1) down.
    """

    u_mm: Picture
    v_mm: Picture

    @classmethod
    def of(cls, *, width: int, height: int, texels_per_mm: float) -> "Sheet":
        """The centres of `width` x `height` texels, the nose line in the middle."""
        u_mm = (np.arange(width) + 0.5 - width / 2.0) / texels_per_mm
        v_mm = (np.arange(height) + 0.5) / texels_per_mm
        return cls(u_mm[None, :], v_mm[:, None])

    def plain(self, colour: tuple[float, float, float]) -> Picture:
        """One colour all over, (H, W, 3) in [0, 1]."""
        return np.broadcast_to(np.asarray(colour), (*self.shape, 3))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.v_mm.shape[0], self.u_mm.shape[1]


def white(sheet: Sheet) -> Picture:
    """Paper white."""
    return sheet.plain((1.0, 1.0, 1.0))


def black(sheet: Sheet) -> Picture:
    """As black as print gets: the darkest sRGB value."""
    return sheet.plain((0.0, 0.0, 0.0))


def surgical_blue(sheet: Sheet) -> Picture:
    """The pale blue of disposable surgical masks."""
    return sheet.plain((0.56, 0.76, 0.87))


def noise(sheet: Sheet, *, grain_mm: float = 3.0, levels: int = 8, seed: int = 20240229) -> Picture:
    """Random colours on a grid of `grain_mm`, smoothly joined and rounded to a few levels per channel."""
    extent = np.array([sheet.v_mm[-1, 0] + grain_mm, sheet.u_mm[0, -1] - sheet.u_mm[0, 0] + grain_mm])
    nodes = np.random.Generator(np.random.PCG64(seed)).random(
        (*(np.ceil(extent / grain_mm) + 2).astype(int), 3)
    )
    rows = (sheet.v_mm[:, 0]) / grain_mm
    columns = (sheet.u_mm[0] - sheet.u_mm[0, 0]) / grain_mm
    smooth = _joined(_joined(nodes, rows).swapaxes(0, 1), columns).swapaxes(0, 1)
    # Joining lowers the contrast; bring it back to the full range before rounding.
    spread = np.clip(0.5 + (smooth - 0.5) * 1.6, 0.0, 1.0)
    return np.round(spread * (levels - 1)) / (levels - 1)


def checks(sheet: Sheet, *, side_mm: float = 8.0) -> Picture:
    """A black and white chessboard, one corner on the nose line."""
    odd = (np.floor(sheet.u_mm / side_mm) + np.floor(sheet.v_mm / side_mm)) % 2
    return np.repeat(odd[..., None], 3, axis=2)


def stripes(sheet: Sheet, *, period_mm: float = 12.0) -> Picture:
    """Upright stripes in navy and white, a white one on the nose line."""
    share = np.abs((sheet.u_mm / period_mm + 0.5) % 1.0 - 0.5) < 0.25
    navy, pale = np.array([0.10, 0.15, 0.35]), np.array([0.97, 0.96, 0.93])
    return np.where(np.broadcast_to(share, sheet.shape)[..., None], pale, navy)


def motif(sheet: Sheet) -> Picture:
    """Overlapping waves in six colours, the same left and right: something for artists to start from."""
    palette = np.array(
        [
            [0.09, 0.16, 0.29],
            [0.11, 0.39, 0.47],
            [0.35, 0.66, 0.62],
            [0.97, 0.89, 0.73],
            [0.95, 0.62, 0.36],
            [0.80, 0.28, 0.27],
        ]
    )
    u, v = np.abs(sheet.u_mm), sheet.v_mm
    picture = np.broadcast_to(palette[3], (*sheet.shape, 3)).copy()
    # Rows of scales from top to bottom: each covers the one above, as on a roof seen from below.
    radius = 17.0
    for row in range(-2, 24):
        centre_v = row * radius * 0.5
        shift = radius * (row % 2)
        nearest = (np.round((u - shift) / (2 * radius))) * 2 * radius + shift
        bend = 3.0 * np.sin(u / 19.0) + 2.0 * np.sin(u / 7.5 + 0.8 * row)
        near = np.abs(v[:, 0] - centre_v) < radius + 5.0  # as far as it bends at most
        distance = np.hypot(u - nearest, v[near] - centre_v - bend)
        ring = np.floor(distance / radius * 5.0).astype(int)
        tone = (np.array([5, 4, 3, 2, 1])[np.clip(ring, 0, 4)] + (row // 2) * 5) % 6
        covered = distance < radius
        part = picture[near]
        part[covered] = palette[tone[covered]]
        part[covered & (distance > 0.94 * radius)] = palette[0]
        picture[near] = part
    return picture


DESIGNS: dict[str, Callable[[Sheet], Picture]] = {
    "white": white,
    "surgical_blue": surgical_blue,
    "black": black,
    "noise": noise,
    "checks": checks,
    "stripes": stripes,
    "lower_face": lambda sheet: lower_face(sheet.u_mm, sheet.v_mm),
    "large_face": lambda sheet: large_face(sheet.u_mm, sheet.v_mm),
    "motif": motif,
    "flowers": lambda sheet: flowers(sheet.u_mm, sheet.v_mm),
}
"""What can be drawn, by the name of its file."""

_CRISP = ("checks", "stripes", "motif", "flowers")


def draw(name: str, *, width: int, height: int, texels_per_mm: float) -> Image.Image:
    """Draw one design; those with edges are drawn finer and averaged down."""
    factor = SUPERSAMPLING if name in _CRISP else 1
    sheet = Sheet.of(width=width * factor, height=height * factor, texels_per_mm=texels_per_mm * factor)
    picture = DESIGNS[name](sheet)
    blocks = picture.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))
    return Image.fromarray(np.round(blocks.clip(0.0, 1.0) * 255.0).astype(np.uint8))


def _joined(nodes: Picture, places: Picture) -> Picture:
    """Interpolate along the first axis with the smooth step 3t^2 - 2t^3."""
    start = np.floor(places).astype(int)
    part = (places - start)[:, None, None]
    weight = part * part * (3.0 - 2.0 * part)
    return nodes[start] * (1.0 - weight) + nodes[start + 1] * weight


def main() -> None:
    """Draw all designs, or those asked for, into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(DESIGNS)}; all by default")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where to write")
    parser.add_argument("--width", type=int, default=702, help="texels from left to right")
    parser.add_argument("--height", type=int, default=460, help="texels from top to bottom")
    parser.add_argument("--texels-per-mm", type=float, default=3.0)
    given = parser.parse_args()
    unknown = sorted(set(given.names) - set(DESIGNS))
    if unknown:
        parser.error(f"there is no design {unknown[0]}; choose from {', '.join(DESIGNS)}")
    if given.width < 1 or given.height < 1 or not given.texels_per_mm > 0:
        parser.error("width, height and texels per mm are above 0")
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.names or DESIGNS:
        picture = draw(name, width=given.width, height=given.height, texels_per_mm=given.texels_per_mm)
        dpi = given.texels_per_mm * 25.4
        picture.save(given.folder / f"{name}.png", optimize=True, dpi=(dpi, dpi))


if __name__ == "__main__":
    main()
