"""`advmask calibrate chart | fit`: measure a printer by a chart that it printed and a photo of it."""

from typing import Any

import numpy as np
from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.commands.settings import CalibrateCommand
from advmask.core.config_folders import conf_dir
from advmask.core.data_files import read_yaml
from advmask.core.errors import ConfigError
from advmask.core.files import sha256
from advmask.core.picture_reading import read_picture
from advmask.core.shown_names import shown
from advmask.printers.colour_table import ColourTable
from advmask.printers.settings import PrinterSettings
from advmask.printers.store import check_printer, own_printers, printers_folder, save_printer
from advmask.printing.chart.chart_fit import Calibration, fit_photo
from advmask.printing.chart.chart_layout import VERSION, chart_layout
from advmask.printing.chart.pages import chart_pdf, chart_png
from advmask.printing.chart.report import fit_report
from advmask.printing.manifest import write_kept
from advmask.textures.png_bytes import encode_png

ACTIONS = ("chart", "fit")
_WHITE = (1.0, 1.0, 1.0)
_LIKENESS = ("varies", "mirrored", "bleed_mm", "dpi")
_FADED = 1.75  # lines this many times as wide as the spread keep a fifth of their contrast
_REPORT_PX_PER_MM = 96 / 25.4


def run(config: DictConfig) -> None:
    """Write the chart, or fit a photo of it."""
    settings = CalibrateCommand.build(as_mapping(config))
    if settings.action not in ACTIONS:
        raise ConfigError(f"advmask calibrate cannot {settings.action!r}; write {' or '.join(ACTIONS)}.")
    if settings.action == "chart":
        _write_chart(settings)
    else:
        _fit(settings)


def _write_chart(settings: CalibrateCommand) -> None:
    chart = chart_layout(settings.seed)
    files = {
        "chart.pdf": chart_pdf(chart, paper=settings.paper, dpi=settings.dpi, mirrored=settings.mirrored),
        "chart.png": chart_png(chart, paper=settings.paper, dpi=settings.dpi, mirrored=settings.mirrored),
    }
    for path in write_kept(settings.out.expanduser(), files, overwrite=settings.overwrite):
        print(f"Written to {path}")
    print(
        "Print one of them at 100 %, without colour correction, and photograph the whole page. Then:\n"
        "  advmask calibrate fit PHOTO printer.name=NAME"
    )


def _fit(settings: CalibrateCommand) -> None:
    if settings.photo is None:
        raise ConfigError("advmask calibrate fit needs a PHOTO of the printed chart behind it.")
    name = settings.printer.name
    if name is None:
        raise ConfigError("advmask calibrate fit needs a name for the printer: add printer.name=NAME.")
    like = _likeness(settings.printer.like)
    path = settings.photo.expanduser()
    photo = np.asarray(read_picture(path))
    fitted = fit_photo(photo, paper_white=settings.paper_white or _WHITE, name=str(path))
    spread = round(fitted.spread_mm, 3)
    table = ColourTable(fitted.nodes)
    check_printer(name, table, overwrite=settings.overwrite)
    title = f"{name}: advmask calibrate fit {shown(path.name)}"
    report = encode_png(fit_report(photo, fitted, title=title), pixels_per_mm=_REPORT_PX_PER_MM)
    files = {f"{name}-fit.png": report}
    reports = write_kept(settings.out.expanduser(), files, overwrite=settings.overwrite)
    # Last, for once it is there this command refuses to make it again.
    stored = save_printer(
        name,
        table,
        about=_about(fitted, checksum=sha256(path), like=settings.printer.like, white=settings.paper_white),
        settings=PrinterSettings.build(like | {"spread_mm": spread, "finest_mm": round(_FADED * spread, 3)}),
        overwrite=settings.overwrite,
    )
    print(_summary(fitted))
    for written in (stored, *reports):
        print(f"Written to {written}")
    print(f"To use it:   advmask train printer={name}   and   advmask export design=RUN printer={name}")


def _likeness(name: str) -> dict[str, Any]:
    """Those settings of a known printer that the chart does not measure."""
    for folder in (printers_folder(), conf_dir() / "printer"):
        path = folder / f"{name}.yaml"
        if path.is_file() and path.parent == folder:
            try:
                values = read_yaml(path) or {}
                return {key: values[key] for key in _LIKENESS if key in values}
            except (OSError, ValueError, TypeError) as error:
                raise ConfigError(f"{path} cannot be read; calibrate that printer again.") from error
    known = sorted({path.stem for path in (conf_dir() / "printer").glob("*.yaml")} | set(own_printers()))
    raise ConfigError(f"There is no printer {name!r} for printer.like; known are {', '.join(known)}.")


def _about(fitted: Calibration, *, checksum: str, like: str, white: tuple[float, float, float] | None) -> str:
    paper = "relative to the paper" if white is None else f"for a paper of {list(white)}"
    return (
        f"Measured by advmask from one photo (SHA-256 {checksum}) of calibration chart {VERSION}, seed "
        f"{fitted.found.chart.seed}, with {len(fitted.found.chart.patches)} patches, {paper}. CIEDE2000 at "
        f"{len(fitted.found.chart.of('held out'))} patches not used: {fitted.before} as asked, "
        f"{fitted.after} as predicted ({fitted.kind}). Holds what printer, light and camera do together, "
        "the light made even and white, the camera taken for sRGB. Mirroring, bleed and differences "
        f"between prints are those of {like}."
    )


def _summary(fitted: Calibration) -> str:
    chart = fitted.found.chart
    brightness = fitted.light.mean(axis=1)
    return "\n".join(
        [
            f"Chart {VERSION}, seed {chart.seed}: {len(chart.patches)} patches read; markers lie within "
            f"{fitted.found.miss_mm:.2f} mm of their places, edges spread by {fitted.reading.blur_mm:.2f} "
            "mm.",
            f"The light varied by {100 * (brightness.max() / brightness.min() - 1):.0f} % over the page, "
            "which is corrected, as is its colour.",
            f"CIEDE2000 between the print and what was asked:  {fitted.before}",
            f"CIEDE2000 between the print and the prediction:  {fitted.after}",
            f"  at {len(chart.of('held out'))} patches held out from the fit; {fitted.kind}.",
            f"Ink spreads by {fitted.spread_mm:.2f} mm (standard deviation).",
            "What the camera does to colours beyond sRGB counts as the printer's; one photo cannot tell "
            "them apart.",
        ]
    )
