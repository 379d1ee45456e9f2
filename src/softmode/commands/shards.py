"""Split the entries into shares of equal estimated cost."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    index: Path
    number: int
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--index", type=Path, required=True, help="the data set's index")
    parser.add_argument("--number", type=int, required=True, help="number of shards")
    parser.add_argument("--output", type=Path, required=True, help="shards.csv")


def run(options: Options) -> None:
    from softmode.engine.shards import write_shards
    from softmode.reference.index_file import read_index

    rows = read_index(options.index, {"entry": str, "estimated_cost": float})
    write_shards(options.output, {row["entry"]: row["estimated_cost"] for row in rows}, options.number)
