"""Fixtures all tests share: one thread, fixed seeds, no network, and the research material if any."""

import gc
import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch loads its threads; processes that tests start have it too

import pytest
from hypothesis import settings

# A busy machine is no failure. Where CI is set, Hypothesis tries its usual 100 examples.
settings.register_profile("quick", max_examples=30, deadline=None)
if "CI" not in os.environ:
    settings.load_profile("quick")


HERE = ("127.0.0.1", "localhost")

gc.disable()  # while tests are collected, nearly all that is made stays


def pytest_collection_finish() -> None:
    """What is loaded by now is never looked through for garbage again: half a million objects, each time."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch  # not above: the process that only hands tests to workers can do without

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    import torch

    torch.default_generator.manual_seed(
        0
    )  # torch.manual_seed looks for accelerators first, for a millisecond
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(0)


@pytest.fixture(autouse=True, scope="session")
def _own_configuration(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Printers that whoever runs the tests has measured are out of sight."""
    os.environ["ADVMASK_CONFIG"] = str(tmp_path_factory.mktemp("configuration"))


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that connects to another machine fails, unless it is marked `network`."""
    if request.node.get_closest_marker("network") is None:
        real = socket.socket.connect

        def guarded(self: socket.socket, address: object) -> None:
            if self.family == socket.AF_UNIX or (isinstance(address, tuple) and address[0] in HERE):
                return real(self, address)  # type: ignore[arg-type]
            raise AssertionError(f"a test tried to connect to {address}")

        monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What advmask tells its user by `logging`, sentence by sentence as it comes."""
    sentences: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: sentences.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("advmask")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield sentences
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of research photos and weights; tests that need it are marked `shared`."""
    root = Path(os.environ.get("ADVMASK_SHARED", Path(__file__).parents[2] / "shared"))
    if not (root / "faces").is_dir():
        pytest.skip("the research photos and weights (../shared or ADVMASK_SHARED) are not here")
    return root


class KilledError(BaseException):
    """In place of a signal that nobody can catch."""


@pytest.fixture
def killed_at_rename(monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Call a function that is killed before it gives the n-th file its name; tells whether it came so far."""

    def run(number: int, call: Callable[[], object]) -> bool:
        left = [number]

        def killed(real: Callable[..., Path]) -> Callable[..., Path]:
            def rename(self: Path, target: Path) -> Path:
                left[0] -= 1
                if left[0] < 0:
                    raise KilledError
                return real(self, target)

            return rename

        with monkeypatch.context() as patch:
            for name in ("rename", "replace"):
                patch.setattr(Path, name, killed(getattr(Path, name)))
            try:
                call()
            except KilledError:
                return True
        return False

    return run
