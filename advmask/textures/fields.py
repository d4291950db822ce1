"""Fields: unbounded numbers over a texture, from few free numbers. They are what an optimiser moves.

All kinds see to it that one step of Adam, which moves every free number about as far, moves the field about
as far at every scale it works on. `forward(share)` takes the share of the run that is over, 0 to 1: coarse
parts may be let in before fine ones.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.banded import Banded, Windows
from advmask.textures.bases import spline_matrix, wave_matrix

_FIRST_HALF_WAVES = 4  # of the shorter side: all that is open at the first step of a spectral field
_SOFT_OCTAVES = 0.5  # width of the edge of the open band


@dataclass(frozen=True)
class Extent:
    """The rectangle that a field covers.

    Attributes:
        height: Texels.
        width: Texels.
        periodic_rows: The last row is followed by the first.
        periodic_columns: The last column is followed by the first.
    """

    height: int
    width: int
    periodic_rows: bool = False
    periodic_columns: bool = False


class SplineField(nn.Module):
    """A sum of cubic B-spline surfaces, each with knots `ratio` times as far apart as the one before.

    One level is plain pixels with a finest detail. Several levels are a pyramid: whatever gradients agree
    over a larger area moves that area at once, so that far fewer steps are needed.

    Args:
        extent: What is covered.
        channels: Numbers at each texel.
        spacing: Texels from knot to knot at the finest level; 1 or less makes every texel free.
        levels: How many surfaces are summed.
        ratio: Of the spacings of neighbouring levels.
        opening: Share of the run by which the finest level is fully let in; 0 lets all in at once.

    Source:
        Burt and Adelson, "The Laplacian pyramid as a compact image code", 1983, for the sum of scales.
    """

    def __init__(
        self,
        extent: Extent,
        *,
        channels: int = 3,
        spacing: float = 1.0,
        levels: int = 1,
        ratio: float = 4.0,
        opening: float = 0.0,
    ) -> None:
        super().__init__()
        self._opening = opening
        # Where the finest level is free texel by texel there is no matrix for it.
        self._free = spacing <= 1
        spacings = [max(spacing, 1.0) * ratio**level for level in range(levels)]
        self._windows: dict[str, Windows | None] = {}
        self.levels = nn.ParameterList()
        for level, distance in enumerate(spacings):
            if level == 0 and self._free:
                self.levels.append(nn.Parameter(torch.zeros(channels, extent.height, extent.width)))
                continue
            across = spline_matrix(extent.width, distance, periodic=extent.periodic_columns)
            down = spline_matrix(extent.height, distance, periodic=extent.periodic_rows)
            for name, matrix in ((f"columns_{level}", across), (f"rows_{level}", down)):
                self.register_buffer(name, matrix, persistent=False)
                self._windows[name] = Banded.of(matrix).windows
            self.levels.append(nn.Parameter(torch.zeros(channels, down.shape[1], across.shape[1])))

    def forward(self, share: float) -> Float[Tensor, "channels height width"]:
        """The field when `share` of the run is over."""
        field: Tensor | None = None
        for level, change in enumerate(self.levels):
            let_in = self.let_in(level, share)
            part: Tensor = change if let_in == 1 else change * let_in
            if level > 0 or not self._free:
                channels, rows, columns = part.shape
                across = self._banded(f"columns_{level}").columns(part.reshape(1, -1, columns))
                part = self._banded(f"rows_{level}", times=channels).rows(across.view(channels, rows, -1))
            field = part if field is None else field + part
        assert field is not None
        return field

    def _banded(self, name: str, *, times: int = 1) -> Banded:
        """A matrix, so many times; on a GPU whole."""
        matrix = self.get_buffer(name)
        windows = self._windows[name] if matrix.device.type == "cpu" else None
        return Banded(matrix.expand(times, -1, -1), None if windows is None else windows * times)

    def let_in(self, level: int, share: float) -> float:
        """How far a level counts, 0 to 1; level 0 is the finest and opens last, the coarsest is always in."""
        finer = len(self.levels) - 1
        if level == finer or self._opening == 0:
            return 1.0
        last = self._opening * (finer - level) / finer
        return _smooth_step((share - (last - self._opening / finer)) / (self._opening / finer))


class SpectralField(nn.Module):
    """A sum of waves along rows and columns, the long ones strong and first.

    A free number of a wave with f cycles per texel counts 1/f^exponent, scaled so that free numbers of plus
    or minus one give a field with a mean square of one. At an exponent of 1 every octave has the same
    strength, as in natural pictures. The open band grows by as many octaves in each part of the opening.

    Args:
        extent: What is covered.
        channels: Numbers at each texel.
        spacing: Texels of the shortest half wave; 1 at least.
        exponent: How much weaker short waves are; 0 makes all alike.
        opening: Share of the run by which all waves are let in; 0 lets all in at once.

    Source:
        Field, "Relations between the statistics of natural images and the response properties of cortical
        cells", 1987, for 1/f.
    """

    rows: Tensor
    columns: Tensor
    strength: Tensor
    octave: Tensor

    def __init__(
        self,
        extent: Extent,
        *,
        channels: int = 3,
        spacing: float = 1.0,
        exponent: float = 1.0,
        opening: float = 0.0,
    ) -> None:
        super().__init__()
        self._opening = opening
        rows, row_frequency = wave_matrix(extent.height, spacing, periodic=extent.periodic_rows)
        columns, column_frequency = wave_matrix(extent.width, spacing, periodic=extent.periodic_columns)
        slowest = 1 / (2 * max(extent.height, extent.width))  # the constant counts like half a wave
        frequency = torch.hypot(row_frequency[:, None], column_frequency).clamp(min=slowest)
        strength = frequency**-exponent
        octave = torch.log2(frequency)
        self._first = math.log2(_FIRST_HALF_WAVES / (2 * min(extent.height, extent.width)))
        self._last = float(octave.max()) + _SOFT_OCTAVES
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns.T.contiguous(), persistent=False)
        self.register_buffer("strength", strength / strength.square().sum().sqrt(), persistent=False)
        self.register_buffer("octave", octave, persistent=False)
        self.waves = nn.Parameter(torch.zeros(channels, *strength.shape))

    def forward(self, share: float) -> Float[Tensor, "channels height width"]:
        """The field when `share` of the run is over."""
        strength = self.strength
        if self._opening > 0 and share < self._opening:
            edge = self._first + (self._last - self._first) * share / self._opening
            beyond = ((self.octave - edge) / _SOFT_OCTAVES + 1).clamp(0, 1)
            strength = strength * (1 - beyond * beyond * (3 - 2 * beyond))
        field: Tensor = self.rows @ ((self.waves * strength) @ self.columns)
        return field


def _smooth_step(t: float) -> float:
    t = min(1.0, max(0.0, t))
    return t * t * (3 - 2 * t)
