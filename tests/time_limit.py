"""No input may make softmode hang."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Hang(BaseException):
    """Something took too long; nothing that reads entries catches it."""


@contextmanager
def time_limit(seconds: float = 10.0) -> Iterator[None]:
    """Raise Hang after so many seconds; a whole entry takes some 0.03 s, and machines may be busy."""

    def stop(*_: object) -> None:
        raise Hang(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
