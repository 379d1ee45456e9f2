"""Work that other cores do while this process keeps its potential busy.

Finding the displacements of a crystal takes 0.01 to 0.02 s. A GPU, which needs no longer for the forces, would wait.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from typing import TypeVar

Argument = TypeVar("Argument")
Result = TypeVar("Result")

# Results that wait for the process that needs them; with a few, it waits where one takes long, with thousands they
# fill the memory.
_AHEAD = 32


@contextmanager
def worker_processes(number: int) -> Iterator[Executor | None]:
    """Start processes for `ahead`; none for 0. They end with this process, however it ends."""
    if not number:
        yield None
        return
    # spawned, because a process that uses CUDA or threads must not be forked
    executor = ProcessPoolExecutor(number, mp_context=get_context("spawn"), initializer=_prepare_worker)
    try:
        for _ in range(number):
            executor.submit(os.getpid)
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def ahead(
    executor: Executor | None, function: Callable[[Argument], Result], arguments: Iterable[Argument]
) -> Iterator[Callable[[], Result]]:
    """Yield, in order, for each argument a call that returns `function(argument)` or raises what it raised.

    Arguments are read as far ahead as keeps the workers busy; without workers, one at a time. What a worker does not
    finish because it dies is computed in this process.

    Args:
        executor: of `worker_processes`
        function: of a module, so that another process finds it
    """
    if executor is None:
        for argument in arguments:
            yield partial(function, argument)
        return
    waiting: deque[Callable[[], Result]] = deque()
    for argument in arguments:
        waiting.append(_submitted(executor, function, argument))
        if len(waiting) >= _AHEAD:
            yield waiting.popleft()
    yield from waiting


def _submitted(executor: Executor, function: Callable[[Argument], Result], argument: Argument) -> Callable[[], Result]:
    here = partial(function, argument)
    try:
        future = executor.submit(function, argument)
    except BrokenExecutor:
        return here

    def result() -> Result:
        try:
            return future.result()
        except BrokenExecutor:
            return here()

    return result


def _prepare_worker() -> None:
    # a scheduler tells all processes of a job to stop; the one whose work this is decides when it needs no more
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # a pool's worker does not notice that its parent was killed
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import phonopy  # noqa: F401  # now, and not while somebody waits


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
