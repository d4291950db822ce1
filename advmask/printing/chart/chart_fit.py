"""From a photo of the printed chart to what the printer makes of every colour."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from advmask.colour.difference import delta_e
from advmask.colour.lab import lab_of, light_of
from advmask.colour.srgb import LUMINANCE, decoded
from advmask.core.errors import ConfigError, PhotoError
from advmask.printing.chart.chart_layout import Chart
from advmask.printing.chart.colour_map import ColourMap, Kind, choose_kind, fit_map, grey_curve
from advmask.printing.chart.evenness import light_field
from advmask.printing.chart.ink_spread import ink_spread_mm
from advmask.printing.chart.marker_search import FoundChart, find_chart
from advmask.printing.chart.reading import Reading, read_chart

NODES = 17
_MOST_ERROR = 5.0  # mean CIEDE2000 at patches left out; a printer that was read well stays below 3
_LEAST_CHROMA = 4.0  # standard deviation of a* or b* of a print with colours
_LEAST_ALIKE = 0.5  # correlation of a* and b* asked for and seen; printers have about 0.9


@dataclass(frozen=True)
class Errors:
    """CIEDE2000 differences over patches held out from the fit."""

    mean: float
    median: float
    percentile_95: float

    @classmethod
    def of(cls, differences: Float64[np.ndarray, "n"]) -> Self:
        """Summary of differences."""
        return cls(
            float(differences.mean()), float(np.median(differences)), float(np.percentile(differences, 95))
        )

    def __str__(self) -> str:
        """For reports."""
        return f"mean {self.mean:.1f}, median {self.median:.1f}, 95 % below {self.percentile_95:.1f}"


@dataclass(frozen=True)
class Calibration:
    """A printer as measured.

    Attributes:
        nodes: (17, 17, 17, 3) float32, by red, green and blue of the sRGB asked for in even steps: linear
            light relative to a perfect white.
        spread_mm: Standard deviation of the spread of ink.
        before: Colours asked for against colours seen, at the held-out patches.
        after: Colours predicted against colours seen, there.
        cross_validated: Mean error at patches of the fit that were left out in turn.
        kind: The kind of map.
        found: Where the chart lies in the photo.
        reading: What was read of it.
        light: Light of white paper at each patch.
        seen: (patches, 3) linear light of each patch relative to the paper.
        predict: From sRGB in [0, 1] to L*a*b* relative to the paper.
    """

    nodes: Float[Tensor, "17 17 17 3"]
    spread_mm: float
    before: Errors
    after: Errors
    cross_validated: float
    kind: Kind
    found: FoundChart
    reading: Reading
    light: Float64[np.ndarray, "patches 3"]
    seen: Float64[np.ndarray, "patches 3"]
    predict: ColourMap


def fit_photo(
    photo: UInt8[np.ndarray, "h w 3"],
    *,
    paper_white: tuple[float, float, float] = (1.0, 1.0, 1.0),
    name: str = "The photo",
) -> Calibration:
    """Measure a printer by one photo of the chart it printed.

    What one photo tells is what printer, light and camera do together. Corrected are: perspective, light that
    falls unevenly, and its colour and strength, by taking bare paper for white. Taken for granted is that the
    camera writes sRGB: what it does to colours and contrast beyond that counts as the printer's.

    Args:
        photo: sRGB, 0 to 255.
        paper_white: Linear sRGB reflectance of the bare paper, by which all colours are multiplied; 1 keeps
            them relative to the paper.
        name: What messages call the photo.

    Raises:
        PhotoError: The photo does not show the chart well enough; the message says what is wrong.
        ConfigError: The paper white is not a reflectance.
        MissingPackageError: OpenCV is not installed.
    """
    if not all(0.2 <= value <= 1.2 for value in paper_white):
        raise ConfigError(f"paper_white={list(paper_white)} is not paper: give reflectances from 0.2 to 1.2.")
    found = find_chart(photo, name=name)
    reading = read_chart(photo, found, name=name)
    light = light_field(reading.colours, found.chart, name=name)
    seen = reading.colours / light
    asked, lab = _merged(found.chart, seen)
    kind, cross_validated = choose_kind(asked, lab)
    if cross_validated > _MOST_ERROR:
        raise PhotoError(
            f"{name} shows colours that no smooth map explains (CIEDE2000 of {cross_validated:.1f} at "
            f"patches left out, where {_MOST_ERROR:g} is the most): something lies on the chart, the print "
            "is streaky, or the photo went through a filter. Print or photograph it again."
        )
    _check_hues(asked, lab, name=name)
    predict = fit_map(asked, lab, kind)
    before, after = _errors(found.chart, seen, predict)
    spread, _ = _spread(found.chart, reading, light, asked, lab)
    nodes = _baked(predict) * np.array(paper_white)
    return Calibration(
        nodes=torch.from_numpy(nodes.astype(np.float32)),
        spread_mm=spread,
        before=before,
        after=after,
        cross_validated=cross_validated,
        kind=kind,
        found=found,
        reading=reading,
        light=light,
        seen=seen,
        predict=predict,
    )


def _merged(
    chart: Chart, seen: Float64[np.ndarray, "patches 3"]
) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
    """Colours asked for and seen, each once, without the held-out ones."""
    used = np.concatenate([chart.of("fit"), chart.of("field")])
    asked, group = np.unique(chart.asked()[used], axis=0, return_inverse=True)
    sums = np.zeros((len(asked), 3))
    np.add.at(sums, group.ravel(), seen[used])
    return asked, lab_of(sums / np.bincount(group.ravel())[:, None])


def _check_hues(asked: Float64[np.ndarray, "n 3"], lab: Float64[np.ndarray, "n 3"], *, name: str) -> None:
    """Refuse colours that are smooth and yet not those asked for, as a filter of a camera makes them."""
    wanted, got = lab_of(decoded(asked))[:, 1:], lab[:, 1:]
    if got.std(axis=0).max() < _LEAST_CHROMA:  # a printer without colours is a printer
        return
    alike = float((wanted * got).sum() / np.sqrt((wanted**2).sum() * (got**2).sum()))
    if alike < _LEAST_ALIKE:
        raise PhotoError(
            f"{name} shows other hues than the chart has: the photo went through a filter, or cartridges "
            "are empty or exchanged. Photograph it without filter, or print it again."
        )


def _errors(
    chart: Chart, seen: Float64[np.ndarray, "patches 3"], predict: ColourMap
) -> tuple[Errors, Errors]:
    out = chart.of("held out")
    asked, lab = chart.asked()[out], lab_of(seen[out])
    before = delta_e(lab_of(decoded(asked)), lab)
    return Errors.of(before), Errors.of(delta_e(predict(asked), lab))


def _spread(
    chart: Chart,
    reading: Reading,
    light: Float64[np.ndarray, "patches 3"],
    asked: Float64[np.ndarray, "n 3"],
    lab: Float64[np.ndarray, "n 3"],
) -> tuple[float, float]:
    # The light at a block of lines is that of the patches around it: it changes slowly.
    centres = chart.centres()
    blocks = np.array([block.centre_mm for block in chart.lines])
    near = 1.0 / (((blocks[:, None] - centres) ** 2).sum(axis=2) + 1.0) ** 2
    around = (near @ (light @ LUMINANCE)) / near.sum(axis=1)
    curve = grey_curve(asked, light_of(lab) @ LUMINANCE)
    periods = np.array([block.period_mm for block in chart.lines])
    return ink_spread_mm(periods, reading.lines / around, curve=curve)


def _baked(predict: ColourMap) -> Float64[np.ndarray, "17 17 17 3"]:
    axis = np.linspace(0.0, 1.0, NODES)
    asked = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    nodes: Float64[np.ndarray, "17 17 17 3"] = light_of(predict(asked)).reshape(NODES, NODES, NODES, 3)
    return nodes.clip(0.0, 1.0)
