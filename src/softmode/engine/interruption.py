"""An order to stop, such as a scheduler's SIGTERM or Ctrl-C, ends a command soon and with its work kept.

Python raises it as an exception between two of its own instructions, so a pass of a potential ends first. Where a pass
takes longer than a scheduler waits before it kills, a thread ends the process.
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
# schedulers wait 30 s or longer between SIGTERM and SIGKILL
_GRACE_s = 20.0


class Stopped(BaseException):
    """The process was told to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        # what a shell says of a process that a signal ended
        self.exit_code = 128 + number


# called in a thread of its own the moment a signal comes, whatever the process is busy with
at_once: list[Callable[[], None]] = []
_installed = False


@contextmanager
def stops_on_signals(*, restored: bool) -> Iterator[None]:
    """Raise Stopped in the main thread when a signal says so; a second signal changes nothing.

    Args:
        restored: whether signals do at the end what they did before; else they do nothing from there on, so that a
            command whose output is complete cannot end as one that was stopped
    """
    global _installed  # noqa: PLW0603
    told: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        if not told:
            told.append(number)
            raise Stopped(number)

    # one that is ignored already, as under nohup, stays so
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    heard, says = os.pipe()
    os.set_blocking(says, False)
    ended = threading.Event()
    threading.Thread(target=_watch, args=(heard, ended), daemon=True).start()
    other = signal.set_wakeup_fd(says, warn_on_full_buffer=False)
    for number in before:
        signal.signal(number, stop)
    _installed = True
    try:
        yield
    finally:
        if restored:
            ended.set()
            signal.set_wakeup_fd(other)
            os.close(says)
            for number, handler in before.items():
                signal.signal(number, handler)
            _installed = False
        else:
            ignore_signals()


def ignore_signals() -> None:
    """Let nothing stop the process any more: its output is about to be complete."""
    if _installed:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _forget_in_child() -> None:
    # a signal to a forked process is none to this one
    if _installed:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)


os.register_at_fork(after_in_child=_forget_in_child)


def _watch(heard: int, ended: threading.Event) -> None:
    while signals := os.read(heard, 1):
        if signals[0] in _SIGNALS:
            for call in at_once:
                call()
            if not ended.wait(_GRACE_s):
                _end(signals[0])
    os.close(heard)


def _end(number: int) -> NoReturn:
    print(f"{Stopped(number)}: what runs did not end within {_GRACE_s:g} s; what is finished is kept", file=sys.stderr)
    sys.stderr.flush()
    os._exit(128 + number)
