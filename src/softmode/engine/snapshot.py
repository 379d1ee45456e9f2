"""What is in a database of records right now, read without any lock, while its writer may be at work.

Opening it as ASE does takes a lock for the time of each query, and a writer that commits in that moment waits; on some
network file systems locks hang. Here SQLite is told that the file does not change. As it may, a read during which it
did is made again. What a writer was killed in the middle of counts as it stands in the file.
"""

import json
import sqlite3
import time
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softmode.engine.schema import check_schema
from softmode.errors import InputError

# A read that met a writer is made again, so often and after such a pause: with less of either, `softmode status` calls
# a database damaged that is only being written.
_ATTEMPTS = 5
_PAUSE_s = 0.05
# ASE's clock for the times of rows: years of 365.25 days since 1 January 2000, here in s since 1970. They are those of
# ase.db.core, whose import takes a second; with others, rates and ends are wrong.
_YEAR_2000_s = 946681200.0
_YEAR_s = 31557600.0


@dataclass(frozen=True)
class Snapshot:
    """A database's metadata and records at one time.

    Attributes:
        metadata: provenance; empty if the writer has just begun
        records: in the order of writing; an entry may be there twice
    """

    metadata: Mapping[str, Any]
    records: "list[StoredRecord]"


@dataclass(frozen=True)
class StoredRecord:
    """The small part of a record, without structure and arrays.

    Attributes:
        entry: the entry's id; empty if the record has none
        values: numbers and short texts, `status` and the kind of a failure among them
        written: when, in s since 1970 by the writer's clock; None where the file does not say
    """

    entry: str
    values: Mapping[str, Any] = field(default_factory=dict)
    written: float | None = None

    @property
    def failure(self) -> tuple[str, str] | None:
        """Stage and kind of the failure; None if there is a result."""
        if self.values.get("status") != "failed":
            return None
        return str(self.values.get("failed_stage")), str(self.values.get("failed_kind"))


def read_snapshot(path: Path, keys: Collection[str] | None = None, *, check: bool = False) -> Snapshot:
    """Return what a database, finished or partial, holds now.

    Args:
        keys: read these values of the records only, which is faster
        check: let SQLite go through all pages of the file first

    Raises:
        FileNotFoundError: there is no such file, perhaps because it has just been renamed.
        InputError: it is damaged, or no database of records.
    """
    for attempt in range(_ATTEMPTS):
        before = path.stat()
        error: Exception | None = None
        try:
            snapshot = _read(path, keys, check)
        except (sqlite3.DatabaseError, ValueError) as caught:  # ValueError: metadata that are cut short
            error = caught
        after = path.stat()
        if error is None and (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size):
            break
        if attempt < _ATTEMPTS - 1:
            time.sleep(_PAUSE_s)
    if error:
        raise InputError(f"{path}: damaged, or no database of records ({error}); delete it and run again") from error
    return snapshot


def _read(path: Path, keys: Collection[str] | None, check: bool) -> Snapshot:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:  # the writer has just begun
            return Snapshot({}, [])
        if check:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
        stored = database.execute("SELECT value FROM information WHERE name = 'metadata'").fetchone()
        written = dict(database.execute("SELECT id, ctime FROM systems ORDER BY id"))
        values: dict[int, dict[str, Any]] = {number: {} for number in written}
        chosen = ""
        arguments: tuple[str, ...] = ()
        if keys is not None:
            arguments = ("entry", "status", "failed_stage", "failed_kind", *keys)
            chosen = f" WHERE key IN ({', '.join('?' * len(arguments))})"
        for table in ("text_key_values", "number_key_values"):
            for number, key, value in database.execute(f"SELECT id, key, value FROM {table}{chosen}", arguments):
                if number in values:
                    values[number][key] = value
    records = [
        StoredRecord(str(values[number].pop("entry", "")), values[number], _YEAR_2000_s + _YEAR_s * years)
        for number, years in written.items()
    ]
    metadata = json.loads(stored[0]) if stored else {}
    check_schema(path, metadata.get("schema"))
    return Snapshot(metadata, records)
