"""An order to stop, such as a scheduler's SIGTERM or Ctrl-C, ends a command soon and with its work kept.

While an output is written, the order waits for the next call of `check`: an exception that comes in the middle of a
package's code may be taken there for a failure of the entry at hand (numpy does so when it compares arrays). Where a
pass takes longer than a scheduler waits before it kills, a thread ends the process.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Time in s that a process has to end by itself; schedulers wait 30 s or longer between SIGTERM and SIGKILL. With
# more, it would be killed in the middle of a transaction.
_GRACE_s = 20.0


class Stopped(BaseException):
    """The process was told to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        # what a shell says of a process that a signal ended
        self.exit_code = 128 + number


class _State:
    """What the handler of signals, which is one for the process, has to know."""

    installed = False
    told: int | None = None
    n_waiting = 0


# called in a thread of its own the moment a signal comes, whatever the process is busy with
at_once: list[Callable[[], None]] = []


@contextmanager
def stops_on_signals(*, restored: bool) -> Iterator[None]:
    """Raise Stopped when a signal says so: at once, or where an output is written at the next check.

    Args:
        restored: whether signals do at the end what they did before; else they do nothing from there on, so that a
            command whose output is complete cannot end as one that was stopped
    """
    # one that is ignored already, as under nohup, stays so
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    heard, says = os.pipe()
    os.set_blocking(says, False)
    ended = threading.Event()
    threading.Thread(target=_watch, args=(heard, ended), daemon=True).start()
    other = signal.set_wakeup_fd(says, warn_on_full_buffer=False)
    _State.installed, _State.told = True, None
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        ignore_signals()
        if restored:
            ended.set()
            signal.set_wakeup_fd(other)
            os.close(says)
            for number, handler in before.items():
                signal.signal(number, handler)
            _State.installed = False


def _stop(number: int, _: FrameType | None) -> None:
    if _State.told is None:
        _State.told = number
        if not _State.n_waiting:
            raise Stopped(number)
    elif number == signal.SIGINT:  # somebody who is in a hurry
        os._exit(128 + number)


@contextmanager
def waiting_for_check() -> Iterator[None]:
    """Let an order to stop wait for a check in this context."""
    check()
    _State.n_waiting += 1
    try:
        yield
    finally:
        _State.n_waiting -= 1


def check() -> None:
    """Raise Stopped if the process was told to stop."""
    if _State.installed and _State.told is not None:
        raise Stopped(_State.told)


def ignore_signals() -> None:
    """Let nothing stop the process any more: its output is complete."""
    if _State.installed:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        _State.told = None


def _forget_in_child() -> None:
    # a signal to a forked process is none to this one
    if _State.installed:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)


os.register_at_fork(after_in_child=_forget_in_child)


def _watch(heard: int, ended: threading.Event) -> None:
    while signals := os.read(heard, 1):
        if signals[0] in _SIGNALS:
            for call in list(at_once):
                call()
            if not ended.wait(_GRACE_s):
                _end(signals[0])
    os.close(heard)


def _end(number: int) -> NoReturn:
    print(f"{Stopped(number)}: what runs did not end within {_GRACE_s:g} s", file=sys.stderr, flush=True)
    os._exit(128 + number)
