"""What is logged: plain lines where the command line asks for them, and silence where nobody does."""

import logging
import subprocess
import sys

import pytest
from tqdm import tqdm

from advmask.core.plain_lines import plain_lines

LOG = logging.getLogger("advmask.somewhere")


def test_info_and_above_are_lines_of_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with plain_lines():
        LOG.info("%d photos", 3)
        LOG.warning("50 % of it")
        LOG.debug("unseen")
    assert capsys.readouterr() == ("3 photos\n50 % of it\n", "")


def test_a_bar_makes_way(capsys: pytest.CaptureFixture[str]) -> None:
    with plain_lines(), tqdm(total=2, file=sys.stderr):
        capsys.readouterr()
        LOG.info("said")
        out, err = capsys.readouterr()
    assert out == "said\n"
    assert err.startswith("\r ")  # wiped, and drawn again below the line
    assert "0/2" in err


def test_the_logger_is_left_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("advmask")
    before = logger.level, logger.propagate, list(logger.handlers)
    with pytest.raises(KeyError), plain_lines():
        raise KeyError
    assert (logger.level, logger.propagate, logger.handlers) == before
    LOG.warning("heard again")
    assert caplog.messages == ["heard again"]


def test_a_library_says_nothing_unless_asked() -> None:
    code = "import logging, advmask; logging.getLogger('advmask.a').error('bad')"
    heard = (
        "import logging, advmask; logging.basicConfig(level='INFO'); logging.getLogger('advmask.a').info('x')"
    )
    for words, wanted in ((code, ""), (heard, "INFO:advmask.a:x\n")):
        done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("", wanted)
