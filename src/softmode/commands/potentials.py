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
    from softmode.potentials.checkpoints import require_sources, to_be_had
    from softmode.yaml_files import read_yaml

    everything = read_yaml(options.potentials)
    registered = {name: settings for name, settings in everything.items() if "checkpoint" in settings}
    weights = {}
    for name, settings in registered.items():
        checkpoint = settings["checkpoint"]
        weights[name] = to_be_had(checkpoint)
        try:
            if weights[name] == "missing":
                raise InputError(f"potential {name}: checkpoint.path: {checkpoint['path']}: no such file")
            if weights[name] == "your download":
                require_sources(name, checkpoint)
            elif options.fetch:
                # of one that is here, it is seen whether it is the registered one
                fetch(name, checkpoint, options.mirrors)
                weights[name] = "here"
            elif weights[name] == "fetchable":
                print(f"potential {name}: not fetched yet; 'softmode potentials --fetch' tries to", file=sys.stderr)
        except InputError as error:
            if weights[name] == "here":
                weights[name] = "wrong"
            print(error, file=sys.stderr)
    if options.names:
        print(",".join(name for name, how in weights.items() if how == "here"))
        return
    from softmode.potentials.registry import runs_here
    from softmode.present.potentials import potentials_table

    print(potentials_table(registered, weights=weights).to_markdown())
    packages = [name for name, settings in registered.items() if runs_here(settings)]
    print(f"packages in this environment: those of {', '.join(packages) or 'none'}; others run in their own")
