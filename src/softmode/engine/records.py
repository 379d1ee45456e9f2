"""What a stage stores for each entry: an ASE database that survives the death of its writer.

A stage writes `<output>.partial`, one transaction for each record, and renames it at the end. A job that was killed
loses what was in flight and goes on from there. `ase db` and `ase gui` open the files.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ase import Atoms
from ase.db import connect
from ase.db.sqlite import SQLite3Database

from softmode.engine.interruption import ignore_signals
from softmode.engine.outputs import only_writer, partial_of, storage
from softmode.engine.schema import check_schema
from softmode.errors import InputError, StorageError


@dataclass(frozen=True)
class Failure:
    """Why there is no result.

    Attributes:
        stage: the stage that failed (a later stage passes it on)
        kind: one word for tables, such as `not_converged`
        message: for a person
    """

    stage: str
    kind: str
    message: str

    @property
    def columns(self) -> dict[str, str]:
        """What a row of a table has of it."""
        return {
            "status": "failed",
            "failed_stage": self.stage,
            "failed_kind": self.kind,
            "message": self.message,
        }


@dataclass(frozen=True)
class Record:
    """What one stage has for one entry.

    Attributes:
        entry: the entry's id
        atoms: the structure, with energy, forces and stress as the calculator's results where there are any
        values: numbers and short texts, searchable with `ase db`
        arrays: everything larger
        failure: None if there is a result
    """

    entry: str
    atoms: Atoms
    values: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


def open_database(path: Path) -> SQLite3Database:
    """Open an ASE SQLite database whatever its suffix; no lock file, which a killed job would leave behind."""
    database: SQLite3Database = connect(path, type="db", use_lock_file=False)
    return database


class RecordWriter:
    """Writes the records of one output; a context that renames the partial file when it ends without an error.

    Args:
        output: the database to make; nobody else may write it meanwhile
        metadata: provenance, stored in the database; its `identity` says what a record depends on. A partial file with
            another identity is set aside, never continued.
        anew: whether to begin again in any case

    Attributes:
        done: entries that have a record
        continued: whether there was a partial to go on from

    Raises:
        InputError: another process writes the output.
        StorageError: it cannot be written; what was stored before stays in the partial.
    """

    def __init__(self, output: Path, metadata: Mapping[str, Any], *, anew: bool = False) -> None:
        self.output = output
        self.partial = partial_of(output)
        self.metadata = dict(metadata)
        self.done: set[str] = set()
        self.continued = False
        self._anew = anew

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(only_writer(self.output))
            with storage(self.partial):
                if self._anew:
                    self.partial.unlink(missing_ok=True)
                if self.partial.exists():
                    self._continue_or_set_aside()
                self.database = open_database(self.partial)
                self.database.metadata = self.metadata
                self._inode = self.partial.stat().st_ino
            self._lock = stack.pop_all()
        return self

    def _continue_or_set_aside(self) -> None:
        if self._stored_identity() == self.metadata["identity"]:
            self.done = set(row_numbers(self.partial))
            self.continued = True
            print(f"going on with {self.partial}: {len(self.done)} entries are done")
            return
        aside = self.partial.with_name(self.partial.name + ".set-aside")
        self.partial.replace(aside)
        # SQLite's note of a transaction that was cut short belongs to that file, not to the next one of its name
        journal = self.partial.with_name(self.partial.name + "-journal")
        if journal.exists():
            journal.replace(aside.with_name(aside.name + "-journal"))
        print(f"{self.partial} was made with other settings, potential or data; it is now {aside}")

    def _stored_identity(self) -> str | None:
        try:
            identity: str | None = open_database(self.partial).metadata.get("identity")
            return identity
        except sqlite3.OperationalError:  # locked, or not to be read: that says nothing of its content
            raise
        except Exception:  # a file cut short raises whatever SQLite makes of it; it is not ours to continue
            return None

    def write(self, records: Sequence[Record]) -> None:
        """Store records in one transaction.

        Raises:
            StorageError: they cannot be stored; none of them is.
        """
        with storage(self.partial):
            self._check_still_there()
            with self.database:
                for record in records:
                    self._write_one(record)
        self.done.update(record.entry for record in records)

    def _write_one(self, record: Record) -> None:
        values = dict(record.values) | {"entry": record.entry, "status": "failed" if record.failure else "done"}
        if record.failure:
            values |= {"failed_stage": record.failure.stage, "failed_kind": record.failure.kind}
        data = dict(record.arrays) | ({"message": record.failure.message} if record.failure else {})
        self.database.write(record.atoms, key_value_pairs=values, data=data)

    def _check_still_there(self) -> None:
        # SQLite would make a new file without a word, and what was stored before would be lost at the end
        if self.partial.stat().st_ino != self._inode:
            raise StorageError(f"{self.partial}: was replaced by another file while it was written; run again")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            if error is None:
                ignore_signals()
                with storage(self.partial):
                    self._check_still_there()
                    self.database.metadata = self.metadata
                    self.partial.replace(self.output)


def row_numbers(path: Path) -> dict[str, int]:
    """Return the database's row number of each entry, in the order of writing.

    Raises:
        InputError: an entry has more than one record.
    """
    numbers: dict[str, int] = {}
    for row in open_database(path).select(columns=["id", "key_value_pairs"]):
        if row.entry in numbers:
            raise InputError(f"{path}: entry {row.entry} has more than one record; delete the file and run again")
        numbers[row.entry] = row.id
    return numbers


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the provenance of a finished database.

    Raises:
        InputError: there is no such file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    metadata = dict(open_database(path).metadata)
    check_schema(path, metadata.get("schema"))
    return metadata


def read_records(path: Path, entries: Sequence[str] | None = None) -> Iterator[Record]:
    """Yield the records of a database one by one, all or those of `entries` in that order.

    Raises:
        InputError: there is no such file, or it has no record of an entry that was asked for.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    numbers = row_numbers(path)
    database = open_database(path)
    for entry in numbers if entries is None else entries:
        if entry not in numbers:
            raise InputError(f"{path}: no record of entry {entry}")
        row = database.get(id=numbers[entry])
        values = dict(row.key_value_pairs)
        arrays = dict(row.data)
        failure = None
        if values.pop("status", "done") == "failed":
            failure = Failure(values.pop("failed_stage"), values.pop("failed_kind"), arrays.pop("message"))
        del values["entry"]
        yield Record(entry, row.toatoms(), values, arrays, failure)
