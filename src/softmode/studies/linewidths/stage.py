"""Linewidths and shifts of each potential's modes along the path of high symmetry."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.reference.entry import Entry
from softmode.stages.table_row import table_row
from softmode.studies.conductivity.stage import BROKEN, COMPUTED, IMAGINARY, crystal_of
from softmode.studies.linewidths.columns import as_columns, path_columns
from softmode.studies.linewidths.path import bubble_on_path
from softmode.studies.linewidths.settings import PathLinewidths
from softmode.studies.linewidths.study import PATH_LINEWIDTHS


def columns(settings: PathLinewidths) -> list[Column]:
    """Return the columns of the stage's table."""
    said = f"{COMPUTED}, {IMAGINARY} or {BROKEN}; of the last two there is nothing along the path"
    return [Column("linewidths_outcome", pa.string(), "", said), *path_columns(settings.temperature_K)]


def compute_path_linewidths(
    found: Iterator[tuple[Entry, Record]], source: str, settings: PathLinewidths
) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of third-order forces.

    Args:
        found: each after the entry of the data set
        source: the potential's name
    """
    for entry, record in found:
        yield table_row(PATH_LINEWIDTHS, source, entry.id, record.failure, partial(_row, entry, record, settings))


def _row(entry: Entry, record: Record, settings: PathLinewidths) -> dict[str, Any]:
    crystal = crystal_of(entry, record, settings.path_meshes, "path_linewidths.path_meshes", settings)
    row = {"linewidths_outcome": crystal.outcome}
    if crystal.outcome != COMPUTED:
        return row
    modes = bubble_on_path(
        crystal.phono3py, settings.temperature_K, settings.principal_value_THz, settings.symmetry_tolerance_A
    )
    return row | as_columns(modes)
