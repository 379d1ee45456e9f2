"""Progress of a job: a bar that grows in a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports ASE, and `softmode status` only draws a bar
    from softmode.engine.records import Record

# Seconds between two lines in a log, and between two drawings of the bar: with shorter ones a log of days is hardly
# anything but progress, and a terminal far away flickers.
_LINE_EVERY = 30.0
_BAR_EVERY = 0.1
_BAR_WIDTH = 30
_ERASE_LINE = "\r\033[K"


def with_progress(records: "Iterable[Record]", done: int, n_entries: int, what: str) -> "Iterator[Record]":
    """Yield the records, print failures and, to a terminal or a log, how far the job is.

    Args:
        done: entries that an earlier job stored
        n_entries: all entries, those included
        what: stage and potential
    """
    terminal = sys.stdout.isatty()
    pause = _BAR_EVERY if terminal else _LINE_EVERY
    erase = _ERASE_LINE if terminal else ""
    started = last = time.monotonic()
    n_new = 0
    try:
        if terminal:
            print(f"{what}: {bar(done, n_entries, _BAR_WIDTH)} {done}/{n_entries}", end="", flush=True)
        for record in records:
            n_new += 1
            if failure := record.failure:
                print(
                    f"{erase}{what}: entry {record.entry}: {failure.stage}: {failure.kind}: {failure.message}",
                    flush=True,
                )
            yield record
            now = time.monotonic()
            if now - last > pause:
                last = now
                if terminal:
                    text = f"{what}: {bar(done + n_new, n_entries, _BAR_WIDTH)} {done + n_new}/{n_entries}"
                    rate = f"{60 * n_new / (now - started):.3g} per minute"
                    print(f"{erase}{text}, {rate}", end="", flush=True)
                else:
                    print(f"{what}: {done + n_new} of {n_entries} entries", flush=True)
    finally:
        print(end=erase, flush=True)


def bar(done: int, total: int, width: int) -> str:
    """Return a bar of so many characters; it is full only when everything is done."""
    filled = width * done // total if total else width
    return "█" * filled + "░" * (width - filled)
