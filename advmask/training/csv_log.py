"""`metrics.csv`: one row per step, kept when a run is resumed."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from advmask.core.errors import RunError
from advmask.core.files import write_text


class CsvLog(Logger):
    """Writes each step's numbers as a row of a CSV file.

    On resuming, rows at or after the step resumed from are dropped, so that no step stands twice.

    Args:
        path: The file.
        resumed_at: Step that the run goes on from.

    Raises:
        RunError: The file holds something else.
    """

    def __init__(self, path: Path, *, resumed_at: int = 0) -> None:
        super().__init__()
        self._path = path
        self._columns: list[str] = []
        self._rows: list[dict[str, str]] = []
        if path.exists():
            try:
                with path.open(newline="", encoding="utf-8") as stream:
                    rows = [row for row in csv.DictReader(stream) if int(row["step"]) < resumed_at]
            except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
                raise RunError(f"{path} is damaged; delete it to go on without its earlier rows.") from error
            self._rows = rows
            self._columns = list(rows[0]) if rows else []

    @property
    def name(self) -> str:
        """Of the logger."""
        return "csv"

    @property
    def version(self) -> str:
        """A run folder has one log."""
        return ""

    @property
    def experiment(self) -> None:
        """There is no object behind this logger."""
        return None

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """The configuration stands in `config.yaml`."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a row."""
        row = {"step": str(step)} | {k: f"{v:.6g}" for k, v in metrics.items() if k != "epoch"}
        self._columns.extend(key for key in row if key not in self._columns)
        self._rows.append(row)

    @rank_zero_only
    def flush(self) -> None:
        """Write the file, whole; called with every checkpoint, so that no row before it can be lost.

        Lightning's own `save` comes after every step, where writing all rows again would cost more the longer
        a run gets, so it does nothing here.
        """
        if not self._rows:
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_text(self._path, text.getvalue())

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write what is left."""
        self.flush()
