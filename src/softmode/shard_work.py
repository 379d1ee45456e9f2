"""The two stages that run a potential, on one shard: what goes in, and every entry to a record.

Whatever ends the process, the records stay in the partial, and the same command goes on from there.
"""

import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from softmode.engine.background import worker_processes
from softmode.engine.in_flight import InFlight
from softmode.engine.interruption import at_once
from softmode.engine.outputs import partial_of, whole_file
from softmode.engine.progress import with_progress
from softmode.engine.provenance import PACKAGES, provenance, versions
from softmode.engine.records import Failure, Record, RecordWriter, read_metadata, read_records, row_numbers
from softmode.engine.shards import read_shard
from softmode.potentials.base import Potential
from softmode.potentials.memory import batch_load
from softmode.potentials.registry import load_potential
from softmode.potentials.settings import digest_of_settings
from softmode.protocol import ForceSets, digest, relaxation
from softmode.reference.dataset import load_entries
from softmode.stages import force_sets, relax
from softmode.stages.evaluate import Evaluator
from softmode.yaml_files import read_yaml

# finding an entry's displacements takes 0.01 s
_MOST_WORKERS = 8


def relax_shard(options: Namespace) -> None:
    """Relax the entries of one shard; options as of `softmode relax`."""
    section = read_yaml(options.protocol)
    ids = read_shard(options.shards, options.shard)
    potential, settings = _load_potential(options)
    identity = {
        "stage": relax.STAGE,
        "relaxation": digest(section),
        "dataset": read_metadata(options.entries)["dataset_digest"],
    } | _identity(potential, settings)
    metadata = _provenance(identity, potential, settings)
    if options.same_as and _copy_of_same(options.same_as, options.output, metadata["identity"], ids):
        return
    evaluator = _evaluator(potential, settings, options)

    def compute(chosen: Sequence[str], in_flight: InFlight) -> Iterator[Record]:
        entries = in_flight.watched(chosen, load_entries(options.entries, chosen))
        return relax.relax(entries, evaluator, relaxation(section))

    def before(chosen: Sequence[str]) -> Iterator[Record]:
        return (Record(entry.id, entry.unit_cell) for entry in load_entries(options.entries, chosen))

    with RecordWriter(options.output, metadata) as writer:
        _work_through(writer, relax.STAGE, f"relax {potential.name}", ids, compute, before)


def _copy_of_same(source: Path, output: Path, identity: str, ids: Sequence[str]) -> bool:
    """Copy a database with the records that would be computed; return False where it is not there or not the same.

    A partial is gone on with: it may be what `retry-failed` left of the database.
    """
    if not source.is_file() or partial_of(output).exists():
        return False
    if read_metadata(source).get("identity") != identity or set(row_numbers(source)) != set(ids):
        print(f"{source}: made from other entries, settings or packages; not copied")
        return False
    with whole_file(output) as partial:
        shutil.copyfile(source, partial)
    print(f"the same relaxations as in {source}")
    return True


def compute_force_sets_of_shard(options: Namespace) -> None:
    """Compute the force sets of one shard; options as of `softmode force-sets`."""
    section = read_yaml(options.protocol)
    potential, settings = _load_potential(options)
    relaxed = read_metadata(options.relaxed)
    identity = {"stage": force_sets.STAGE, "force_sets": digest(section), "relaxed": relaxed["identity"]}
    identity |= {"dataset": relaxed["depends_on"]["dataset"]} | _identity(potential, settings)
    ids = list(row_numbers(options.relaxed))
    evaluator = _evaluator(potential, settings, options)

    def compute(chosen: Sequence[str], in_flight: InFlight) -> Iterator[Record]:
        tasks = zip(load_entries(options.entries, chosen), read_records(options.relaxed, chosen), strict=True)
        watched = in_flight.watched(chosen, tasks)
        return force_sets.compute_force_sets(watched, evaluator, ForceSets(**section), executor)

    def before(chosen: Sequence[str]) -> Iterator[Record]:
        return (replace(record, arrays={}) for record in read_records(options.relaxed, chosen))

    # on a CPU the potential's own threads wait for each other when something else runs, and lose more than is won
    n_workers = 0
    if potential.device.startswith("cuda"):
        n_workers = min((options.threads or len(os.sched_getaffinity(0))) - 1, _MOST_WORKERS)
    with (
        worker_processes(n_workers) as executor,
        RecordWriter(options.output, _provenance(identity, potential, settings)) as writer,
    ):
        _work_through(writer, force_sets.STAGE, f"force-sets {potential.name}", ids, compute, before)


def _work_through(
    writer: RecordWriter,
    stage: str,
    what: str,
    ids: Sequence[str],
    compute: Callable[[Sequence[str], InFlight], Iterator[Record]],
    before: Callable[[Sequence[str]], Iterator[Record]],
) -> None:
    """Store a record for each entry that has none.

    Args:
        compute: yields the records of these entries
        before: yields what is known of these entries without the stage
    """
    started = time.monotonic()
    with InFlight(writer) as in_flight:
        left = [id for id in ids if id not in writer.done]
        condemned = (_condemned(record, stage, in_flight) for record in before(in_flight.condemned))
        computed = chain.from_iterable(compute(turn, in_flight) for turn in in_flight.turns(left))
        at_once.append(lambda: print(f"{what}: told to stop: {_kept(writer, ids)}", file=sys.stderr, flush=True))
        try:
            for record in with_progress(chain(condemned, computed), len(writer.done), len(ids), what):
                writer.write([record])
        finally:
            at_once.pop()
    print(f"{what}: {len(writer.done)} of {len(ids)} entries in {time.monotonic() - started:.1f} s")


def _kept(writer: RecordWriter, ids: Sequence[str]) -> str:
    stored = f"{len(writer.done)} of {len(ids)} entries are done and kept in {writer.partial}"
    return f"{stored}; it ends after the pass at hand, and the same command goes on from there"


def _condemned(record: Record, stage: str, in_flight: InFlight) -> Record:
    """Return what is known of an entry as the failure of the stage whose process it ended."""
    suspect = in_flight.suspects[record.entry]
    values = dict(record.values) | {f"{stage}_seconds": suspect.seconds}
    return replace(record, values=values, failure=record.failure or Failure(stage, "crash", suspect.message))


def _load_potential(options: Namespace) -> tuple[Potential, dict[str, Any]]:
    settings = read_yaml(options.potential)
    return load_potential(settings, options.device), settings


def _evaluator(potential: Potential, settings: Mapping[str, Any], options: Namespace) -> Evaluator:
    return Evaluator(potential, batch_load(settings, options.batch_memory_GB, potential.device))


def _identity(potential: Potential, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a result depends on besides protocol and data."""
    return {
        "potential": digest_of_settings(settings),
        "checkpoint_sha256": potential.checkpoint_sha256,
        "dtype": potential.dtype,
        "packages": versions(PACKAGES + potential.packages),
    }


def _provenance(identity: dict[str, Any], potential: Potential, settings: Mapping[str, Any]) -> dict[str, Any]:
    return provenance(
        identity,
        PACKAGES + potential.packages,
        potential=settings,
        checkpoint_sha256=potential.checkpoint_sha256,
        dataset_digest=identity["dataset"],
        device=potential.device,
        dtype=potential.dtype,
        conservative=potential.conservative,
    )
