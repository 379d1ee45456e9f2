"""The command line: finds the sub-command, reads its options, runs it, and turns what ends it into an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from importlib import import_module
from types import ModuleType

from softmode import __version__
from softmode.engine.interruption import Stopped, stops_on_signals
from softmode.errors import DeviceLost, InputError, StorageError

# Sub-commands by group, in the order of `softmode --help`; one that is missing here does not exist for a user.
GROUPS = {
    "plan: what will run, and what runs again": "plan sensitivity retry-failed",
    "look: how far a campaign is, and what came out": "status summary show page export verify compare-campaigns",
    "data: the entries that potentials are judged on": "dataset sample shards export-reference",
    "potentials: what they are, and whether they work here": "potentials fetch-checkpoint check-potential",
    "stages: one shard of one source, in a job of the workflow": "relax force-sets phonons",
    "results: all shards together, in a job of the workflow": "collect spectra tables figures comparisons",
}
_DESCRIPTION = "Which universal potential can be trusted for phonons, on your structures, at what cost?"
_EPILOG = """'softmode COMMAND --help' has the options of a command. The workflow's rules call these commands, too:
any line in a job's log can be run again by hand."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; return its exit code, 2 after a message about input or disk, 128 + signal where one ended it.

    Args:
        arguments: those of the process where None
    """
    given = vars(build_parser().parse_args(arguments))
    if given["threads"]:
        # before numpy or torch are imported: they read these once
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[variable] = str(given["threads"])
    name = given["command"]
    command = command_module(name)
    options = command.Options(**{field.name: given[field.name] for field in fields(command.Options)})
    try:
        with stops_on_signals(restored=arguments is not None):
            return command.run(options) or 0
    except (InputError, StorageError, DeviceLost) as error:
        print(f"softmode {name}: {error}", file=sys.stderr)
        return 2
    except Stopped as stopped:
        print(f"softmode {name}: {stopped}", file=sys.stderr)
        return stopped.exit_code


def command_module(name: str) -> ModuleType:
    """Return the module of a sub-command (see `softmode.commands`)."""
    return import_module(f"softmode.commands.{name.replace('-', '_')}")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all sub-commands."""
    commands = {name: command_module(name) for names in GROUPS.values() for name in names.split()}
    parser = argparse.ArgumentParser(
        prog="softmode",
        usage="softmode [-h] [--version] COMMAND ...",
        description=f"{_DESCRIPTION}\n\n{_list(commands)}",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"softmode {__version__}")
    # argparse knows no groups of sub-commands: they are listed in the description
    parsers = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", prog="softmode", help=argparse.SUPPRESS
    )
    for name, command in commands.items():
        sub_parser = parsers.add_parser(name, description=command.__doc__)
        command.add_arguments(sub_parser)
        sub_parser.add_argument("--threads", type=int, help="threads of numpy and torch (all)")
    return parser


def _list(commands: dict[str, ModuleType]) -> str:
    width = max(map(len, commands))
    lines = []
    for group, names in GROUPS.items():
        lines += [group, *(f"  {name:{width}}  {_first_line(commands[name])}" for name in names.split()), ""]
    return "\n".join(lines)


def _first_line(command: ModuleType) -> str:
    return (command.__doc__ or "").partition("\n")[0].rstrip(".")
