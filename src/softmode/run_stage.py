"""One stage on one shard: what goes in, and every entry to a record or a row, for every stage of every study.

A stage that runs a potential stores one record after the other: whatever ends the process, they stay in the partial,
and the same command goes on from there. One that reads records writes a table, which appears when it is complete.

The function of a stage that runs a potential is called as `function(tasks, evaluator, settings)` and yields a `Record`
for each task as it is done. A task is an `Entry`, or, where the stage follows another, `(Entry, Record)` with the
record of the stage before. The function of a stage that makes a table is called as `function(found, source, settings)`
and yields a row for each `(Entry, Record)` with the record of the stage before, or for each `(Entry, Entry)` with the
entry as a reference has it (`(Entry, Record)` with a failure for one that a yardstick does not have).
"""

import os
import shutil
import sys
import time
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
from softmode.errors import InputError
from softmode.potentials.base import Potential
from softmode.potentials.memory import batch_load
from softmode.potentials.registry import load_potential
from softmode.reference.dataset import entries_of_reference, load_entries
from softmode.reference.entry import Entry
from softmode.settings.digest import digest
from softmode.settings.potentials import digest_of_settings
from softmode.settings.protocol import known_as, stage_settings
from softmode.sources import REFERENCE, YARDSTICK
from softmode.stage_job import PotentialJob, TableJob
from softmode.stages.evaluate import Evaluator
from softmode.studies.study import Stage, load
from softmode.yaml_files import read_yaml

# The most processes that prepare tasks beside a GPU: one finds an entry's displacements in 0.01 s, and more would wait.
_MOST_WORKERS = 8


def run_with_potential(stage: Stage, job: PotentialJob, potential: Potential | None = None) -> None:
    """Store a record of the stage for each entry of a shard.

    Args:
        potential: the one of the job's settings, where it is loaded already

    Raises:
        InputError: an input is missing, damaged, or not of this stage.
        DeviceLost: the GPU is of no use any more.
        Stopped: the process was told to stop.
    """
    section, settings = read_yaml(job.protocol), read_yaml(job.potential)
    potential = potential or load_potential(settings, job.device)
    before = read_metadata(job.records) if job.records else None
    identity = _identity(stage, section, before) | {
        "dataset": before["depends_on"]["dataset"] if before else read_metadata(job.entries)["dataset_digest"],
        "potential": digest_of_settings(settings),
        "checkpoint_sha256": potential.checkpoint_sha256,
        "dtype": potential.dtype,
        "packages": versions(PACKAGES + potential.packages),
    }
    metadata = _provenance(identity, potential, settings)
    ids = list(row_numbers(job.records)) if job.records else read_shard(*_shard(job.shards, job.shard))
    if job.same_as and _copy_of_same(job.same_as, job.output, metadata["identity"], ids):
        return
    settings_of_stage = stage_settings(load(stage.settings), section, str(job.protocol))

    # on a CPU the potential's own threads wait for each other when something else runs, and lose more than is won
    n_workers = 0
    if potential.device.startswith("cuda"):
        n_workers = min((job.threads or len(os.sched_getaffinity(0))) - 1, _MOST_WORKERS)
    with worker_processes(n_workers) as executor, RecordWriter(job.output, metadata) as writer:
        load_of = batch_load(settings, job.batch_memory_GB, potential.device)
        evaluator = Evaluator(potential, load_of, executor)

        def compute(chosen: Sequence[str], in_flight: InFlight) -> Iterator[Record]:
            tasks = in_flight.watched(chosen, _tasks(job, chosen))
            computed: Iterator[Record] = load(stage.function)(tasks, evaluator, settings_of_stage)
            return computed

        _work_through(writer, stage, potential.name, ids, compute, lambda chosen: _known(job, chosen))


def _identity(stage: Stage, section: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what any output of the stage depends on: its settings, and what it was made from."""
    identity = {"stage": stage.name, known_as(stage.name): digest(section)}
    return identity | ({stage.origin_known_as: before["identity"]} if before else {})


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


def _shard(shards: Path | None, shard: int | None) -> tuple[Path, int]:
    assert shards is not None and shard is not None  # the command line has seen to it
    return shards, shard


def _tasks(job: PotentialJob, chosen: Sequence[str]) -> Iterator[Any]:
    entries = load_entries(job.entries, chosen)
    return zip(entries, read_records(job.records, chosen), strict=True) if job.records else entries


def _known(job: PotentialJob, chosen: Sequence[str]) -> Iterator[Record]:
    """Yield what is known of entries without the stage."""
    if job.records:
        return (replace(record, arrays={}) for record in read_records(job.records, chosen))
    return (Record(entry.id, entry.unit_cell) for entry in load_entries(job.entries, chosen))


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
    print(f"the same records as in {source}")
    return True


def _work_through(
    writer: RecordWriter,
    stage: Stage,
    potential: str,
    ids: Sequence[str],
    compute: Callable[[Sequence[str], InFlight], Iterator[Record]],
    before: Callable[[Sequence[str]], Iterator[Record]],
) -> None:
    """Store a record for each entry that has none.

    Args:
        compute: yields the records of these entries
        before: yields what is known of these entries without the stage
    """
    what = f"{stage.name} {potential}"
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


def _condemned(record: Record, stage: Stage, in_flight: InFlight) -> Record:
    """Return what is known of an entry as the failure of the stage whose process it ended."""
    suspect = in_flight.suspects[record.entry]
    values = dict(record.values) | {stage.seconds: suspect.seconds}
    return replace(record, values=values, failure=record.failure or Failure(stage.name, "crash", suspect.message))


def run_to_table(stage: Stage, job: TableJob) -> None:
    """Write a row of the stage for each entry of a shard, of a potential or of a reference.

    Raises:
        InputError: an input is missing, damaged, or not of this stage.
    """
    # a potential's environment has no pyarrow
    from softmode.compare.study_table import columns_of
    from softmode.engine.parquet import copy, write_table

    section = read_yaml(job.protocol)
    settings = stage_settings(load(stage.settings), section, str(job.protocol))
    columns = columns_of(stage, settings)
    before = read_metadata(job.records or _reference(job))
    identity = _identity(stage, section, before)
    if job.records:
        source, dataset_digest = before["potential"]["name"], before["depends_on"]["dataset"]
        ids = list(row_numbers(job.records))
    else:
        source, dataset_digest = job.source, before["dataset_digest"]
        ids = read_shard(*_shard(job.shards, job.shard))
    of_entries = read_metadata(job.entries)["dataset_digest"]
    if source == YARDSTICK:
        # it is computed in the light of the entries, whose database is not its own
        identity |= {"dataset": of_entries}
    elif of_entries != dataset_digest:
        raise InputError(
            f"{job.records or job.reference}: made from another data set than {job.entries}; delete the older and run "
            "again"
        )
    metadata = provenance(identity, PACKAGES)
    metadata |= {"source": source, "origin": before, "dataset_digest": dataset_digest}
    metadata |= {"settings": section, f"{stage.name}_digest": digest(section)}
    kept = None
    if job.kept and not job.records:
        # what is kept of an older softmode may lack columns
        same = [metadata["identity"], dataset_digest, source, ids, versions(PACKAGES), [c.name for c in columns]]
        kept = job.kept / f"{digest(same)}.parquet"
        if kept.is_file():
            copy(kept, job.output)
            print(f"the same {stage.name} as in {kept}, computed for another campaign")
            return
    write_table(job.output, load(stage.function)(_found(job, ids), source, settings), columns, metadata)
    if kept:
        copy(job.output, kept)


def _found(job: TableJob, ids: Sequence[str]) -> Iterator[tuple[Entry, Record | Entry]]:
    """Yield each entry, and what the source has of it."""
    entries = load_entries(job.entries, ids)
    if job.records:
        return zip(entries, read_records(job.records, ids), strict=True)
    if job.source == REFERENCE:
        return ((entry, entry) for entry in entries)
    return zip(entries, entries_of_reference(_reference(job), ids, job.source), strict=True)


def _reference(job: TableJob) -> Path:
    assert job.reference is not None  # the command line has seen to it
    return job.reference
