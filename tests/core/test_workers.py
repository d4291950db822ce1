"""Processes that share one job: order, exceptions, the end of a process, and nothing run twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from advmask.core.errors import RunError
from advmask.core.workers import Workers, cores, rank


def test_results_come_in_order_from_several_processes():
    with Workers(str, 2) as workers:
        assert list(workers.map(range(40))) == [str(number) for number in range(40)]


def test_few_items_are_taken_ahead():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    with Workers(str, 2) as workers:
        results = workers.map(items())
        assert next(results) == "0"
        assert len(taken) <= 5


def test_an_exception_is_raised_in_its_place():
    with Workers(int, 2) as workers:
        results = workers.map(["1", "2", "x", "4"])
        assert [next(results), next(results)] == [1, 2]
        with pytest.raises(ValueError, match="'x'"):
            next(results)


def test_a_process_that_dies_is_told():
    with Workers(os._exit, 1) as workers, pytest.raises(RunError, match="died"):
        list(workers.map([3]))


def test_what_is_printed_does_not_come_among_the_results():
    with Workers(print, 1) as workers:
        assert list(workers.map(["hello"])) == [None]


def test_a_script_without_a_guard_is_run_once(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(
        "from advmask.core.workers import Workers\n"
        "print('begun')\n"
        "with Workers(abs, 2) as workers:\n"
        "    print(list(workers.map([-1, 2])))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "begun\n[1, 2]\n"


_OF_RANKS = ("SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE", "SLURM_CPUS_PER_TASK")


@pytest.mark.parametrize("tasks", ["4", "4(x2)", "4,3"])
def test_tasks_of_slurm_are_ranks(monkeypatch, tasks):
    for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_LOCALID", "3")
    monkeypatch.setenv("SLURM_STEP_TASKS_PER_NODE", tasks)
    assert rank() == (3, 4)
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")  # which are not shared out again
    assert cores() == 1


def test_ranks_share_the_cores(monkeypatch):
    for name in (*_OF_RANKS, "LOCAL_RANK", "LOCAL_WORLD_SIZE", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    alone = cores()
    assert rank() == (0, 1)
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert rank() == (3, 4)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(alone))
    assert alone >= 1
    assert cores() == 1
