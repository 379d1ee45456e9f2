"""Parquet tables whose columns say their type, unit and meaning."""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from softmode.engine.interruption import check
from softmode.engine.outputs import own_partial_of, storage, whole_file
from softmode.engine.schema import SCHEMA, check_schema
from softmode.errors import InputError

# Rows that are held in memory before they are written, and that stand together in the file: with more, jobs need more
# memory and one entry takes longer to read; with fewer, files are larger.
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
        metadata={"softmode": json.dumps(dict(metadata)), "softmode_schema": str(SCHEMA)},
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
    with _opened(path) as file:
        table = file.read(columns)
        metadata = json.loads(table.schema.metadata[b"softmode"])
        return table if columns is None else table.select(columns), metadata


def column_names(path: Path) -> list[str]:
    """Return the names of a table's columns.

    Raises:
        InputError: there is no such file, or it is not a table of softmode.
    """
    with _opened(path) as file:
        names: list[str] = file.schema_arrow.names
        return names


def read_scalars(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Return the columns of a table that hold no lists, and the metadata.

    Raises:
        InputError: there is no such file, or it is not a table of softmode.
    """
    with _opened(path) as file:
        columns = [field.name for field in file.schema_arrow if not pa.types.is_list(field.type)]
    return read_table(path, columns)


def read_rows(path: Path, entry: str) -> list[dict[str, Any]]:
    """Return the rows of one entry by column; only those parts of the file that hold the entry are read whole.

    Raises:
        InputError: there is no such file, or it is not a table of softmode.
    """
    rows = []
    with _opened(path) as file:
        for group in range(file.num_row_groups):
            entries = file.read_row_group(group, ["entry"])["entry"].to_pylist()
            if entry in entries:
                table = file.read_row_group(group)
                for index, other in enumerate(entries):
                    if other == entry:
                        rows += table.slice(index, 1).to_pylist()
    return rows


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    # not pq.read_table: it imports pandas, which takes a second
    try:
        with pq.ParquetFile(path, pre_buffer=True) as file:
            check_schema(path, int((file.schema_arrow.metadata or {}).get(b"softmode_schema", 1)))
            yield file
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (KeyError, TypeError, pa.ArrowException) as error:
        raise InputError(f"{path}: not a table of softmode; delete it and run again ({error})") from error
