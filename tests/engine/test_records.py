import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect

from softmode.engine.records import Failure, Record, RecordWriter, read_metadata, read_records
from softmode.errors import InputError, StorageError

METADATA = {"identity": "same", "dataset_digest": "d"}


def record(entry: str, failure: Failure | None = None) -> Record:
    atoms = bulk("NaCl", "rocksalt", a=5.64)
    if failure is None:
        stress = np.arange(6) / 100
        atoms.calc = SinglePointCalculator(atoms, energy=-6.7, forces=np.full((2, 3), 0.25), stress=stress)
    return Record(entry, atoms, {"relax_steps": 3}, {"forces": np.arange(12.0).reshape(2, 2, 3)}, failure)


def write(path: Path, entries: list[str], metadata: dict = METADATA) -> None:
    with RecordWriter(path, metadata) as writer:
        writer.write([record(entry) for entry in entries])


def test_record_is_read_back_with_every_bit(tmp_path: Path) -> None:
    path = tmp_path / "0.db"
    write(path, ["mp-1"])
    (found,) = read_records(path)
    assert found.entry == "mp-1" and found.failure is None and found.values["relax_steps"] == 3
    assert found.atoms.get_potential_energy() == -6.7
    assert (found.atoms.positions == record("x").atoms.positions).all()
    assert (found.arrays["forces"] == record("x").arrays["forces"]).all()
    assert read_metadata(path)["dataset_digest"] == "d"


def test_failure_is_stored_with_stage_kind_and_message(tmp_path: Path) -> None:
    failure = Failure("relax", "not_converged", "largest force 3 eV/Å")
    with RecordWriter(tmp_path / "0.db", METADATA) as writer:
        writer.write([record("mp-1", failure)])
    (found,) = read_records(tmp_path / "0.db")
    assert found.failure == failure
    # searchable with ASE's own tools
    assert connect(tmp_path / "0.db").count(status="failed", failed_kind="not_converged") == 1


def test_output_appears_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "0.db"
    with pytest.raises(KeyboardInterrupt), RecordWriter(path, METADATA) as writer:
        writer.write([record("mp-1")])
        raise KeyboardInterrupt
    assert not path.exists()
    assert (tmp_path / "0.db.partial").exists()


def test_interrupted_output_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "0.db"
    with pytest.raises(KeyboardInterrupt), RecordWriter(path, METADATA) as writer:
        writer.write([record("mp-1")])
        raise KeyboardInterrupt
    with RecordWriter(path, METADATA) as writer:
        assert writer.done == {"mp-1"}
        writer.write([record("mp-2")])
    assert [found.entry for found in read_records(path)] == ["mp-1", "mp-2"]
    assert not (tmp_path / "0.db.partial").exists()


@pytest.mark.parametrize("content", [None, b"this is no database"])
def test_partial_of_other_settings_or_damaged_is_set_aside(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture
) -> None:
    path, partial = tmp_path / "0.db", tmp_path / "0.db.partial"
    if content is None:
        with pytest.raises(KeyboardInterrupt), RecordWriter(path, METADATA | {"identity": "other"}) as writer:
            writer.write([record("mp-1")])
            raise KeyboardInterrupt
    else:
        partial.write_bytes(content)
    with RecordWriter(path, METADATA) as writer:
        assert writer.done == set()
        writer.write([record("mp-2")])
    assert [found.entry for found in read_records(path)] == ["mp-2"]
    assert (tmp_path / "0.db.partial.set-aside").exists()
    assert "is now" in capsys.readouterr().out


def test_records_come_in_the_order_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "0.db"
    write(path, ["mp-1", "mp-2", "mp-3"])
    assert [found.entry for found in read_records(path, ["mp-3", "mp-1"])] == ["mp-3", "mp-1"]


def test_missing_and_double_records_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "0.db"
    write(path, ["mp-1", "mp-1"])
    with pytest.raises(InputError, match="mp-1 has more than one record"):
        list(read_records(path))
    write(path, ["mp-1"])
    with pytest.raises(InputError, match="no record of entry mp-9"):
        list(read_records(path, ["mp-9"]))
    with pytest.raises(InputError, match="no such file"):
        list(read_records(tmp_path / "nowhere.db"))


def test_empty_shard_makes_an_empty_output(tmp_path: Path) -> None:
    write(tmp_path / "0.db", [])
    assert list(read_records(tmp_path / "0.db")) == []
    assert read_metadata(tmp_path / "0.db")["identity"] == "same"


def test_periodic_atoms_stay_periodic(tmp_path: Path) -> None:
    with RecordWriter(tmp_path / "0.db", METADATA) as writer:
        writer.write([Record("mp-1", Atoms("He", cell=[3, 4, 5], pbc=True))])
    (found,) = read_records(tmp_path / "0.db")
    assert found.atoms.pbc.all() and found.atoms.cell.lengths().tolist() == [3, 4, 5]


def test_second_writer_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "0.db"
    with RecordWriter(path, METADATA) as writer:
        writer.write([record("mp-1")])
        before = writer.partial.read_bytes()
        with (
            pytest.raises(InputError, match="is being written by"),
            RecordWriter(path, METADATA | {"identity": "other"}),
        ):
            pass
        assert writer.partial.read_bytes() == before
        writer.write([record("mp-2")])
    assert [found.entry for found in read_records(path)] == ["mp-1", "mp-2"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("replaced", [False, True])
def test_partial_that_is_deleted_meanwhile_ends_the_job_instead_of_an_output_with_half_the_records(
    tmp_path: Path, replaced: bool
) -> None:
    path = tmp_path / "0.db"
    with pytest.raises(StorageError, match=r"0\.db\.partial"), RecordWriter(path, METADATA) as writer:
        writer.write([record("mp-1")])
        content = writer.partial.read_bytes()
        writer.partial.rename(tmp_path / "elsewhere")
        if replaced:
            writer.partial.write_bytes(content)
        writer.write([record("mp-2")])
    assert not path.exists()


def test_folder_that_vanishes_ends_the_job_with_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "relaxed"
    told = (
        rf"{folder}/0\.db\.partial: cannot be written: No such file or directory .*{folder}: No such file or directory"
    )
    with pytest.raises(StorageError, match=told), RecordWriter(folder / "0.db", METADATA) as writer:
        writer.write([record("mp-1")])
        shutil.rmtree(folder)
        writer.write([record("mp-2")])


def test_partial_that_is_locked_is_not_taken_for_a_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "0.db"
    with pytest.raises(KeyboardInterrupt), RecordWriter(path, METADATA) as writer:
        writer.write([record("mp-1")])
        raise KeyboardInterrupt
    monkeypatch.setattr("ase.db.sqlite.SQLite3Database._connect", lambda self: connect_at_once(self.filename))
    with closing(connect_at_once(writer.partial)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="database is locked"), RecordWriter(path, METADATA):
            pass
    with RecordWriter(path, METADATA) as writer:
        assert writer.done == {"mp-1"}


def connect_at_once(path: Path) -> sqlite3.Connection:
    """ASE waits for 20 s."""
    return sqlite3.connect(path, timeout=0)


def test_writing_that_begins_anew_continues_nothing(tmp_path: Path) -> None:
    path = tmp_path / "0.db"
    with pytest.raises(KeyboardInterrupt), RecordWriter(path, METADATA) as writer:
        writer.write([record("mp-1")])
        raise KeyboardInterrupt
    with RecordWriter(path, METADATA, anew=True) as writer:
        assert writer.done == set()
        writer.write([record("mp-2")])
    assert [found.entry for found in read_records(path)] == ["mp-2"]
