"""A lock keeps others out of a folder, and ends with its process."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from advmask.core.errors import RunError
from advmask.core.files import write_text, written_aside
from advmask.core.locks import alone_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")


def test_the_second_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    with alone_in(tmp_path, wait_s=0.0, taken="never said"):
        began = time.monotonic()
        with (
            pytest.raises(RunError, match="somebody is here"),
            alone_in(tmp_path, wait_s=0.1, taken="somebody is here"),
        ):
            pass
        assert time.monotonic() - began >= 0.1
        with alone_in(tmp_path.parent, wait_s=0.0, taken="another folder is free"):
            pass
    with alone_in(tmp_path, wait_s=0.0, taken="it is free again"):
        pass


def test_what_cannot_be_opened_keeps_nobody_out(tmp_path: Path) -> None:
    with alone_in(tmp_path / "missing", wait_s=0.0, taken="never said"):
        pass


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from advmask.core.locks import alone_in\n"
        "with alone_in(Path(sys.argv[1]), wait_s=0, taken=''): print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(RunError), alone_in(tmp_path, wait_s=0.0, taken="taken"):
            pass
        process.kill()
    with alone_in(tmp_path, wait_s=0.0, taken="it is free again"):
        pass


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".step-unfinished-abcd1234.png"
    theirs = tmp_path / ".step-finished.png"
    for path in (left, theirs):
        path.write_bytes(b"half")
    write_text(tmp_path / "a.txt", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == [theirs.name, "a.txt"]


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from advmask.core.files import write_text\n"
        "write_text(Path(sys.argv[1]), 'x')"
    )
    with written_aside(tmp_path / "a.txt") as aside:
        subprocess.run([sys.executable, "-c", script, str(tmp_path / "b.txt")], check=True)
        assert aside.exists()
        aside.write_text("whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_name_may_be_as_long_as_the_disk_allows(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 251}.txt"
    write_text(path, "x")
    assert path.read_text() == "x"
