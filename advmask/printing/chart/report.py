"""A picture that shows how well a fit predicts the print."""

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageDraw, ImageFont

from advmask.colour.difference import delta_e
from advmask.colour.lab import lab_of, light_of
from advmask.colour.srgb import decoded, encoded
from advmask.printing.chart.chart_dots import opencv
from advmask.printing.chart.chart_fit import Calibration
from advmask.printing.chart.chart_layout import HEIGHT_MM, WIDTH_MM

_SCALE = 3  # pixels to a millimetre of the photo laid flat
_MARGIN, _HEAD = 24, 96
_THIRD, _HIGH, _WORDS, _GAP = 44, 44, 34, 26
_COLUMNS = 6
_INK, _PAPER, _FAINT = (20, 20, 20), (255, 255, 255), (110, 110, 110)


def fit_report(
    photo: UInt8[np.ndarray, "h w 3"], calibration: Calibration, *, title: str
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw the photo laid flat, and next to it each held-out patch as asked, measured and predicted.

    Args:
        photo: The photo that was fitted, sRGB, 0 to 255.
        calibration: What came of it.
        title: First line.

    Returns:
        sRGB, 0 to 255.
    """
    flat = Image.fromarray(_flat(photo, calibration))
    chart = calibration.found.chart
    out = chart.of("held out")
    asked, seen = chart.asked()[out], calibration.seen[out]
    predicted = calibration.predict(asked)
    lab = lab_of(seen)
    before = delta_e(lab_of(decoded(asked)), lab)
    after = delta_e(predicted, lab)
    colours = np.stack([asked, encoded(seen), encoded(light_of(predicted))], axis=1)
    rows = -(-len(out) // _COLUMNS)
    width = _MARGIN * 3 + flat.width + _COLUMNS * (3 * _THIRD + _GAP)
    height = _HEAD + max(flat.height, rows * (_HIGH + _WORDS)) + _MARGIN
    page = Image.new("RGB", (width, height), _PAPER)
    page.paste(flat, (_MARGIN, _HEAD))
    pen = ImageDraw.Draw(page)
    _words(pen, calibration, title)
    for number, index in enumerate(np.argsort(-after)):
        row, column = divmod(number, _COLUMNS)
        left = 2 * _MARGIN + flat.width + column * (3 * _THIRD + _GAP)
        top = _HEAD + row * (_HIGH + _WORDS)
        for third in range(3):
            red, green, blue = np.rint(colours[index, third] * 255).astype(int).tolist()
            start = left + third * _THIRD
            pen.rectangle((start, top, start + _THIRD - 1, top + _HIGH - 1), fill=(red, green, blue))
        text = f"{before[index]:.1f} asked, {after[index]:.1f} predicted"
        pen.text((left, top + _HIGH + 4), text, font=ImageFont.load_default(12), fill=_INK)
    return np.asarray(page)


def _words(pen: ImageDraw.ImageDraw, calibration: Calibration, title: str) -> None:
    lines = (
        (20, _INK, title),
        (
            14,
            _INK,
            f"CIEDE2000 from the print: as asked {calibration.before}; as predicted {calibration.after}.",
        ),
        (
            14,
            _FAINT,
            f"Left: the photo laid flat. Right: {len(calibration.found.chart.of('held out'))} patches that "
            "the fit did not use, worst first, each as asked | measured | predicted, relative to the paper, "
            "with its CIEDE2000.",
        ),
    )
    top = 16
    for size, colour, text in lines:
        pen.text((_MARGIN, top), text, font=ImageFont.load_default(size), fill=colour)
        top += size + 8


def _flat(photo: UInt8[np.ndarray, "h w 3"], calibration: Calibration) -> UInt8[np.ndarray, "rows columns 3"]:
    y, x = np.mgrid[: round(HEIGHT_MM * _SCALE), : round(WIDTH_MM * _SCALE)] + 0.5
    places: Float64[np.ndarray, "rows columns 2"] = calibration.found.view.pixels(
        np.stack([x, y], axis=-1) / _SCALE
    )
    cv2 = opencv()
    flat = cv2.remap(photo, (places - 0.5).astype(np.float32), None, cv2.INTER_LINEAR)
    return np.asarray(flat, dtype=np.uint8)
