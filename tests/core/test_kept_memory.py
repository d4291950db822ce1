"""Freed memory stays with the process, so that the next step finds its pages."""

import platform
import subprocess
import sys

import pytest

from advmask.core.memory import keep_freed_memory

_SCRIPT = """
import resource
from advmask.core.memory import keep_freed_memory

assert {keep} is False or keep_freed_memory()


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def step():
    held = [bytearray(12_000_000) for _ in range(12)]
    for each in held:
        each[::4096] = bytes(len(each[::4096]))


for _ in range(3):
    step()
before = faults()
step()
print(faults() - before)
"""


def faults_of_a_step(*, keep: bool) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(keep=keep)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(done.stdout)


@pytest.fixture
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.usefixtures("_plain_environment")
def test_a_step_finds_the_pages_of_the_one_before() -> None:
    pages = 12 * 12_000_000 // 4096
    assert faults_of_a_step(keep=False) > pages / 4
    assert faults_of_a_step(keep=True) < pages / 100


@pytest.mark.usefixtures("_plain_environment")
@pytest.mark.parametrize(
    "name", ["GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_"]
)
def test_the_users_own_settings_stand(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "131072")
    assert not keep_freed_memory()


@pytest.mark.usefixtures("_plain_environment")
def test_another_c_library_keeps_its_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_freed_memory()
