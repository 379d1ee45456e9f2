"""Parquet tables whose columns say their type, unit and meaning."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from softmode.engine.interruption import check
from softmode.engine.outputs import own_partial_of, storage, whole_file
from softmode.errors import InputError

# Rows that are held in memory before they are written as a group; with a few, tables are large and slow to read.
_ROWS_AT_A_TIME = 100


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: ends in the unit where there is one
        type: Arrow type
        unit: empty for a number without unit
        meaning: for a reader of the file
    """

    name: str
    type: pa.DataType
    unit: str
    meaning: str


def write_table(
    path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[Column], metadata: Mapping[str, Any]
) -> None:
    """Write rows one after the other to a Parquet file that appears when it is complete; a missing value is null."""
    schema = pa.schema(
        [
            pa.field(column.name, column.type, metadata={"unit": column.unit, "meaning": column.meaning})
            for column in columns
        ],
        metadata={"softmode": json.dumps(dict(metadata))},
    )
    with whole_file(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        waiting: list[Mapping[str, Any]] = []
        for row in rows:
            check()
            unknown = set(row) - set(schema.names)
            if unknown:
                raise ValueError(f"no column for {sorted(unknown)}")
            waiting.append(row)
            if len(waiting) == _ROWS_AT_A_TIME:
                writer.write_table(pa.Table.from_pylist(waiting, schema=schema))
                waiting = []
        writer.write_table(pa.Table.from_pylist(waiting, schema=schema))


def copy(source: Path, target: Path) -> None:
    """Copy a table to a file that appears when it is complete; of several that copy to it at a time the last wins."""
    partial = own_partial_of(target)
    with storage(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def read_table(path: Path, columns: Sequence[str] | None = None) -> tuple[pa.Table, dict[str, Any]]:
    """Return a table, or some of its columns, and the metadata it was written with.

    Raises:
        InputError: there is no such file, or it is not a table of softmode.
    """
    try:
        table = pq.read_table(path, columns=columns)
        return table, json.loads(table.schema.metadata[b"softmode"])
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (KeyError, TypeError, pa.ArrowException) as error:
        raise InputError(f"{path}: not a table of softmode; delete it and run again ({error})") from error
