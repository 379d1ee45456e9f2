"""Thermal displacements of a data set's entries, and how large they are.

They are drawn by the reference's force constants, in the entry's supercell. An entry with an imaginary mode has none.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_protocol, add_snapshots


@dataclass(frozen=True)
class Options:
    entries: Path
    temperature: float
    number: int
    seed: int
    protocol: str
    protocols_file: Path
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_snapshots(parser)
    add_protocol(parser)
    parser.add_argument("--output", type=Path, required=True, help="CSV with one row for each entry")


def run(options: Options) -> None:
    from softmode.engine.progress import with_progress
    from softmode.engine.records import row_numbers
    from softmode.reference.dataset import load_entries
    from softmode.settings.protocol import phonons_of_protocol
    from softmode.stages.snapshots import STAGE, Draw, draw_all, write_summary

    settings = phonons_of_protocol(options.protocol, options.protocols_file)
    draw = Draw(options.temperature, options.number, options.seed)
    records = draw_all(load_entries(options.entries), settings, draw)
    n_entries = len(row_numbers(options.entries))
    write_summary(with_progress(records, 0, n_entries, STAGE), options.output)
    print(f"{n_entries} entries in {options.output}")
