import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ase import Atoms
from ase.db.core import T2000, YEAR

from softmode.engine import snapshot
from softmode.engine.records import Failure, Record, RecordWriter, open_database
from softmode.engine.snapshot import read_snapshot
from softmode.errors import InputError

METADATA = {"identity": "same", "written": "2026-11-21T00:00:00+00:00"}

WRITER = """
import sys
from pathlib import Path
from ase import Atoms
from ase.db.core import T2000, YEAR
from softmode.engine.records import Record, RecordWriter

with RecordWriter(Path(sys.argv[1]), {"identity": "same"}) as writer:
    for number in range(60):
        if number == 30:
            sys.stdin.read()  # until the reader has seen some, however fast this machine writes
        writer.write([Record(f"mp-{number}", Atoms("He"), {"relax_seconds": 0.5}, {"forces": [0.0] * 2000})])
"""


def write(path: Path, *records: Record) -> Path:
    with RecordWriter(path, METADATA) as writer:
        writer.write(records)
    return path


def test_values_failures_and_times_are_those_of_the_records(tmp_path: Path) -> None:
    failure = Failure("relax", "not_converged", "x")
    values = {"relax_steps": 3, "relax_seconds": 0.25}
    path = write(tmp_path / "0.db", Record("mp-1", Atoms("He"), values), Record("mp-2", Atoms("He"), failure=failure))
    found = read_snapshot(path)
    assert found.metadata == METADATA
    assert [record.entry for record in found.records] == ["mp-1", "mp-2"]
    assert found.records[0].values == {"status": "done"} | values
    assert found.records[0].failure is None
    assert found.records[1].failure == ("relax", "not_converged")
    assert found.records[0].written == pytest.approx(time.time(), abs=60)
    assert read_snapshot(path, ["relax_steps"]).records[0].values == {"status": "done", "relax_steps": 3}


def test_clock_of_the_rows_is_that_of_ase() -> None:
    assert (snapshot._YEAR_2000_s, snapshot._YEAR_s) == (T2000, YEAR)


def test_writer_that_holds_its_lock_does_not_keep_a_reader_waiting(tmp_path: Path) -> None:
    path = write(tmp_path / "0.db", Record("mp-1", Atoms("He")))
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    # who asks for the lock does not get it
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        sqlite3.connect(path, timeout=0).execute("SELECT * FROM systems")
    assert len(read_snapshot(path).records) == 1
    writer.close()


def test_partial_is_read_again_and_again_while_another_process_writes_it(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    partial = tmp_path / "0.db.partial"
    command = [sys.executable, "-c", WRITER, str(output)]
    counts = []
    deadline = time.monotonic() + 60
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            try:
                counts.append(len(read_snapshot(partial).records))
            except FileNotFoundError:  # not there yet, or just renamed
                time.sleep(0.01)
            if process.stdin and (counts[-1:] > [0] or time.monotonic() > deadline):
                process.stdin.close()
        assert process.returncode == 0, process.stderr.read() if process.stderr else ""
    assert len(read_snapshot(output).records) == 60
    assert counts == sorted(counts)
    assert any(0 < count < 60 for count in counts)


def test_database_that_was_just_begun_is_empty(tmp_path: Path) -> None:
    (tmp_path / "0.db.partial").touch()
    assert read_snapshot(tmp_path / "0.db.partial").records == []


@pytest.mark.parametrize("damage", ["text", "cut short", "metadata"])
def test_damaged_database_is_named(tmp_path: Path, damage: str) -> None:
    records = [Record(f"mp-{i}", Atoms("He"), arrays={"forces": [0.0] * 2000}) for i in range(20)]
    path = write(tmp_path / "0.db", *records)
    if damage == "text":
        path.write_text("this is no database, but it is long enough to have a header of one", encoding="utf-8")
    elif damage == "cut short":
        path.write_bytes(path.read_bytes()[:8192])
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE information SET value = ? WHERE name = 'metadata'", (json.dumps(METADATA)[:9],))
    with pytest.raises(InputError, match=r"0.db: damaged, or no database of records"):
        read_snapshot(path, check=True)


def test_renamed_file_is_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_snapshot(tmp_path / "0.db.partial")


def test_reading_leaves_no_file_behind(tmp_path: Path) -> None:
    path = write(tmp_path / "0.db", Record("mp-1", Atoms("He")))
    before = path.read_bytes()
    read_snapshot(path, check=True)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    assert open_database(path).count() == 1
