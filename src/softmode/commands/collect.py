"""Put all shards of all sources into one table, strictly."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    phonons: list[Path]
    index: Path
    entries: Path
    report: Path
    presentation: Path
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--phonons", type=Path, nargs="+", required=True, help="tables of all shards")
    parser.add_argument("--index", type=Path, required=True, help="the data set's index")
    parser.add_argument("--entries", type=Path, required=True, help="the data set's entries.db")
    parser.add_argument("--report", type=Path, required=True, help="the protocol's section 'report'")
    parser.add_argument("--presentation", type=Path, required=True, help="frozen presentation of the potentials")
    parser.add_argument("--output", type=Path, required=True, help="properties.parquet")


def run(options: Options) -> None:
    from softmode.compare.properties import collect
    from softmode.compare.training import training_files
    from softmode.yaml_files import read_yaml

    report, trained_on = read_yaml(options.report), training_files(read_yaml(options.presentation))
    n_rows, n_failed = collect(options.phonons, options.index, options.entries, report, options.output, trained_on)
    print(f"{n_rows} records in {options.output}, {n_failed} of them failures")
