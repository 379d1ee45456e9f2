"""Compare whole spectra with the reference's: frequencies, density of states."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    phonons: list[Path]
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--phonons", type=Path, nargs="+", required=True, help="tables of all shards of all sources")
    parser.add_argument("--output", type=Path, required=True, help="spectra.parquet")


def run(options: Options) -> None:
    from softmode.compare.spectra import write_spectra

    write_spectra(options.phonons, options.output)
