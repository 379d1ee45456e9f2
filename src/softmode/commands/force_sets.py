"""Displace the relaxed cells of one shard and compute the forces."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import PotentialOptions, add_potential


@dataclass(frozen=True)
class Options(PotentialOptions):
    entries: Path
    relaxed: Path
    protocol: Path
    output: Path
    threads: int | None


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--entries", type=Path, required=True, help="entries.db")
    parser.add_argument("--relaxed", type=Path, required=True, help="the shard's database of relaxed cells")
    add_potential(parser)
    parser.add_argument("--protocol", type=Path, required=True, help="the protocol's section 'force_sets'")
    parser.add_argument("--output", type=Path, required=True, help="ASE database of the force sets")


def run(options: Options) -> None:
    from softmode.shard_work import compute_force_sets_of_shard

    compute_force_sets_of_shard(Namespace(**vars(options)))
