"""What a printer makes of a design, as a differentiable module, and the printers known."""

from advmask.printers.colour_table import ColourTable
from advmask.printers.draw import PrintDraw, draw_print, print_field
from advmask.printers.printer import Printer, build_printer
from advmask.printers.settings import InkSettings, PrinterSettings, VariationSettings

__all__ = [
    "ColourTable",
    "InkSettings",
    "PrintDraw",
    "Printer",
    "PrinterSettings",
    "VariationSettings",
    "build_printer",
    "draw_print",
    "print_field",
]
