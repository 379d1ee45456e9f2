"""Write thermal displacements with harmonic forces into one file.

They are those of the entries of a data set, by their references. One frame for each snapshot: as extended XYZ, which
ASE and the trainers of most potentials read, or as ASE's database in LMDB (aselmdb), which fairchem reads. The file is
written entry by entry, so that it may be larger than memory.
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
    format: str
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_snapshots(parser)
    add_protocol(parser)
    parser.add_argument("--format", choices=("extxyz", "aselmdb"), default="extxyz", help="of the file (extxyz)")
    parser.add_argument("--output", type=Path, required=True, help="the file, such as snapshots.extxyz")


def run(options: Options) -> None:
    from softmode.engine.progress import with_progress
    from softmode.engine.records import row_numbers
    from softmode.reference.dataset import load_entries
    from softmode.settings.protocol import phonons_of_protocol
    from softmode.stages.snapshots import STAGE, Draw, export

    settings = phonons_of_protocol(options.protocol, options.protocols_file)
    draw = Draw(options.temperature, options.number, options.seed)
    records = export(load_entries(options.entries), settings, draw, options.output, options.format)
    n_done = sum(
        record.failure is None for record in with_progress(records, 0, len(row_numbers(options.entries)), STAGE)
    )
    print(f"{options.number} snapshots of each of {n_done} entries in {options.output}")
