"""A package's own training program, of the environment that this process runs in."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from softmode.engine.interruption import Stopped, check
from softmode.errors import InputError

# Time in s between two looks at whether this process was told to stop. With more, the program is killed by a scheduler
# before it is ended.
_LOOK_EVERY_s = 1.0


def run_program(name: str, arguments: Sequence[str], folder: Path, log: str) -> None:
    """Run a program to its end in a folder; what it prints is added to a log there.

    Raises:
        InputError: it fails; the end of its log is told.
        Stopped: this process was told to stop; the program is ended.
    """
    path = folder / log
    with path.open("a", encoding="utf-8") as file:
        command = [str(Path(sys.executable).with_name(name)), *arguments]
        with subprocess.Popen(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT) as process:
            try:
                while process.poll() is None:
                    check()
                    _wait(process)
            except Stopped:
                process.terminate()
                raise
    if process.returncode:
        end = path.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]
        raise InputError("\n".join([f"{name} failed with exit code {process.returncode}; the end of {path}:", *end]))


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_LOOK_EVERY_s)
    except subprocess.TimeoutExpired:
        return
