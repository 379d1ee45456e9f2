"""Write force sets as phonopy YAML, to serve as a reference."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    force_sets: list[Path]
    functional: str
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--force-sets", type=Path, nargs="+", required=True, help="force sets of the calculator")
    parser.add_argument("--functional", required=True, help="its exchange-correlation functional")
    parser.add_argument("--output", type=Path, required=True, help="folder of <entry>.yaml.xz")


def run(options: Options) -> None:
    from softmode.engine.records import read_metadata, read_records
    from softmode.reference.export import export_record

    options.output.mkdir(parents=True, exist_ok=True)
    for path in options.force_sets:
        metadata = read_metadata(path)
        for record in read_records(path):
            print(export_record(record, metadata, options.functional, options.output))
