"""A chart to print, and what a photo of the printed chart says of the printer."""

from advmask.colour.difference import delta_e
from advmask.printing.chart.chart_fit import Calibration, Errors, fit_photo
from advmask.printing.chart.chart_layout import Chart, LineBlock, Patch, chart_layout
from advmask.printing.chart.marker_search import FoundChart, find_chart
from advmask.printing.chart.pages import Paper, chart_pdf, chart_png
from advmask.printing.chart.report import fit_report

__all__ = [
    "Calibration",
    "Chart",
    "Errors",
    "FoundChart",
    "LineBlock",
    "Paper",
    "Patch",
    "chart_layout",
    "chart_pdf",
    "chart_png",
    "delta_e",
    "find_chart",
    "fit_photo",
    "fit_report",
]
