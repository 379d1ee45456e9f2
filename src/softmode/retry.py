"""Failures taken out of finished and partial databases, so that the next run computes them again, and only them."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from softmode.campaign_folder import CampaignFolder
from softmode.engine.in_flight import journal_of
from softmode.engine.outputs import only_writer, partial_of, storage
from softmode.engine.records import open_database, row_numbers
from softmode.engine.snapshot import read_snapshot
from softmode.errors import InputError

ALL = "all"


def forget_failures(
    campaign: CampaignFolder, kinds: Collection[str], potentials: Collection[str] | None, stages: Collection[str] | None
) -> Iterator[tuple[str, int]]:
    """Turn each database with such failures into a partial without them, and yield a line for it with their number.

    Its output is then missing, and the workflow makes it, going on from the partial, and what follows from it. An entry
    that is relaxed again loses its record in the force sets too, and these become a partial first: else the workflow
    would make all of them anew.

    Args:
        kinds: of the failures, or `all`
        potentials: all where None
        stages: names of stages that run a potential; all where None

    Raises:
        InputError: there is no such potential or stage, or a job writes one of the databases.
    """
    campaign.refuse_former()
    known = campaign.potentials()
    storing = [stage.name for stage in campaign.all_stages if stage.runs_source]
    for name in stages or ():
        if name not in storing:
            raise InputError(
                f"{campaign.path}: no stage '{name}' that stores failures; there are: {', '.join(storing)}"
            )
    for potential in potentials or known:
        if potential not in known:
            raise InputError(f"{campaign.path}: no potential '{potential}'; there are: {', '.join(known)}")
        for shard in campaign.shards():
            again: dict[str, set[str]] = {}
            outputs: dict[str, Path] = {}
            for source, stage in campaign.stages():
                if source == potential and stage.runs_source:
                    output = outputs[stage.name] = campaign.output(potential, stage, shard)
                    failed = _failed(output, stage.name, kinds) if stage.name in (stages or storing) else set()
                    again[stage.name] = failed | again.get(stage.follows, set())
            for name, output in reversed(outputs.items()):
                number = _forget(output, again[name])
                if number:
                    yield f"{output}: {number} records will be made again", number


def _stored(output: Path) -> Path:
    """Return the file that has the records of an output, finished or not."""
    return output if output.is_file() else partial_of(output)


def _failed(output: Path, stage: str, kinds: Collection[str]) -> set[str]:
    path = _stored(output)
    if not path.is_file():
        return set()
    return {
        record.entry
        for record in read_snapshot(path, ()).records
        if record.failure and record.failure[0] == stage and (ALL in kinds or record.failure[1] in kinds)
    }


def _forget(output: Path, entries: Collection[str]) -> int:
    if not entries or not _stored(output).is_file():
        return 0
    with only_writer(output), storage(output):
        path = _stored(output)
        rows = [number for entry, number in row_numbers(path).items() if entry in entries]
        if not rows:
            return 0
        partial = partial_of(output)
        if path == output:
            # first the name: a finished database without these records must never be
            journal_of(output).unlink(missing_ok=True)
            output.replace(partial)
        written = partial.stat()
        open_database(partial).delete(rows)
        # or it would seem that a job has just written it
        os.utime(partial, ns=(written.st_atime_ns, written.st_mtime_ns))
    return len(rows)
