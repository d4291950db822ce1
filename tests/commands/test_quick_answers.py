"""What is answered without loading torch, which alone takes longer than a user waits for a help text."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from advmask.cli import COMMANDS
from advmask.core.gpu_driver import may_have_gpu

_CODE = """\
import sys
from pathlib import Path
from advmask.cli import main
code = main(sys.argv[1:])
loaded = {"torch", "pytorch_lightning", "cv2", "scipy"} & set(sys.modules)
print("loaded", sorted(loaded), file=sys.stderr)
sys.exit(code)
"""


def answer(*words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a process that says last what it has loaded."""
    done = subprocess.run([sys.executable, "-c", _CODE, *words], capture_output=True, text=True, check=False)
    *err, loaded = done.stderr.splitlines()
    assert loaded == "loaded []"
    return done.returncode, done.stdout, "\n".join(err)


def test_help():
    code, out, _ = answer("--help")
    assert (code, "advmask COMMAND" in out) == (0, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command: str):
    code, out, _ = answer(command, "--help")
    assert (code, out.startswith(f"Usage: advmask {command}")) == (0, True)


def test_the_list_of_weights():
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
def test_mistyped_words(words: list[str], code: int, says: str):
    found, _, err = answer(*words)
    assert found == code
    assert says in err


@pytest.mark.skipif(may_have_gpu(), reason="there is a driver here")
def test_a_gpu_that_is_not_there():
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
