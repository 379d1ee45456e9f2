"""A process that runs one command line of softmode after the other: `python -m softmode.worker`.

What takes seconds to import, a potential's package above all, is imported once for all of them, and while there is
nothing to do yet. Each line of standard input is a job in JSON: `words` of the command line, the `line` to begin the
`log` with, which is a file. Its exit code comes back as a line of standard output.
"""

import argparse
import json
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from softmode.cli import main

# Exit codes from here on say that a signal ended the command, and so ends the worker too.
_SIGNALLED = 128


def work() -> None:
    """Answer jobs until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--potential", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--modules", nargs="*", default=[])
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # what is printed before the first job has no log
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        _print_to(nowhere.fileno())
    with suppress(Exception):  # the job that needs it will say what is wrong
        for module in options.modules:
            import_module(module)
        if options.potential:
            from softmode.potentials.registry import load_potential
            from softmode.yaml_files import read_yaml

            import_module("softmode.run_stage")
            load_potential(read_yaml(options.potential), options.device)
    for line in sys.stdin:
        code = _run(**json.loads(line))
        answers.write(f"{code}\n")
        answers.flush()
        if code >= _SIGNALLED:
            return


def _run(words: list[str], line: str, log: str) -> int:
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with Path(log).open("w", encoding="utf-8") as file:
        _print_to(file.fileno())
    print(line, flush=True)
    try:
        return main(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _print_to(file: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(file, 1)
    os.dup2(file, 2)


if __name__ == "__main__":
    work()
