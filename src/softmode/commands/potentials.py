"""List the potentials, what is known of them, and whose weights are here."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_mirrors, add_registry
from softmode.errors import InputError


@dataclass(frozen=True)
class Options:
    potentials: Path
    mirrors: list[Path]
    fetch: bool
    names: bool


def add_arguments(parser: ArgumentParser) -> None:
    add_registry(parser)
    add_mirrors(parser)
    parser.add_argument("--fetch", action="store_true", help="fetch all weights that can be had from here")
    parser.add_argument("--names", action="store_true", help="print only the names of those whose weights are here")


def run(options: Options) -> None:
    import sys

    from softmode.potentials.checkpoint_download import fetch
    from softmode.potentials.checkpoints import is_present
    from softmode.yaml_files import read_yaml

    everything = read_yaml(options.potentials)
    registered = {name: settings for name, settings in everything.items() if "checkpoint" in settings}
    problems = {}
    for name, settings in registered.items():
        try:
            if options.fetch:
                fetch(name, settings["checkpoint"], options.mirrors)
            elif not is_present(settings["checkpoint"]):
                problems[name] = "not fetched yet; 'softmode potentials --fetch' tries to"
        except InputError as error:
            problems[name] = str(error)
    here = [name for name in registered if name not in problems]
    for name, problem in problems.items():
        print(f"{name}: {problem}", file=sys.stderr)
    if options.names:
        print(",".join(here))
        return
    from softmode.potentials.registry import runs_here
    from softmode.present.potentials import potentials_table

    print(potentials_table(registered, names=True).to_markdown())
    print(f"weights here, or in their packages: {', '.join(here) or 'none'}")
    packages = [name for name, settings in registered.items() if runs_here(settings)]
    print(f"packages in this environment: those of {', '.join(packages) or 'none'}; others run in their own")
