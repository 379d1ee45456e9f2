"""Compute frequencies, thermodynamics and stability of one shard.

The forces are those of a potential (--force-sets) or those of a reference (--reference, with --shards and --shard).
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.errors import InputError


@dataclass(frozen=True)
class Options:
    force_sets: Path | None
    reference: Path | None
    source: str
    shards: Path | None
    shard: int | None
    kept: Path | None
    protocol: Path
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--force-sets", type=Path, help="the shard's force sets of one potential")
    source.add_argument("--reference", type=Path, metavar="ENTRIES", help="entries.db: the reference's own force sets")
    parser.add_argument("--source", choices=("reference", "yardstick"), default="reference", help="which of the two")
    parser.add_argument("--shards", type=Path, help="shards.csv (with --reference)")
    parser.add_argument("--shard", type=int, help="number of the shard (with --reference)")
    parser.add_argument(
        "--kept", type=Path, metavar="FOLDER", help="where those of references are kept between campaigns"
    )
    parser.add_argument("--protocol", type=Path, required=True, help="the protocol's section 'phonons'")
    parser.add_argument("--output", type=Path, required=True, help="Parquet table")


def run(options: Options) -> None:
    from softmode.compare.properties import phonon_columns
    from softmode.engine.parquet import copy, write_table
    from softmode.engine.provenance import PACKAGES, provenance, versions
    from softmode.engine.records import read_metadata, read_records
    from softmode.engine.shards import read_shard
    from softmode.protocol import Phonons, digest
    from softmode.stages.phonons import compute_phonons, task_of_potential, tasks_of_reference
    from softmode.yaml_files import read_yaml

    section = read_yaml(options.protocol)
    ids: list[str] = []
    if options.reference:
        if options.shards is None or options.shard is None:
            raise InputError("--reference needs --shards and --shard")
        origin = read_metadata(options.reference)
        source, dataset_digest = options.source, origin["dataset_digest"]
        ids = read_shard(options.shards, options.shard)
        tasks = tasks_of_reference(options.reference, ids, source)
    else:
        assert options.force_sets is not None  # one of the two is required
        origin = read_metadata(options.force_sets)
        source, dataset_digest = origin["potential"]["name"], origin["depends_on"]["dataset"]
        tasks = (task_of_potential(record) for record in read_records(options.force_sets))
    variants = list(section["stability"])
    columns = phonon_columns(variants)
    metadata = provenance({"stage": "phonons", "phonons": digest(section), "origin": origin["identity"]}, PACKAGES)
    metadata |= {
        "source": source,
        "origin": origin,
        "dataset_digest": dataset_digest,
        "phonons_digest": digest(section),
        "stability_variants": variants,
        "density_of_states": section["density_of_states"],
    }
    kept = None
    if options.reference and options.kept:
        # what is kept of an older softmode may lack columns
        same = [metadata["identity"], dataset_digest, source, ids, versions(PACKAGES), [c.name for c in columns]]
        kept = options.kept / f"{digest(same)}.parquet"
        if kept.is_file():
            copy(kept, options.output)
            print(f"the same phonons as in {kept}, computed for another campaign")
            return
    rows = compute_phonons(tasks, source, Phonons(**section))
    write_table(options.output, rows, columns, metadata)
    if kept:
        copy(options.output, kept)
