"""`metrics.csv`: one row per step, kept when a run is resumed."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from advmask.core.errors import RunError
from advmask.core.files import append_text, write_text


class CsvLog(Logger):
    """Writes each step's numbers as a row of a CSV file.

    Rows are appended. On resuming, rows at or after the step resumed from are dropped, so that no step stands
    twice, and so is a last line that a kill cut short.

    Args:
        path: The file.
        resumed_at: Step that the run goes on from.

    Raises:
        RunError: The file holds something else.
    """

    def __init__(self, path: Path, *, resumed_at: int = 0) -> None:
        super().__init__()
        self._path = path
        self._columns: list[str] = []  # of the file; none as long as it is to be rewritten
        self._rows = [row for row in self._read() if int(row["step"]) < resumed_at]  # not in the file yet

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
        known = next((each for each in reversed(self._rows) if each["step"] == row["step"]), None)
        if known is None:
            self._rows.append(row)
        else:  # what the user's own callbacks log comes before the values of a step that are still held
            known |= row

    @rank_zero_only
    def flush(self) -> None:
        """Append the rows since the last call, which comes with every checkpoint: no row before it is lost.

        A column that was not there before, such as the first validation's, has the file rewritten.
        Lightning's own `save` comes after every step, and does nothing here.
        """
        if not self._rows:
            return
        columns = list(dict.fromkeys([*self._columns, *(key for row in self._rows for key in row)]))
        rewrite = columns != self._columns
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        if rewrite:
            writer.writeheader()
            writer.writerows(self._read() if self._columns else [])
        writer.writerows(self._rows)
        (write_text if rewrite else append_text)(self._path, text.getvalue())
        self._columns, self._rows = columns, []

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write what is left."""
        self.flush()

    def _read(self) -> list[dict[str, str]]:
        return read_log(self._path) if self._path.exists() else []


def read_log(path: Path) -> list[dict[str, str]]:
    """The rows of a log, without a last line that a kill cut short; a field without a number is empty.

    Raises:
        RunError: It is damaged: no CSV, rows without a step or longer than the header, or no numbers.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1])))
        if any(not (row.get("step") or "").isdecimal() or None in row for row in rows):
            raise ValueError("rows without a step, or longer than the header")
        for row in rows:
            int(row["step"]), *map(float, filter(None, row.values()))
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{path} is damaged; delete it to go on without its earlier rows.") from error
    return rows
