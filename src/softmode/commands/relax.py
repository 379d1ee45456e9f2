"""Relax the entries of one shard with one potential."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import PotentialOptions, add_potential


@dataclass(frozen=True)
class Options(PotentialOptions):
    entries: Path
    shards: Path
    shard: int
    protocol: Path
    same_as: Path | None
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--entries", type=Path, required=True, help="entries.db")
    parser.add_argument("--shards", type=Path, required=True, help="shards.csv")
    parser.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    add_potential(parser)
    parser.add_argument("--protocol", type=Path, required=True, help="the protocol's section 'relaxation'")
    parser.add_argument(
        "--same-as",
        type=Path,
        metavar="DATABASE",
        help="copy this one of another campaign, if it would come out the same",
    )
    parser.add_argument("--output", type=Path, required=True, help="ASE database of the relaxed cells")


def run(options: Options) -> None:
    from softmode.shard_work import relax_shard

    relax_shard(Namespace(**vars(options)))
