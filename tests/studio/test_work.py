"""Commands in processes of their own: they outlive the studio, and one that is started anew finds them."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from studio_visitor import SLEEPS, until

from advmask.core.errors import RunError
from advmask.studio.work import Works, last_job, said

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no locks on Windows")
FAILS = "import sys; print('first'); sys.exit('There is no face on it.')"


def test_a_job_is_seen_by_a_studio_that_is_started_anew_and_stopped_by_it(tmp_path: Path):
    # The first studio is a process that is killed.
    start = (
        "import sys, os, signal; from pathlib import Path; from advmask.studio.work import Works\n"
        f"works = Works([sys.executable, '-c', {SLEEPS!r}])\n"
        f"works.start(Path({str(tmp_path)!r}), 'design', ['train', 'x'])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", start], check=False).returncode == -signal.SIGKILL
    works = Works()
    job = works.at_work(tmp_path)
    assert job is not None
    assert (job.action, job.words, job.stopped) == ("design", ("train", "x"), False)
    with pytest.raises(RunError, match="being worked on"):
        works.start(tmp_path, "print", ["export"])
    until(lambda: said(tmp_path, "design") == ["asked train x"])
    assert works.stop(tmp_path)
    until(lambda: works.at_work(tmp_path) is None)
    stopped = last_job(tmp_path)
    assert stopped is not None
    assert stopped.stopped
    assert not works.stop(tmp_path)
    until(lambda: not _lives(job.process))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # The killed studio left it to whoever adopts it; a process that only waits to be counted is over.
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_job_that_fails_says_why(tmp_path: Path):
    works = Works([sys.executable, "-c", FAILS])
    works.start(tmp_path, "measure", [])
    until(lambda: works.at_work(tmp_path) is None)
    assert said(tmp_path, "measure") == ["first", "There is no face on it."]


def test_a_folder_without_a_job_has_none(tmp_path: Path):
    assert Works().at_work(tmp_path) is None
    assert last_job(tmp_path) is None
    assert said(tmp_path, "design") == []
    (tmp_path / "job.json").write_text('{"action": "design"}')
    assert last_job(tmp_path) is None


def test_looks_at_a_folder_from_several_tabs_do_not_see_each_other(tmp_path: Path):
    works = Works([sys.executable, "-c", "pass"])
    works.start(tmp_path, "measure", [])
    until(lambda: works.at_work(tmp_path) is None)
    with ThreadPoolExecutor(4) as tabs:
        assert not any(tabs.map(lambda _: works.at_work(tmp_path), range(2000)))
