"""The numbers of a study in one table, a row for each entry and source, from the records and tables of its stages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from softmode.campaign_folder import CampaignFolder
from softmode.compare.properties import OUTCOME_COLUMNS
from softmode.engine.parquet import Column, read_table, write_table
from softmode.engine.records import Record, read_metadata, read_records
from softmode.errors import InputError
from softmode.studies.study import Stage, Study, load


def write_study_table(campaign: CampaignFolder, study: Study, output: Path) -> tuple[int, int]:
    """Write a row for each entry and source that the study has, strictly.

    Values of several stages stand beside each other; the outcome is that of the last one.

    Returns:
        the numbers of rows and of failures among them

    Raises:
        InputError: an output is missing, or an entry has no record or two.
    """
    columns = {stage: columns_of(stage, campaign.settings_of(stage)) for stage in study.stages}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    made_from: dict[str, dict[str, Any]] = {}
    for source, stage in campaign.stages():
        if stage not in columns:
            continue
        names = [column.name for column in columns[stage]]
        for shard, assigned in campaign.shards().items():
            path = campaign.output(source, stage, shard)
            metadata, found = _read(path, stage, names)
            made_from.setdefault(source, {})[stage.name] = metadata
            for entry in (row.entry for row in assigned):
                if entry not in found:
                    raise InputError(f"{path}: no record of entry {entry}; delete it and run again")
                rows[entry, source] = rows.get((entry, source), {"source": source}) | found[entry]
    # a later stage may carry on what an earlier one has
    everything = {column.name: column for of_stage in columns.values() for column in of_stage}
    write_table(output, rows.values(), list(everything.values()), {"study": study.name, "sources": made_from})
    return len(rows), sum(row["status"] == "failed" for row in rows.values())


def columns_of(stage: Stage, settings: Any) -> list[Column]:
    """Return the columns of a stage's table, or of what its records are in one.

    A stage declares what is its own. Entry, source, outcome and time it has without that, and may say where they stand.
    """
    declared = load(stage.columns)(settings)
    seconds = Column(stage.seconds, pa.float64(), "s", f"time of the stage '{stage.name}'")
    names = {column.name for column in declared}
    return [*(column for column in (*OUTCOME_COLUMNS, seconds) if column.name not in names), *declared]


def _read(path: Path, stage: Stage, names: list[str]) -> tuple[Mapping[str, Any], dict[str, dict[str, Any]]]:
    """Return the metadata of one output, and of each entry its outcome and the values of these names."""
    if stage.runs_source:
        return read_metadata(path), {record.entry: _row(record, names) for record in read_records(path)}
    table, metadata = read_table(path, names)
    return metadata, {row["entry"]: row for row in table.to_pylist()}


def _row(record: Record, names: list[str]) -> dict[str, Any]:
    values = dict(record.arrays) | dict(record.values)
    row = {"entry": record.entry, "status": "done"} | {name: values[name] for name in names if name in values}
    if record.failure:
        row |= record.failure.columns
    return row
