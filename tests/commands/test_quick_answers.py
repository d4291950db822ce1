"""What is answered without loading torch, which alone takes longer than a user waits for a help text."""

import subprocess
import sys

import pytest

from advmask.cli import COMMANDS
from advmask.core.gpu_driver import may_have_gpu

_CODE = """\
import sys
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
