"""One page that says what an evaluation found: first in plain words, then in figures."""

from advmask.evaluation.report.page import report_page

__all__ = ["report_page"]
