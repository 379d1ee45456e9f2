"""Which softmode this is: the release, and the commit of a checkout."""

import argparse
import functools
import subprocess
from pathlib import Path
from typing import Any

from softmode import __version__

_CHECKOUT = Path(__file__).parents[2]


@functools.cache
def version(checkout: Path = _CHECKOUT) -> str:
    """Return the version that provenance stores, such as `0.1.0+g0123abcdef`.

    Git is asked at the first call, so that a command which writes nothing never waits. No identity of a record may
    depend on the answer: another commit must not make records invalid.

    Args:
        checkout: the folder that holds `src/softmode`

    Returns:
        The release and the commit, with `.dirty` where files differ from it; `+unknown` where git does not answer in a
        checkout; the release alone where there is none, as in an installed wheel.
    """
    if not (checkout / ".git").exists():
        return __version__
    command = ["git", "--no-optional-locks", "describe", "--always", "--abbrev=10", "--exclude=*", "--dirty=.dirty"]
    try:
        found = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return f"{__version__}+unknown"
    return f"{__version__}+g{found.strip()}"


class ShowVersion(argparse.Action):
    """What `--version` does: asks git only then, not whenever a parser is built."""

    def __init__(self, option_strings: list[str], dest: str, **settings: Any) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, **settings)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the version and end the process."""
        print(f"softmode {version()}")
        parser.exit()
