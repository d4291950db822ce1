"""A design with all that its run says of it, as print files."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from advmask.core.changed_settings import changed
from advmask.core.files import sha256
from advmask.core.run_config import CONFIG, settings_of_run
from advmask.core.settings import Settings
from advmask.masks.settings import MaskSettings
from advmask.printers.settings import PrinterSettings
from advmask.printing.job import print_jobs
from advmask.printing.job_files import Made, card_files, job_files, shipped_card_files
from advmask.printing.manifest import write_kept
from advmask.printing.picture_facts import look_at
from advmask.printing.settings import AskedPrinting, ExportSettings, PrintingSettings
from advmask.textures.design_files import Design
from advmask.textures.gallery import gallery_design_at
from advmask.wearing.opened_design import as_design

_log = logging.getLogger(__name__)


class _OfRun(Settings):
    """What a run says of the way its design is to be printed.

    Attributes:
        printer: That it was learned for.
        printing: Resolution and bleed as the run was asked for them.
    """

    printer: PrinterSettings = PrinterSettings()
    printing: AskedPrinting = AskedPrinting()


def export_design(
    design: Design | Tensor | str | Path,
    folder: str | Path | None = None,
    *,
    printer: PrinterSettings | Mapping[str, Any] | str | None = None,
    sizes: Sequence[str] | None = None,
    paper: str = "none",
    mask: MaskSettings | str | None = None,
    overwrite: bool = False,
    **further: Any,
) -> list[Path]:
    """Write the files that a print shop or a printer at home takes, at true size, as `advmask export` does.

    What is to be said about them (mirrored or not, how much of the design cannot be printed) is logged.

    Args:
        design: What `load_design` opens, or gave; or texels (3, h, w), sRGB in [0, 1], on `mask`.
        folder: Where to; None takes `exports` in the run folder, or else `exports/NAME`.
        printer: Name of a preset or of a printer of your own, values such as `{"profile": "shop.icc"}`, or
            settings; None takes that of the run.
        sizes: Of heads: S, M, L, child; None takes the one that the design was made for.
        paper: none for one page as large as needed; a4, letter and others, or WIDTHxHEIGHT in mm. A larger
            mask is tiled.
        mask: For texels or a picture: the mask they are worn on.
        overwrite: Replace files that were changed, or that export did not write.
        further: Other settings of `ExportSettings` by name, such as `repeat=True` or `printing={"dpi": 600}`.

    Returns:
        The files written.

    Raises:
        ConfigError: There is no such paper, size, printer or setting.
        DesignError: The design cannot be opened, or does not fit its mask.
        RunError: A file that is there was changed since; or the folder cannot be written to.
    """
    design = as_design(design, mask=mask)
    given = {"paper": paper, "overwrite": overwrite} | further
    if printer is not None:
        given["printer"] = printer
    if sizes is not None:
        given["sizes"] = list(sizes)
    settings = changed(ExportSettings(), given)
    files, words = export_files(design, settings, printer_named=printer is not None)
    for sentence in words:
        _log.info(sentence)
    return write_kept(Path(folder or settings.out or export_folder(design)), files, overwrite=overwrite)


def export_folder(design: Design) -> Path:
    """Where the files of a design go if nobody says: into its run folder, or next to other exports."""
    return Path("exports") / Path(design.name).stem if design.run is None else design.run / "exports"


def export_files(design: Design, settings: ExportSettings, *, printer_named: bool) -> Made:
    """All files to print a design, with what is to be said about them.

    Args:
        design: Of a run, its printer, resolution and bleed count where no other printer is named, and its
            cards come along.
        settings: What is asked for.
        printer_named: Whether `settings.printer` was asked for, and is not only a default.

    Raises:
        ConfigError: There is no such paper, the printer's profile or table cannot be used, or the fabric is
            narrower than the mask.
        DesignError: The design does not fit its mask.
        RunError: The run's settings or results cannot be read.
    """
    if design.run is None:
        notices = [] if design.place is None else look_at(design.place)
        return _files(design, settings, settings.printing.over(settings.printer), notices)
    of_run = settings_of_run(design.run, _OfRun)
    if not printer_named:
        settings = settings.model_copy(update={"printer": of_run.printer})
    wanted = settings.printer if printer_named else of_run.printing.over(of_run.printer)
    return _files(design, settings, settings.printing.over(wanted), [])


def _files(design: Design, settings: ExportSettings, printing: PrintingSettings, notices: list[str]) -> Made:
    facts = {"advmask:design": design.name}
    if design.run is not None:
        facts["advmask:config_sha256"] = sha256(design.run / CONFIG)
    jobs = print_jobs(design, settings, printing, facts=facts)
    # First, though last in the list: results that cannot be read are said before anything large is drawn.
    shipped = gallery_design_at(design.place)
    cards = {} if shipped is None else shipped_card_files(shipped, jobs[0])
    if design.run is not None:
        cards = card_files(design.run, jobs[0], size=design.size)
    files, words = job_files(jobs, settings, notices=notices)
    return files | cards, words
