"""Work ahead: results as if computed in place, and no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from softmode.engine.background import ahead, worker_processes

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("workers", [0, 2])
def test_results_come_in_order_and_errors_where_they_belong(workers: int) -> None:
    with worker_processes(workers) as executor:
        found = []
        for call in ahead(executor, int, ["1", "x", *map(str, range(2, 80))]):
            try:
                found.append(call())
            except ValueError as error:
                found.append(str(error))
    assert found[:3] == [1, "invalid literal for int() with base 10: 'x'", 2]
    assert found[2:] == list(range(2, 80))


@pytest.mark.parametrize(("workers", "most"), [(0, 1), (1, 32)])
def test_arguments_are_read_only_so_far_ahead(workers: int, most: int) -> None:
    taken = 0

    def count() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    with worker_processes(workers) as executor:
        for used, call in enumerate(ahead(executor, abs, count())):
            assert call() == used
            assert taken <= used + most
            if used == 100:
                break


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_worker_that_is_told_to_stop_or_killed_loses_nothing(number: int) -> None:
    with worker_processes(1) as executor:
        worker = executor.submit(os.getpid).result()
        found = []
        for call in ahead(executor, abs, range(100)):
            found.append(call())
            if len(found) == 10:
                os.kill(worker, number)
                time.sleep(0.2)
        assert found == list(range(100))
        if number == signal.SIGTERM:
            assert executor.submit(os.getpid).result() == worker


def test_workers_end_with_a_process_that_is_killed() -> None:
    program = """
import os, time
from softmode.engine.background import worker_processes
if __name__ == "__main__":
    with worker_processes(1) as executor:
        print(executor.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    for _ in range(100):
        if not _alive(worker):
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail(f"worker {worker} outlived its parent")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a zombie is dead, and nobody has asked for its status
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(") ")[1][0] != "Z"
