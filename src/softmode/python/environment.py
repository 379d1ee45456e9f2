"""A potential in its own environment, because no two potentials' packages need agree: a process that leaves records."""

import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from softmode.errors import InputError

# Variable of the environment with the folder of the potentials' environments.
VARIABLE = "SOFTMODE_ENVIRONMENTS"
# How often a process that died is started again: the engine needs at most five deaths to know which entry does it. With
# fewer, the others of a list are lost with it.
_MOST_STARTS = 6
# Lines of a process that failed which its message has.
_LINES = 15


def environment_of(settings: Mapping[str, Any], given: str | Path | None) -> Path:
    """Return the python of the environment in which a potential runs.

    Args:
        settings: the potential's
        given: the environment's folder, or None for the one of the potential's

    Raises:
        InputError: it is not here; the message says how to have one.
    """
    name = settings["environment"]
    if given is not None:
        folders = [Path(given).expanduser()]
    else:
        folders = [Path(os.environ.get(VARIABLE) or ".envs").expanduser() / name]
        clone = Path(__file__).parents[3]
        if (clone / "envs" / "build.sh").is_file():  # else this package is installed
            folders.append(clone / ".envs" / name)
    for folder in folders:
        if (folder / "bin" / "python").exists():
            return (folder / "bin" / "python").absolute()
    raise InputError(
        f"potential {settings['name']}: its package is not installed here, and there is no environment of its own at "
        f"{' or '.join(map(str, folders))}. In a clone of softmode, pip install '.[{name}]' brings the package, and "
        f"'make .envs/{name}.ready' builds the environment; {VARIABLE} names the folder that holds it"
    )


def run_in_environment(python: Path, potential: str, module: str, arguments: Sequence[str]) -> None:
    """Run a module of softmode that loads a potential in a process of an environment; what it prints, this one prints.

    One that a potential kills is started again and goes on from the records that are there, until the engine knows
    which entry does it, and gives it a record of its failure.

    Args:
        python: of `environment_of`
        potential: its name, for messages

    Raises:
        InputError: it ended with an error; the message has its last lines.
    """
    # without the folder at hand, where a file of the user's may have the name of a package
    command = [str(python), "-P", "-m", module, *arguments]
    for _ in range(_MOST_STARTS):
        last: deque[str] = deque(maxlen=_LINES)
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace"
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                last.append(line)
                print(line, end="", flush=True)
            code = process.wait()
        finally:
            if process.poll() is None:  # this process was interrupted
                process.send_signal(signal.SIGTERM)
                process.wait()
        if code == 0:
            return
        if code > 0:
            break
    raise InputError(f"potential {potential}, with {python}:\n{''.join(last).strip() or f'ended by {-code}'}")
