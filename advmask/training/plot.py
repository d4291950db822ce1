"""`progress.png`: how the match confidence and the loss of a run went, drawn from `metrics.csv`."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytorch_lightning as pl
from PIL import Image, ImageDraw, ImageFont
from pytorch_lightning.callbacks import Callback

from advmask.core.files import write_with
from advmask.training.csv_log import CsvLog, read_log

_WIDTH, _PANEL = 900, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 26, 26
_COLOURS = ("#2f6c8f", "#c2452d", "#5b8a58", "#8a5bb0", "#b8860b", "#16787a")
_SCALE = 2  # drawn larger and then reduced, for Pillow draws jagged lines
_REDRAWN_S = 30.0
_CONFIDENCE = "match_confidence/"

Curve = list[tuple[float, float]]


class ProgressPlot(Callback):
    """Redraws the plot at checkpoints, but no more often than every half minute.

    Args:
        metrics: The log.
        path: The picture.
    """

    def __init__(self, metrics: Path, path: Path) -> None:
        self._metrics = metrics
        self._path = path
        self._drawn = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw where enough time has passed."""
        if trainer.is_global_zero and time.monotonic() - self._drawn >= _REDRAWN_S:
            for logger in trainer.loggers:
                if isinstance(logger, CsvLog):
                    logger.flush()
            write_plot(self._metrics, self._path)
            self._drawn = time.monotonic()


def write_plot(metrics: Path, path: Path) -> None:
    """Draw a log into a PNG; a log without a single row draws nothing.

    Raises:
        RunError: The log is damaged, or the picture cannot be written.
    """
    if not metrics.exists():
        return
    curves = curves_of(read_log(metrics))
    if curves:
        write_with(path, plot(curves).save)


def curves_of(rows: Sequence[Mapping[str, str]]) -> dict[str, Curve]:
    """The columns of a log as curves over the step, empty fields left out."""
    curves: dict[str, Curve] = {}
    for row in rows:
        for name, value in row.items():
            if name != "step" and value:
                curves.setdefault(name, []).append((float(row["step"]), float(value)))
    return curves


def plot(curves: Mapping[str, Curve]) -> Image.Image:
    """Match confidence of each recognizer above, the loss below; a running mean over single steps.

    Recognizers without a threshold have no match confidence; if all are, their similarities stand above.

    Args:
        curves: By the names of the log's columns.
    """
    canvas = Image.new("RGB", (_SCALE * _WIDTH, _SCALE * 2 * _PANEL), "white")
    above = _of_each(_CONFIDENCE, curves)
    validated = curves.get("val_match_confidence")
    if validated:
        above["validation"] = validated
    below = {name: curves[name] for name in ("loss",) if name in curves}
    last = max((curve[-1][0] for curve in curves.values()), default=1.0)
    if above:
        _panel(canvas, 0, "match confidence", above, last, low=0.0, high=1.0)
    else:
        _ranged(canvas, 0, "similarity", _of_each("similarity/", curves), last)
    _ranged(canvas, _PANEL, "loss", below, last)
    return canvas.resize((_WIDTH, 2 * _PANEL), Image.Resampling.LANCZOS)


def _of_each(prefix: str, curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """A column of each recognizer, by its name."""
    return {name.removeprefix(prefix): curve for name, curve in curves.items() if name.startswith(prefix)}


def _ranged(canvas: Image.Image, top: int, title: str, curves: Mapping[str, Curve], last: float) -> None:
    """A panel as high as its values, zero among them."""
    values = [value for curve in curves.values() for _, value in _smooth(curve) if _finite(value)]
    low, high = min([0.0, *values]), max([0.0, *values])
    _panel(canvas, top, title, curves, last, low=low, high=high if high > low else low + 1)


def _panel(
    canvas: Image.Image,
    top: int,
    title: str,
    curves: Mapping[str, Curve],
    last: float,
    *,
    low: float,
    high: float,
) -> None:
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=12 * _SCALE)
    x0, x1 = _LEFT, _WIDTH - _RIGHT
    y0, y1 = top + _TOP, top + _PANEL - _BOTTOM

    def at(step: float, value: float) -> tuple[float, float]:
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return _SCALE * (x0 + (x1 - x0) * step / max(last, 1.0)), _SCALE * (y1 - (y1 - y0) * share)

    for tick in range(5):
        value = low + (high - low) * tick / 4
        x, y = at(0, value)
        draw.line([(x, y), at(last, value)], fill="#dddddd", width=_SCALE)
        draw.text((x - 6 * _SCALE, y), f"{value:.2g}", fill="#444444", font=font, anchor="rm")
        step = last * tick / 4
        x, y = at(step, low)
        draw.text((x, y + 5 * _SCALE), f"{step:.0f}", fill="#444444", font=font, anchor="mt")
    draw.text((_SCALE * x0, _SCALE * (top + 5)), title, fill="black", font=font)
    place = float(_SCALE * (x0 + 150))
    for number, (name, curve) in enumerate(curves.items()):
        colour = "black" if name == "validation" else _COLOURS[number % len(_COLOURS)]
        points = [at(step, value) for step, value in _smooth(curve) if _finite(value)]
        draw.line(points, fill=colour, width=2 * _SCALE, joint="curve")
        if name == "validation" or len(points) == 1:
            for x, y in points:
                draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
        if name == title:
            continue
        draw.text((place, _SCALE * (top + 5)), name, fill=colour, font=font)
        place += draw.textlength(name, font=font) + 18 * _SCALE


def _smooth(curve: Curve) -> Curve:
    """A mean over the fortieth part of a curve around each of its points."""
    reach = len(curve) // 80
    if reach == 0:
        return curve
    smooth = []
    for place, (step, _) in enumerate(curve):
        near = [value for _, value in curve[max(0, place - reach) : place + reach + 1]]
        smooth.append((step, sum(near) / len(near)))
    return smooth


def _finite(value: float) -> bool:
    return abs(value) < float("inf")
