"""Designs side by side: their figures are those compared, where a design is matched most."""

import numpy as np
from PIL import Image

from advmask.evaluation.comparing import DesignRates, SideBySide
from advmask.evaluation.estimates import Estimate
from advmask.evaluation.variants_sheet import Variant, figures_of, variants_sheet


def compared(recognizer: str, gallery: str, **tar: float) -> SideBySide:
    rates = {name: DesignRates(Estimate(value), Estimate(0.5), 0) for name, value in tar.items()}
    return SideBySide(recognizer, "mtcnn", gallery, 0.01, 0.5, 20, 0, 5, rates)


ALL = [
    compared("dlib", "bare", one=0.1, two=0.6, white=0.5, black=0.4),
    compared("dlib", "pooled", one=0.3, two=0.5, white=0.9, black=0.8),
    compared("other", "bare", one=0.0, two=1.0, white=0.7, black=0.8),
]


def test_each_recognizer_where_the_design_is_matched_most_and_the_best_plain_mask_there() -> None:
    assert figures_of("one", ALL) == [("dlib", 0.3, 0.8), ("other", 0.0, 0.7)]
    assert figures_of("two", ALL) == [("dlib", 0.6, 0.4), ("other", 1.0, 0.7)]
    assert figures_of("one", [compared("dlib", "bare", one=0.1)]) == [("dlib", 0.1, None)]


def test_bars_are_as_long_as_the_rates() -> None:
    red = Image.new("RGB", (300, 200), "red")
    sheet = np.asarray(variants_sheet([Variant("one", red, red), Variant("two", red, None)], ALL)).astype(int)
    top = 28 + 44 + 230 + 12 + 400 + 12 + 30 + 7  # the middle of the first bar
    for column, rate, plain in ((0, 0.3, 0.8), (1, 0.6, 0.4)):
        left = 28 + column * (340 + 24)
        row = sheet[top, left : left + 341]
        assert abs(int((row.max(axis=1) < 40).sum()) - 340 * rate) <= 10
        orange = np.flatnonzero((abs(row - [0xB8, 0x4A, 0]) < 10).all(axis=1))
        assert abs(orange.mean() - 340 * plain) <= 1
    flat = sheet[28 + 44 + 115, 28 + 100]
    assert (flat == [255, 0, 0]).all()
