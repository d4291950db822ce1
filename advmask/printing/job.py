"""What is to be printed: one job for each size of a mask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from advmask.core.errors import ConfigError, DesignError
from advmask.core.shown_names import shown
from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import SIZES
from advmask.printers.settings import PrinterSettings
from advmask.printing.exports import Conversion
from advmask.printing.mask_png import read_profile
from advmask.printing.mirror import mirrored_pattern
from advmask.printing.raster import check_fits
from advmask.printing.settings import ExportSettings, PrintingSettings, SheetSettings
from advmask.textures.design_files import Design

_NO_PRINTER = "none"


@dataclass(frozen=True, eq=False)
class PrintJob:
    """One mask in one size, with all that its files need.

    Attributes:
        design: As fine as its pattern is small.
        pattern: Not mirrored.
        printing: Resolution and bleed.
        sheet: How it lies on paper.
        printer: That it is made for.
        facts: Text chunks.
        conversion: Profile that colours are converted to; None leaves sRGB.
    """

    design: Design
    pattern: FlatPattern
    printing: PrintingSettings
    sheet: SheetSettings
    printer: PrinterSettings
    facts: Mapping[str, str]
    conversion: Conversion | None

    @property
    def stem(self) -> str:
        """Of the names of its files: pattern, size, printer, and whether they are mirrored."""
        name, size = self.pattern.name, self.pattern.size
        parts = ["mask", name] if name.endswith(f"-{size}") else ["mask", name, size]
        parts += [self.printer_name] if self.has_printer else []
        return "-".join([*parts, "mirrored"] if self.sheet.mirrored else parts)

    @property
    def sheet_name(self) -> str:
        """Of the file to be printed on paper."""
        paper = "" if self.sheet.paper == "none" else f"-{self.sheet.paper}"
        return f"{self.stem}-sheet{paper}.pdf"

    @property
    def printed(self) -> FlatPattern:
        """The pattern as it lies on paper."""
        return mirrored_pattern(self.pattern) if self.sheet.mirrored else self.pattern

    @property
    def hints(self) -> Sequence[str]:
        """Sentences about the printer, for the notes."""
        finest = self.printer.finest_mm
        if finest <= 0:
            return ()
        return (f"Printer {self.printer.name}: lines thinner than {finest:g} mm may not print.",)

    @property
    def has_printer(self) -> bool:
        """Whether it is made for a printer."""
        return self.printer_name != _NO_PRINTER

    @property
    def printer_name(self) -> str:
        """What the printer is called in names of files."""
        return _name_of(self.printer)


def print_jobs(
    design: Design, settings: ExportSettings, printing: PrintingSettings, *, facts: Mapping[str, str]
) -> list[PrintJob]:
    """One job for each size that is asked for, or for that of the mask the design was made for.

    Args:
        design: As it was made.
        settings: What is asked for.
        printing: Resolution and bleed.
        facts: Text chunks: where the design comes from, without a path that names this machine or its user.

    Raises:
        ConfigError: There is no such paper, or colours cannot be converted.
        DesignError: The design does not fit the mask.
    """
    sheet, mask = settings.on_paper(), design.mask
    facts = dict(facts) | {"advmask:printer": _name_of(settings.printer)}
    conversion = _conversion(settings)
    jobs = []
    for size in settings.sizes or [mask.size]:
        pattern = build_mask(mask.model_copy(update={"size": size})).pattern
        # All sizes show the same design: the texture is as fine as the pattern is small.
        per_mm = design.texels_per_mm * SIZES[mask.size] / SIZES[size]
        sized = Design(
            design.texels,
            pattern=pattern.name,
            size=size,
            texels_per_mm=per_mm,
            around=design.around,
            ink_fields=design.ink_fields,
        )
        try:
            check_fits(sized, pattern)
        except DesignError as error:
            raise DesignError(f"{design.place or design.name}: {error}") from error
        kept = facts | {"advmask:texels_per_mm": f"{per_mm:.6g}"}
        jobs.append(PrintJob(sized, pattern, printing, sheet, settings.printer, kept, conversion))
    return jobs


def _name_of(printer: PrinterSettings) -> str:
    source = printer.profile or printer.table
    name = source.stem if printer.name in {_NO_PRINTER, "icc"} and source is not None else printer.name
    return in_file_names(name)


def in_file_names(name: str) -> str:
    """A name as names of files hold it everywhere."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)


def _conversion(settings: ExportSettings) -> Conversion | None:
    profile = settings.printer.profile
    if not settings.convert:
        return None
    if profile is None:
        raise ConfigError("convert=true needs the profile to convert to: printer.profile=FILE.icc.")
    content, space = read_profile(profile)
    return Conversion(content, space, shown(profile.stem))
