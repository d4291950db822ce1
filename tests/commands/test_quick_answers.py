"""What is answered without loading torch, which alone takes longer than a user waits for a help text."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from advmask.cli import COMMANDS
from advmask.core.gpu_driver import may_have_gpu

_CODE = """\
import contextlib, io, json, sys
from advmask.cli import main
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(json.loads(line))
    loaded = {"torch", "pytorch_lightning", "cv2", "scipy"} & set(sys.modules)
    print(json.dumps([code, out.getvalue(), err.getvalue().rstrip(), sorted(loaded)]), flush=True)
"""

Answer = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def answer() -> Iterator[Answer]:
    """Exit code, output and errors of a command, in a process of its own that says what it has loaded."""
    with subprocess.Popen(
        [sys.executable, "-c", _CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        asked, answered = process.stdin, process.stdout
        assert asked is not None
        assert answered is not None

        def ask(*words: str) -> tuple[int, str, str]:
            print(json.dumps(words), file=asked, flush=True)
            code, out, err, loaded = json.loads(answered.readline())
            assert loaded == []
            return code, out, err

        yield ask
        asked.close()


def test_help(answer: Answer):
    code, out, _ = answer("--help")
    assert (code, "advmask COMMAND" in out) == (0, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(answer: Answer, command: str):
    code, out, _ = answer(command, "--help")
    assert (code, out.startswith(f"Usage: advmask {command}")) == (0, True)


def test_the_list_of_weights(answer: Answer):
    code, out, _ = answer("weights", "list")
    assert (code, "facenet:vggface2" in out) == (0, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["train", "trainer.stps=3"], 2, "Unknown setting trainer.stps; did you mean trainer.steps?"),
        (["train", "trainer.steps=many"], 2, "Setting trainer.steps='many' does not fit"),
        (["train", "+trainer.stps=3"], 2, "Unknown setting trainer.stps; did you mean steps?"),
        (["train", "faces=/photos"], 2, "write faces.root=/photos."),
        (["apply", "runs/x"], 2, "Setting input is missing; give it as input=VALUE."),
        (["train", "effects=cctvv"], 2, "Did you mean effects=cctv?"),
        (["export", "runs/x", "papr=a4"], 2, "Unknown setting papr; did you mean paper?"),
        (["train", "--lerning-rate", "3"], 2, "did you mean --optimiser.learning_rate?"),
    ],
)
def test_mistyped_words(answer: Answer, words: list[str], code: int, says: str):
    found, _, err = answer(*words)
    assert found == code
    assert says in err


@pytest.mark.skipif(may_have_gpu(), reason="there is a driver here")
def test_a_gpu_that_is_not_there(answer: Answer):
    found, _, err = answer("train", "trainer=gpu")
    assert found == 2
    assert err.endswith("this machine has no GPU, or no driver for it; take trainer=cpu.")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["weights", "list"]])
@pytest.mark.parametrize("buffered", [True, False])
def test_what_is_printed_to_a_full_disk_is_one_sentence(words: list[str], buffered: bool):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "advmask", *words],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=os.environ | {"PYTHONUNBUFFERED": "" if buffered else "1"},
        )  # fmt: skip
    assert done.returncode == 7
    assert re.match(
        "(W|.* or w)hat is printed here(| cannot be written): No space left on device", done.stderr
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_commands_that_do_not_train_do_without_lightning():
    """It takes three seconds to load, as torchvision and the statistics of scipy do."""
    code = (
        "import sys\nfor name in ('apply', 'compare', 'evaluate', 'export', 'judge', 'preview'):\n"
        "    __import__(f'advmask.commands.{name}')\n"
        "print(sorted({'pytorch_lightning', 'torchvision', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
