"""The closed loop: print, photograph and fit, with a printer and a camera that the fit knows nothing of."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time

import cv2
import numpy as np
import pytest
from chart_simulation import (
    Camera,
    Printer,
    as_seen,
    compressed,
    gentle,
    random_camera,
    random_printer,
)
from PIL import Image

from advmask.colour.difference import delta_e
from advmask.colour.lab import lab_of
from advmask.colour.srgb import decoded as linear_from_srgb
from advmask.core.errors import ConfigError, PhotoError
from advmask.core.picture_reading import read_picture
from advmask.printing.chart.chart_fit import fit_photo
from advmask.printing.chart.chart_layout import Chart, chart_layout, marker_ids
from advmask.printing.chart.marker_search import find_chart
from advmask.printing.chart.pages import frame_corner_mm, page_pixels
from advmask.printing.chart.reading import read_chart
from advmask.printing.chart.report import fit_report

DPI = 150
PAGE_MM = (210.0, 297.0)
CAMERA = gentle(random_camera(3), size=(1008, 1344), exposure=0.6)  # as few pixels as do for refusals
PRINTER = random_printer(3)


def printed(chart: Chart, printer: Printer = PRINTER, *, dpi: int = DPI) -> np.ndarray:
    return printer.page(page_pixels(chart, paper="a4", dpi=dpi), dpi=dpi, random=np.random.default_rng(0))


def photographed(page: np.ndarray, camera: Camera = CAMERA, *, dpi: int = DPI) -> np.ndarray:
    return np.asarray(camera.photo(page, dpi=dpi, random=np.random.default_rng(5)))


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return printed(chart_layout(0))


@pytest.fixture(scope="module")
def photo(page: np.ndarray) -> np.ndarray:
    return photographed(page)


def test_one_photo_predicts_colours_that_were_never_printed(page: np.ndarray) -> None:
    photo = photographed(page, replace(CAMERA, size=(1512, 2016)))
    before = process_time()
    fitted = fit_photo(photo)
    assert process_time() - before < 20
    asked = np.random.default_rng(1).random((500, 3))
    seen = lab_of(as_seen(PRINTER, CAMERA, asked))
    assert delta_e(lab_of(linear_from_srgb(asked)), seen).mean() > 12
    assert delta_e(fitted.predict(asked), seen).mean() < 1
    assert fitted.before.mean > 12
    assert fitted.after.mean < 1
    assert fitted.nodes.shape == (17, 17, 17, 3)
    assert fitted.nodes[-1, -1, -1].numpy() == pytest.approx(np.ones(3), abs=0.02)
    corner = as_seen(PRINTER, CAMERA, np.array([[1.0, 0.0, 0.0]]))[0]
    assert fitted.nodes[-1, 0, 0].numpy() == pytest.approx(corner, abs=0.03)
    assert fitted.spread_mm == pytest.approx(PRINTER.spread_mm, rel=0.4)
    on_cloth = fit_photo(photo, paper_white=(0.8, 0.7, 0.6))
    assert (on_cloth.nodes / fitted.nodes.clamp(min=1e-6)).numpy()[-1, -1, -1] == pytest.approx(
        [0.8, 0.7, 0.6]
    )
    with pytest.raises(ConfigError, match="is not paper"):
        fit_photo(photo, paper_white=(80, 70, 60))
    report = fit_report(photo, fitted, title="mine")
    assert report.shape[0] > 700
    assert report.shape[1] > 1400


def test_turned_photos_give_the_same(photo: np.ndarray) -> None:
    plain = fit_photo(photo)
    for quarters in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(photo, quarters))
        found = find_chart(turned)
        assert found.chart == plain.found.chart
        assert read_chart(turned, found).colours == pytest.approx(plain.reading.colours, abs=0.02)
    assert fit_photo(turned).nodes.numpy() == pytest.approx(plain.nodes.numpy(), abs=0.02)


Change = Callable[[np.ndarray], np.ndarray]


def _hue_filter(photo: np.ndarray) -> np.ndarray:
    hsv = cv2.cvtColor(photo, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + 70) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: np.ascontiguousarray(p[:, ::-1]), "is mirrored"),
        (lambda p: np.ascontiguousarray(p[::-1]), "is mirrored"),
        (lambda p: p[:, :733], "part of the chart: the marker of the top right and bottom right corners"),
        (lambda p: np.ascontiguousarray(p[:, 200:]), "top left and bottom left corners"),
        (lambda p: p[:1000], "bottom right and bottom left corners"),
        (lambda p: cv2.resize(p, (400, 533), interpolation=cv2.INTER_AREA), "too small"),
        (lambda p: np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2), "black and white"),
        (lambda p: np.concatenate([p, p], axis=1), "more than one chart"),
        (_hue_filter, "other hues"),
        (lambda p: cv2.GaussianBlur(p, (0, 0), 30), "no chart"),
    ],
)
def test_pictures_that_are_refused(photo: np.ndarray, change: Change, message: str) -> None:
    with pytest.raises(PhotoError, match=message):
        fit_photo(change(photo), name="photo.jpg")


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        ({"exposure": 1.4}, "overexposed"),
        ({"exposure": 0.06}, "underexposed"),
        ({"blur_px": 3.0}, "is blurred: edges spread"),
        ({"gradient": np.array([0.9, 0.0, 0.0, 0.0, 0.0]), "exposure": 0.35}, "lit too unevenly"),
    ],
)
def test_ways_to_photograph_that_are_refused(
    page: np.ndarray, camera: dict[str, object], message: str
) -> None:
    with pytest.raises(PhotoError, match=message):
        fit_photo(photographed(page, replace(CAMERA, **camera)))


def _shadow(page: np.ndarray) -> None:
    page[:, : page.shape[1] // 3] *= 0.6


def _glare(page: np.ndarray) -> None:
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    away = (x - 0.6 * page.shape[1]) ** 2 + (y - 0.3 * page.shape[0]) ** 2
    page += (0.2 * np.exp(-away / (2 * 120.0**2)))[..., None].astype(np.float32)


def _haze(page: np.ndarray) -> None:
    page *= 0.25
    page += 0.55


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_shadow, "shadow, a reflection"), (_glare, "shadow, a reflection"), (_haze, "glare|hardly any ink")],
)
def test_pages_that_are_refused(page: np.ndarray, spoil: Callable[[np.ndarray], None], message: str) -> None:
    spoilt = page.copy()
    spoil(spoilt)
    with pytest.raises(PhotoError, match=message):
        fit_photo(photographed(spoilt))


@pytest.mark.parametrize(
    ("chart", "message"),
    [
        (replace(chart_layout(0), markers=marker_ids(2, 0)), "version 2"),
        (replace(chart_layout(1), markers=marker_ids(1, 0)), "no smooth map"),
        (replace(chart_layout(0), markers=(1, 0, 2, 3)), "not where a flat page"),
        (replace(chart_layout(0), markers=(0, 5, 2, 3)), "more than one chart"),
    ],
)
def test_other_charts_are_refused(chart: Chart, message: str) -> None:
    with pytest.raises(PhotoError, match=message):
        fit_photo(photographed(printed(chart)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_other_printers_and_cameras(seed: int) -> None:
    chart, printer, camera = (
        chart_layout(seed + 4),
        random_printer(seed),
        random_camera(seed, most_tilt_deg=25),
    )
    fitted = fit_photo(photographed(printed(chart, printer, dpi=300), camera, dpi=300))
    asked = np.random.default_rng(1).random((2000, 3))
    seen = lab_of(as_seen(printer, camera, asked))
    assert delta_e(lab_of(linear_from_srgb(asked)), seen).mean() >= 12
    assert delta_e(fitted.predict(asked), seen).mean() <= 1.5
    assert fitted.after.mean <= 1.5
    assert fitted.spread_mm == pytest.approx(printer.spread_mm, rel=0.5)


@pytest.mark.slow
def test_found_in_a_hundred_of_a_hundred_photos() -> None:
    dpi = 150
    chart = chart_layout(0)
    page = printed(chart, dpi=dpi)
    corner = np.array([round(place * dpi / 25.4) * 25.4 / dpi for place in frame_corner_mm("a4")])
    errors = []
    for seed in range(100):
        camera = random_camera(seed, most_tilt_deg=40)
        found = find_chart(photographed(page, camera, dpi=dpi))
        assert found.chart == chart
        places = chart.centres()
        away = found.view.pixels(places) - camera.places(PAGE_MM, places + corner)
        errors.append(np.sqrt((away**2).sum(axis=1).mean()))
    assert np.mean(errors) < 0.5
    assert max(errors) < 1


def _without_chart() -> Iterator[np.ndarray]:
    """Noise, checkerboards, blobs, and markers that are no chart's."""
    random = np.random.default_rng(0)
    for number in range(10):
        yield random.integers(0, 256, (600, 800, 3), dtype=np.uint8)
        size = 8 + 4 * number
        y, x = np.mgrid[:700, :900] // size
        yield np.repeat((((x + y) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
        blobs = cv2.resize(random.integers(0, 256, (30, 40, 3), dtype=np.uint8), (1200, 900))
        yield blobs
    kinds = [
        cv2.aruco.DICT_4X4_50,
        cv2.aruco.DICT_6X6_250,
        cv2.aruco.DICT_APRILTAG_25H9,
        cv2.aruco.DICT_APRILTAG_36H11,
    ]
    for number in range(20):
        canvas = np.full((1200, 900), 255, dtype=np.uint8)
        kind = cv2.aruco.getPredefinedDictionary(kinds[number % len(kinds)])
        for corner, (x, y) in enumerate([(40, 40), (740, 40), (740, 1040), (40, 1040)]):
            # Of the chart's own kind too, but not four that belong together.
            which = int(random.integers(0, 30)) + (0 if number % len(kinds) < 3 else 100 * (corner % 3))
            canvas[y : y + 120, x : x + 120] = cv2.aruco.generateImageMarker(kind, which, 120)
        yield np.asarray(compressed(Image.fromarray(np.repeat(canvas[..., None], 3, axis=2)), 85))


def test_pictures_without_a_chart_give_none() -> None:
    pictures = list(_without_chart())
    assert len(pictures) == 50
    for number in (25, 26, 27, 31, 41):  # each kind; on fine checkerboards the search for markers takes long
        with pytest.raises(PhotoError):
            fit_photo(pictures[number])


@pytest.mark.slow
def test_fifty_pictures_without_a_chart_give_none() -> None:
    for picture in _without_chart():
        with pytest.raises(PhotoError):
            fit_photo(picture)


@pytest.mark.slow
@pytest.mark.shared
def test_fifty_photos_of_people_give_none(shared_dir: Path) -> None:
    photos = sorted((shared_dir / "faces").glob("*/*.jpg"))[:200:4]
    assert len(photos) == 50
    for path in photos:
        with pytest.raises(PhotoError, match="no chart"):
            fit_photo(np.asarray(read_picture(path)))
