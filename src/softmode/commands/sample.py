"""Draw entries that stand for a whole data set, for dataset.ids_file."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    index: Path
    number: int
    seed: int
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--index", type=Path, required=True, help="the data set's index, of 'softmode dataset'")
    parser.add_argument("--number", type=int, required=True, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw (0)")
    parser.add_argument("--output", type=Path, required=True, help="text, one id a line")


def run(options: Options) -> None:
    from softmode.reference.index_file import read_index
    from softmode.reference.sample import COLUMNS, representative_sample

    ids = representative_sample(read_index(options.index, COLUMNS), options.number, options.seed)
    options.output.write_text("\n".join(ids) + "\n", encoding="utf-8")
