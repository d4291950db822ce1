"""Shards: true to the bit, mapped a few times at most, deaf to damage, and safe among processes."""

import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from advmask.core import shard_files
from advmask.core.shards import Shards

FRESH = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DTYPES = (torch.uint8, torch.float16, torch.float32, torch.float64, torch.int32, torch.int64)
needs_linux = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs the figures of Linux")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """A folder for each call of `next`."""
    return (tmp_path / str(number) for number in count())


def key(number: int) -> str:
    return f"{number:064x}"


def record(number: int, size: int = 20) -> tuple[dict[str, Tensor], dict[str, str]]:
    draws = torch.Generator().manual_seed(number)
    tensors = {
        f"t{place}": torch.randint(0, 200, (size + place, 3), generator=draws).to(dtype)
        for place, dtype in enumerate(DTYPES)
    }
    return tensors | {"one": torch.tensor(number, dtype=torch.int64)}, {"number": str(number)}


def shards(folder: Path, **given: int) -> Shards:
    return Shards(folder, "some", former=("old-*.bin",), **given)


def same(found: object, expected: tuple[dict[str, Tensor], dict[str, str]]) -> bool:
    tensors, about = found if isinstance(found, tuple) else ({}, {})
    return (
        about == expected[1]
        and tensors.keys() == expected[0].keys()
        and all(one.dtype == tensors[name].dtype for name, one in expected[0].items())
        and all(torch.equal(one, tensors[name]) for name, one in expected[0].items())
    )


def put(some: Shards, *numbers: int, size: int = 20) -> None:
    for number in numbers:
        some.put(key(number), *record(number, size))


@settings(FRESH, max_examples=30)
@given(sizes=st.lists(st.integers(0, 30), min_size=1, max_size=9), full=st.sampled_from([1, 3000, 10**6]))
def test_what_is_put_comes_back(fresh: Iterator[Path], sizes: list[int], full: int) -> None:
    folder = next(fresh)
    written = shards(folder, full_bytes=full)
    for number, size in enumerate(sizes):
        written.put(key(number), *record(number, size))
        assert same(written.get(key(number)), record(number, size))
    for some in (written, shards(folder)):
        assert all(same(some.get(key(number)), record(number, size)) for number, size in enumerate(sizes))
        assert key(len(sizes)) not in some
        assert some.get(key(len(sizes))) is None


def test_the_last_of_two_counts(tmp_path: Path) -> None:
    some = shards(tmp_path)
    put(some, 0, 1)
    some.put(key(0), *record(2))
    assert same(some.get(key(0)), record(2))
    assert same(shards(tmp_path).get(key(0)), record(2))
    assert some.size()[0] == 2


@settings(FRESH, max_examples=100)
@given(data=st.data())
def test_damage_is_absence_and_is_replaced(fresh: Iterator[Path], data: st.DataObject) -> None:
    folder = next(fresh)
    put(shards(folder), 0, 1, 2)
    (path,) = folder.glob(data.draw(st.sampled_from(["*.data", "*.index"])))
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    again = shards(folder)
    for number in range(3):
        found = again.get(key(number))
        assert found is None or same(found, record(number))
        if found is None:
            put(again, number)
        assert same(again.get(key(number)), record(number))
    assert all(same(shards(folder).get(key(number)), record(number)) for number in range(3))


@needs_locks
def test_what_was_written_anew_counts_wherever_the_damaged_record_lies(tmp_path: Path) -> None:
    one, two = shards(tmp_path), shards(tmp_path)
    put(one, 0, 1)
    put(two, 2)
    two.put(key(0), *record(0))
    del one, two
    for damaged in tmp_path.glob("*.data"):
        whole = damaged.read_bytes()
        damaged.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])  # of key 0 in one shard, of key 2 in the other
        for latest in tmp_path.glob("*.data"):
            os.utime(latest, (2e9, 2e9))
            assert same(shards(tmp_path).get(key(0)), record(0))
            os.utime(latest, (1e9, 1e9))
        damaged.write_bytes(whole)


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("some-1.data", "some-2.data", "some-2.index", "some-3.index", "other.data"):
        (tmp_path / name).write_bytes(b"not ours" * 40)
    some = shards(tmp_path)
    put(some, 0)
    assert same(some.get(key(0)), record(0))
    assert same(shards(tmp_path).get(key(0)), record(0))


def forked(work: Callable[[], object]) -> int:
    """Do something in a copy of this process, which is killed when it has; gives its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the copy has no use for
        child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    return child


@needs_fork
@pytest.mark.parametrize("torn", ["data", "index"])
def test_a_kill_loses_what_is_being_written_and_nothing_else(tmp_path: Path, torn: str) -> None:
    def write(handle: int, content: bytes) -> None:
        whole = torn == "index" and len(content) > 100
        os.write(handle, content if whole else content[:-9])
        if not whole:
            os.kill(os.getpid(), signal.SIGKILL)

    def killed() -> None:
        some = shards(tmp_path)
        put(some, 0, 1)
        shard_files._write = write
        put(some, 2)

    os.waitpid(forked(killed), 0)
    assert shards(tmp_path).size()[0] == 2
    put(shards(tmp_path), 3)  # goes on behind what is torn
    assert len(list(tmp_path.iterdir())) == 2
    assert all(same(shards(tmp_path).get(key(one)), record(one)) for one in (0, 1, 3))
    assert key(2) not in shards(tmp_path)


@needs_locks
def test_writers_at_the_same_time_have_shards_of_their_own_and_read_each_others(tmp_path: Path) -> None:
    one, two = shards(tmp_path), shards(tmp_path)
    for number in range(6):
        put((one, two)[number % 2], number)
        assert all(key(number) in some for some in (one, two))
    assert len(list(tmp_path.glob("*.data"))) == 2
    del one, two
    again = shards(tmp_path)
    put(again, 6)
    assert len(list(tmp_path.glob("*.data"))) == 2
    assert all(same(again.get(key(number)), record(number)) for number in range(7))


@needs_fork
def test_a_copy_of_a_process_writes_elsewhere(tmp_path: Path) -> None:
    some = shards(tmp_path)
    put(some, 0)
    os.waitpid(forked(lambda: put(some, 1)), 0)
    put(some, 2)
    assert len(list(tmp_path.glob("*.data"))) == 2
    assert all(same(some.get(key(number)), record(number)) for number in range(3))


def test_where_nothing_can_be_locked_each_writer_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advmask.core.shard_files.locked", lambda *_, **__: None)
    for number in range(3):
        put(shards(tmp_path), number)
    assert len(list(tmp_path.glob("*.data"))) == 3
    assert all(same(shards(tmp_path).get(key(number)), record(number)) for number in range(3))
    assert shards(tmp_path).shrink(1, unused_s=100) == 0
    assert shards(tmp_path).shrink(1) > 0
    assert len(list(tmp_path.glob("*.data"))) == 2


@needs_fork
def test_what_any_process_has_in_use_is_not_deleted(tmp_path: Path) -> None:
    put(shards(tmp_path, full_bytes=1), 0, 1, 2)
    told, end = os.pipe()

    def use() -> None:
        other = shards(tmp_path)
        os.write(end, b"yes" if key(1) in other else b"no!")
        signal.pause()

    child = forked(use)
    assert os.read(told, 3) == b"yes"
    some = shards(tmp_path)
    assert key(2) in some
    some.shrink(10**9)
    assert [key(number) in shards(tmp_path) for number in range(3)] == [False, True, True]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for handle in (told, end):
        os.close(handle)
    del some
    shards(tmp_path).shrink(10**9)
    assert not list(tmp_path.iterdir())


@needs_locks
def test_what_lies_in_use_outlives_the_object_that_gave_it(tmp_path: Path) -> None:
    put(shards(tmp_path), 0)
    found = shards(tmp_path).get(key(0))
    shards(tmp_path).shrink(10**9)
    assert key(0) in shards(tmp_path)
    shards(tmp_path).clear()
    assert same(found, record(0))
    del found


def test_files_of_earlier_versions_go_when_nobody_uses_them(tmp_path: Path) -> None:
    young, old = tmp_path / "old-1.bin", tmp_path / "old-2.bin"
    for path in (young, old):
        path.write_bytes(bytes(100))
    os.utime(old, (0, 0))
    some = shards(tmp_path)
    assert some.size() == (0, 200)
    put(some, 0)
    assert young.exists()
    assert not old.exists()
    assert some.clear() == 1
    assert not list(tmp_path.iterdir())


def test_what_is_deleted_under_a_writer_is_written_anew(tmp_path: Path) -> None:
    some = shards(tmp_path)
    put(some, 0)
    for path in tmp_path.iterdir():
        path.unlink()
    assert some.get(key(0)) is None
    put(some, 0)
    assert same(some.get(key(0)), record(0))
    assert same(shards(tmp_path).get(key(0)), record(0))


def test_one_is_sent_to_another_process_without_its_content(tmp_path: Path) -> None:
    some = shards(tmp_path)
    put(some, 0, size=3)
    put(some, 1, size=10_000)
    found = some.get(key(0))
    assert len(pickle.dumps((some, found))) < 5_000  # tensors take their own bytes with them, not the shard
    assert same(pickle.loads(pickle.dumps(some)).get(key(0)), record(0, 3))


def test_writing_to_what_is_mapped_leaves_the_file_alone(tmp_path: Path) -> None:
    some = shards(tmp_path)
    put(some, 0)
    found = some.get(key(0))
    assert found is not None
    found[0]["t0"].zero_()
    assert same(shards(tmp_path).get(key(0)), record(0))


@needs_linux
def test_thousands_of_records_take_a_few_maps_and_no_memory(tmp_path: Path) -> None:
    def figures() -> tuple[int, int]:
        status = Path("/proc/self/status").read_text().splitlines()
        anonymous = next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
        maps = Path("/proc/self/maps").read_text().splitlines()
        return sum(str(tmp_path) in line for line in maps), anonymous

    some = shards(tmp_path, full_bytes=10 * 2**20)
    for number in range(5_000):
        some.put(key(number), {"picture": torch.zeros(10_000, dtype=torch.uint8)}, {})
    again = shards(tmp_path)
    again.get(key(0))
    _, before = figures()
    held = [again.get(key(number)) for number in range(5_000)]
    maps, after = figures()
    assert None not in held
    assert maps <= 12  # five shards, as two objects see them
    assert after - before < 25_000  # of 50 MB, for 5,000 records and their places
