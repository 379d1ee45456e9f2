"""Densities of states of a data set's references, for models to learn.

Of each primitive cell: the states of each atom in bins, without smearing, and its on-site force constants. It goes on
where it was stopped.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_protocol


@dataclass(frozen=True)
class Options:
    entries: Path
    protocol: str
    protocols_file: Path
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--entries", type=Path, required=True, help="entries.db, of 'softmode dataset'")
    add_protocol(parser)
    parser.add_argument("--output", type=Path, required=True, help="the labels (npz)")


def run(options: Options) -> None:
    from softmode.engine.records import read_metadata
    from softmode.reference.dataset import load_entries
    from softmode.settings.protocol import phonons_of_protocol
    from softmode.studies.density.labels import MESH_LENGTH_A, write_labels

    settings = phonons_of_protocol(options.protocol, options.protocols_file)
    origin = {
        "dataset_digest": read_metadata(options.entries)["dataset_digest"],
        "protocol": options.protocol,
        "mesh_length_A": MESH_LENGTH_A,
    }
    labels = write_labels(load_entries(options.entries), settings, options.output, origin)
    for entry, message in labels.failures.items():
        print(f"no label: entry {entry}: {message}")
    print(f"{options.output}: labels of {len(labels.of_entries)} entries; {len(labels.failures)} have none")
