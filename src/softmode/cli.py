"""The command line: finds the sub-command, reads its options, runs it, and turns what ends it into an exit code."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from typing import Any, Protocol, cast

from softmode.commands.stage import StageCommand
from softmode.engine.interruption import Stopped, stops_on_signals
from softmode.errors import DeviceLost, InputError, StorageError
from softmode.studies import named_studies, own_studies, stages_of
from softmode.threads import limit_to
from softmode.version import ShowVersion

_STAGES = "stages: one shard of one source, in a job of the workflow"
# Sub-commands by group, in the order of `softmode --help`; one that is missing here does not exist for a user. Those of
# the stages are made of their declarations.
GROUPS = {
    "run: phonons in one command": "phonons molecule density",
    "plan: what will run, and what runs again": "plan sensitivity compare-protocols retry-failed",
    "look: how far a campaign is, and what came out": "status summary show page export verify compare-campaigns",
    "data: the entries that potentials are judged on": "dataset sample shards export-reference line-forces",
    "train: potentials on phonons": "snapshots export-snapshots split train learning-curves "
    "density-labels density-split density-ensemble density-errors",
    "anharmonicity: derivatives from forces, and their dynamics": "derivatives taylor-dynamics split-frames",
    "potentials: what they are, and whether they work here": "potentials fetch-checkpoint check-potential",
    _STAGES: "",
    "results: all shards together, in a job of the workflow": "collect spectra collect-study results",
}
_DESCRIPTION = "Which universal potential can be trusted for phonons, on your structures, at what cost?"
_EPILOG = """'softmode COMMAND --help' has the options of a command. The workflow's rules call these commands, too:
any line in a job's log can be run again by hand."""


class Command(Protocol):
    """What the module of a sub-command has, or what is made of a stage."""

    __doc__: str | None
    Options: type[Any]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""

    def run(self, options: Any) -> int | None:
        """Do what it does; return the exit code where it is not zero."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; return its exit code, 2 after a message about input or disk, 128 + signal where one ended it.

    Args:
        arguments: those of the process where None
    """
    try:
        commands = grouped_commands(_users_studies(sys.argv[1:] if arguments is None else arguments))
    except InputError as error:
        print(f"softmode: {error}", file=sys.stderr)
        return 2
    given = vars(build_parser(commands).parse_args(arguments))
    if given["threads"]:
        limit_to(given["threads"])
    name = given["command"]
    command = next(found[name] for found in commands.values() if name in found)
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


def _users_studies(arguments: Sequence[str]) -> list[str]:
    """Return the studies of the user's own, which bring sub-commands themselves and so must be known before these."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_study(parser)
    return list(parser.parse_known_args(arguments)[0].study)


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--study", action="append", default=[], metavar="MODULE", help="a study of your own, whose stages to have"
    )


def grouped_commands(users_studies: Sequence[str] = ()) -> dict[str, dict[str, Command]]:
    """Return all sub-commands by group, in the order of the help; the names of those of stages are two words.

    Args:
        users_studies: modules of studies that are not softmode's own

    Raises:
        InputError: there is no such study.
    """
    own = [study.name for study in own_studies()]
    stages = stages_of(named_studies([*own, *users_studies]))
    found: dict[str, dict[str, Command]] = {
        group: {name: command_module(name) for name in names.split()} for group, names in GROUPS.items()
    }
    found[_STAGES] = {" ".join(stage.command): StageCommand(stage) for stage in stages}
    return found


def command_module(name: str) -> Command:
    """Return the module of a sub-command (see `softmode.commands`)."""
    return cast(Command, import_module(f"softmode.commands.{name.replace('-', '_')}"))


def build_parser(commands: Mapping[str, Mapping[str, Command]]) -> argparse.ArgumentParser:
    """Return the parser of all sub-commands, as `grouped_commands` returns them."""
    parser = argparse.ArgumentParser(
        prog="softmode",
        usage="softmode [-h] [--version] [--study MODULE] COMMAND ...",
        description=f"{_DESCRIPTION}\n\n{_list(commands)}",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=ShowVersion, help="print the release and the commit")
    _add_study(parser)
    # argparse knows no groups of sub-commands: they are listed in the description
    parsers = parser.add_subparsers(required=True, metavar="COMMAND", prog="softmode", help=argparse.SUPPRESS)
    parsers_of = {"": parsers}
    for name, command in ((name, command) for found in commands.values() for name, command in found.items()):
        first, _, last = name.rpartition(" ")
        if first not in parsers_of:
            parsers_of[first] = parsers.add_parser(first).add_subparsers(required=True, metavar=first.upper())
        sub_parser = parsers_of[first].add_parser(last, description=command.__doc__, help=_first_line(command))
        sub_parser.set_defaults(command=name)
        command.add_arguments(sub_parser)
        sub_parser.add_argument("--threads", type=int, help="threads that numpy, torch and phono3py take (all)")
    return parser


def _list(commands: Mapping[str, Mapping[str, Command]]) -> str:
    width = max(len(name) for found in commands.values() for name in found)
    lines = []
    for group, found in commands.items():
        lines += [group, *(f"  {name:{width}}  {_first_line(command)}" for name, command in found.items()), ""]
    return "\n".join(lines)


def _first_line(command: Command) -> str:
    return (command.__doc__ or "").partition("\n")[0].rstrip(".")
