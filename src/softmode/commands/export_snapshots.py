"""Write thermal displacements with harmonic forces into one file.

They are those of the entries of a data set, or of one part of a split, by their references. One frame for each
snapshot: as extended XYZ, which ASE and the trainers of most potentials read, or as ASE's database in LMDB (aselmdb),
which fairchem reads. Energies are harmonic, too, and above the crystal at rest. The file is written entry by entry, so
that it may be larger than memory.
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
    split: Path | None
    part: str
    format: str
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_snapshots(parser)
    add_protocol(parser)
    parser.add_argument(
        "--split", type=Path, metavar="FILE", help="of 'softmode split': export one part of it (all entries)"
    )
    parser.add_argument(
        "--part", choices=("train", "validation", "test"), default="train", help="which part of the split (train)"
    )
    parser.add_argument("--format", choices=("extxyz", "aselmdb"), default="extxyz", help="of the file (extxyz)")
    parser.add_argument("--output", type=Path, required=True, help="the file, such as snapshots.extxyz")


def run(options: Options) -> None:
    from softmode.engine.progress import with_progress
    from softmode.engine.records import row_numbers
    from softmode.errors import InputError
    from softmode.reference.dataset import load_entries
    from softmode.settings.protocol import phonons_of_protocol
    from softmode.stages.snapshots import STAGE, Draw, export
    from softmode.training.split import read_split

    settings = phonons_of_protocol(options.protocol, options.protocols_file)
    draw = Draw(options.temperature, options.number, options.seed)
    if options.split is None:
        ids = list(row_numbers(options.entries))
    else:
        ids = [compound.entry for compound in getattr(read_split(options.split), options.part)]
    if not ids:
        raise InputError(f"{options.split or options.entries}: no entry to export")
    records = export(load_entries(options.entries, ids), settings, draw, options.output, options.format)
    n_done = sum(record.failure is None for record in with_progress(records, 0, len(ids), STAGE))
    print(f"{options.number} snapshots of each of {n_done} entries in {options.output}")
