"""A design with all that its run says of it, as print files; nothing is written."""

from advmask.core.files import sha256
from advmask.core.run_config import CONFIG, settings_of_run
from advmask.core.settings import Settings
from advmask.printers.settings import PrinterSettings
from advmask.printing.given_picture import look_at
from advmask.printing.job import print_jobs
from advmask.printing.job_files import Made, card_files, job_files
from advmask.printing.settings import AskedPrinting, ExportSettings, PrintingSettings
from advmask.textures.design_files import Design


class _OfRun(Settings):
    """What a run says of the way its design is to be printed."""

    printer: PrinterSettings = PrinterSettings()
    printing: AskedPrinting = AskedPrinting()


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
    files, words = job_files(jobs, settings, notices=notices)
    if design.run is not None:
        files |= card_files(design.run, jobs[0], size=design.size)
    return files, words
