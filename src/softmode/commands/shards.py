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
    import csv

    from softmode.engine.shards import write_shards

    with options.index.open(newline="", encoding="utf-8") as file:
        costs = {row["entry"]: float(row["estimated_cost"]) for row in csv.DictReader(file)}
    write_shards(options.output, costs, options.number)
