"""Files that have one writer at a time, appear when they are complete, and a clear word where the disk refuses."""

import fcntl
import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from softmode.engine.interruption import waiting_for_check
from softmode.errors import InputError, StorageError

# the ending of what is being written, or was left over by a job that was killed; with another one, what killed jobs
# have left is not gone on with
PARTIAL = ".partial"


def partial_of(output: Path) -> Path:
    """Return where an output is written until it is complete, by its only writer: `<output>.partial`."""
    return output.with_name(f"{output.name}{PARTIAL}")


def own_partial_of(output: Path) -> Path:
    """Return the same for an output that several processes may write at a time, of which the last wins."""
    return output.with_name(f"{output.name}.{socket.gethostname()}.{os.getpid()}{PARTIAL}")


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn what disk or database refuse in this context, such as a full disk, into one line.

    Raises:
        StorageError: the path cannot be written.
    """
    try:
        yield
    except (OSError, sqlite3.DatabaseError) as error:
        reason = str(error)
        if isinstance(error, OSError) and error.strerror:
            reason = error.strerror + (f" ({error.filename})" if error.filename else "")
        raise StorageError(f"{path}: cannot be written: {reason}; {_room(path.parent)}") from error


def _room(folder: Path) -> str:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"{folder}: {error.strerror}"
    writable = "" if os.access(folder, os.W_OK) else " and is not writable"
    return f"{folder} has {free / 1e6:,.1f} MB free{writable}"


@contextmanager
def only_writer(output: Path) -> Iterator[None]:
    """Make the folder of an output and hold `<output>.lock`, so that nobody else writes the output meanwhile.

    An order to stop the process waits for the next `interruption.check`.

    The kernel lets go of the lock when its holder ends, in whatever way: a file that was left behind locks nothing. On
    a file system without such locks a message says that nothing keeps a second writer away.

    Raises:
        InputError: another process holds the lock.
        StorageError: the lock file cannot be made.
    """
    path = output.with_name(output.name + ".lock")
    with storage(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(path, output)
    with file, waiting_for_check():
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _locked(path: Path, output: Path) -> IO[str]:
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                file.seek(0)
                holder = file.read().strip() or "another process"
            raise InputError(
                f"{output}: is being written by {holder}; nothing was touched; wait for that process, or end it, and "
                "run again"
            ) from None
        except OSError as error:
            print(f"{path}: {error.strerror}: nothing keeps a second process from writing {output} at the same time")
            return file
        # a holder that ended may have removed the file after it was opened here
        if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            break
        file.close()
    file.truncate(0)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    file.write(f"process {os.getpid()} on {socket.gethostname()} (since {since})\n")
    file.flush()
    return file


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, and rename what is there to the output when the context ends without an error.

    Raises:
        InputError: another process writes the output.
        StorageError: it cannot be written.
    """
    partial = partial_of(path)
    with only_writer(path), storage(path):
        try:
            yield partial
            partial.replace(path)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
