"""What is asked of an export, besides the design."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from advmask.core.settings import Settings
from advmask.masks.settings import MaskSettings
from advmask.printers.settings import PrinterSettings
from advmask.printing.settings import PrintingSettings, SheetSettings

Size = Literal["S", "M", "L", "child"]


class SheetMargins(Settings):
    """The part of `SheetSettings` that has a section of its own."""

    margin_mm: float
    overlap_mm: float


class AskedPrinting(Settings):
    """Resolution and bleed as asked for; None leaves them to the printer or the run."""

    dpi: int | None = None
    bleed_mm: float | None = None

    def over(self, base: PrinterSettings | PrintingSettings) -> PrintingSettings:
        """What was asked for, and the rest as `base` has it.

        Raises:
            ConfigError: It cannot be printed so.
        """
        return PrintingSettings.build(
            {
                "dpi": base.dpi if self.dpi is None else self.dpi,
                "bleed_mm": base.bleed_mm if self.bleed_mm is None else self.bleed_mm,
            }
        )


class FabricSettings(Settings):
    """The fabric that masks are laid out on."""

    width_mm: float = Field(ge=150, le=10000)
    gap_mm: float = Field(ge=0, le=200)


class ExportSettings(Settings):
    """Everything the files depend on, besides the design; `conf/export.yaml` says what each is."""

    mask: MaskSettings
    sizes: list[Size] | None
    texels_per_mm: float = Field(ge=0.5, le=24)
    out: Path | None
    overwrite: bool
    paper: str
    sheet: SheetMargins
    printing: AskedPrinting
    mirrored: bool | None
    cut_line: bool
    beyond: Literal["white", "transparent"]
    convert: bool
    proof: bool | None
    repeat: bool
    fabric: FabricSettings
    printer: PrinterSettings

    def on_paper(self) -> SheetSettings:
        """How masks lie on paper, mirrored as the printer needs it where nothing else was asked for.

        Raises:
            ConfigError: There is no such paper, or it has no such margins.
        """
        mirrored = self.printer.mirrored if self.mirrored is None else self.mirrored
        return SheetSettings.build(
            {
                "paper": self.paper,
                "mirrored": mirrored,
                "cut_line": self.cut_line,
                "beyond": self.beyond,
                **self.sheet.model_dump(),
            }
        )
