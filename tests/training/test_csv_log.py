"""The log of a run: appended to, and mended where a kill cut it short."""

from pathlib import Path

import pytest

from advmask.core.errors import RunError
from advmask.training.csv_log import CsvLog


def log_of(path: Path, steps: range, *, resumed_at: int = 0) -> CsvLog:
    log = CsvLog(path, resumed_at=resumed_at)
    for step in steps:
        log.log_metrics({"loss": step / 3, "epoch": 0}, step)
        if step == 5:
            log.log_metrics({"val": 0.25}, step)
        if step % 2:
            log.flush()
    return log


def test_rows_are_appended_and_a_new_column_fills_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    log_of(path, range(4))
    first = path.stat().st_ino
    assert path.read_text() == "step,loss\n0,0\n1,0.333333\n2,0.666667\n3,1\n"
    log = log_of(path, range(4, 6), resumed_at=4)
    expected = "step,loss,val\n0,0,\n1,0.333333,\n2,0.666667,\n3,1,\n4,1.33333,\n5,1.66667,0.25\n"
    assert path.read_text() == expected
    written = path.stat().st_ino
    assert written != first, "rewritten, aside"
    log.log_metrics({"loss": 2.0}, 6)
    log.finalize("success")
    assert path.read_text() == expected + "6,2,\n"
    assert path.stat().st_ino == written, "appended"


@pytest.mark.parametrize("torn", ["", "6,2", "6", "6,2\n7,2.3"])
def test_a_killed_log_goes_on_from_the_checkpoint(tmp_path: Path, torn: str) -> None:
    whole, killed = tmp_path / "whole.csv", tmp_path / "killed.csv"
    log_of(whole, range(10)).finalize("success")
    log_of(killed, range(6))
    with killed.open("a") as stream:
        stream.write(torn)
    log_of(killed, range(4, 10), resumed_at=4).finalize("success")
    assert killed.read_bytes() == whole.read_bytes()


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "metrics.csv")
    log.log_metrics({"loss": 1.0}, 0)
    log.flush()
    (tmp_path / "metrics.csv").unlink()
    (tmp_path / "metrics.csv").mkdir()
    log.log_metrics({"loss": 1.0}, 1)
    with pytest.raises(RunError, match="Cannot write"):
        log.flush()
