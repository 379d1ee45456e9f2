import os
import time
from pathlib import Path

import pyarrow as pa
import pytest
from ase import Atoms

from softmode.engine.parquet import Column, write_table
from softmode.engine.records import Failure, Record, RecordWriter
from softmode.engine.shards import Assignment
from softmode.engine.snapshot import Snapshot, StoredRecord
from softmode.engine.status import ShardState, database_state, progress, table_state

# later than the records, as if they were an earlier job's
STARTED = 4102444800.0
METADATA = {"identity": "same", "written": "2100-01-01T00:00:00+00:00"}
COLUMNS = [Column(name, pa.string(), "", "") for name in ("entry", "status", "failed_stage", "failed_kind")]
COLUMNS.append(Column("phonons_seconds", pa.float64(), "s", ""))
SHARDS = {0: [Assignment("a", 0, 1.0), Assignment("b", 0, 3.0)], 1: [Assignment("c", 1, 4.0)]}


def begin(output: Path, *entries: str) -> Path:
    """Write the records of a job that is then killed; return the partial."""
    with pytest.raises(KeyboardInterrupt), RecordWriter(output, METADATA) as writer:
        writer.write([Record(entry, Atoms("He"), {"relax_seconds": 2.0}) for entry in entries])
        raise KeyboardInterrupt
    return output.with_name(output.name + ".partial")


def test_partial_that_was_written_lately_is_running_and_an_old_one_silent(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    assert database_state(output, "relax", time.time()).state == "waiting"
    partial = begin(output, "a")
    state = database_state(output, "relax", time.time())
    assert (state.state, len(state.records), state.started) == ("running", 1, STARTED)
    os.utime(partial, times=(0, STARTED + 3600))
    assert database_state(output, "relax", STARTED + 3600 + 500).state == "running"
    assert database_state(output, "relax", STARTED + 3600 + 700).state == "silent"


def test_pause_like_those_between_the_records_is_no_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = Snapshot(METADATA, [stored("a", STARTED + 1000), stored("b", STARTED + 3000)])
    monkeypatch.setattr("softmode.engine.status.read_snapshot", lambda path, keys: pauses)
    (tmp_path / "0.db.partial").touch()
    os.utime(tmp_path / "0.db.partial", times=(0, STARTED + 3000))
    assert database_state(tmp_path / "0.db", "relax", STARTED + 3000 + 5900).state == "running"
    assert database_state(tmp_path / "0.db", "relax", STARTED + 3000 + 6100).state == "silent"


def test_output_counts_once_it_is_there_whatever_older_partial_lies_beside_it(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    partial = begin(output, "a")
    kept = partial.read_bytes()
    with RecordWriter(output, METADATA) as writer:
        writer.write([Record("b", Atoms("He"))])
    partial.write_bytes(kept)
    os.utime(partial, times=(0, 0))
    state = database_state(output, "relax", time.time())
    assert state.state == "finished" and [record.entry for record in state.records] == ["a", "b"]


@pytest.mark.parametrize(("name", "state"), [("0.db", "finished"), ("0.db.partial", "silent")])
def test_damaged_file_is_named_and_counts_nothing(tmp_path: Path, name: str, state: str) -> None:
    (tmp_path / name).write_bytes(b"nothing that SQLite knows" * 50)
    found = database_state(tmp_path / "0.db", "relax", time.time())
    assert found.state == state and name in found.problem
    result = progress("x", "relax", SHARDS, {0: found, 1: ShardState("waiting")}, time.time())
    assert result.n_left == 3 and result.problems == [found.problem]


def test_table_runs_while_its_partial_is_there_and_counts_when_it_is_complete(tmp_path: Path) -> None:
    output = tmp_path / "0.parquet"
    (tmp_path / "0.parquet.partial").write_bytes(b"row groups without a footer")
    assert table_state(output, "phonons", time.time()).state == "running"
    (tmp_path / "0.parquet.partial").unlink()
    write_table(output, [{"entry": "a", "status": "done", "phonons_seconds": 1.5}], COLUMNS, {})
    state = table_state(output, "phonons", time.time())
    assert state.state == "finished" and state.records[0].values["phonons_seconds"] == 1.5
    output.write_bytes(b"PAR1 broken")
    assert "0.parquet" in table_state(output, "phonons", time.time()).problem


def stored(entry: str, written: float, **values: object) -> StoredRecord:
    return StoredRecord(entry, {"status": "done"} | values, written)


def test_end_counts_the_cost_of_what_is_left_and_rate_the_entries() -> None:
    # one entry of cost 1 in the last minute, another before this job began; cost 3 is left
    running = ShardState("running", [stored("c", 50.0), stored("a", 130.0)], started=100.0, written=130.0)
    result = progress("x", "relax", SHARDS, {0: running, 1: ShardState("waiting")}, now=160.0)
    assert (result.n_done, result.n_left, result.n_running) == (2, 1, 1)
    assert result.rate == pytest.approx(1.0)
    assert result.end == pytest.approx(160.0 + 3 * 60)


def test_rate_without_a_running_job_is_that_of_one_job() -> None:
    done = ShardState("finished", [stored("a", 0.0, relax_seconds=10.0), stored("b", 0.0, relax_seconds=20.0)])
    result = progress("x", "relax", SHARDS, {0: done, 1: ShardState("waiting")}, now=1e9)
    assert result.rate == pytest.approx(4.0) and result.end is None


def test_failures_are_counted_by_kind_and_those_passed_on_by_their_stage() -> None:
    def failed(entry: str, stage: str) -> StoredRecord:
        return StoredRecord(entry, {"status": "failed", "failed_stage": stage, "failed_kind": "not_finite"})

    state = ShardState("finished", [failed("a", "relax"), failed("b", "force_sets")])
    result = progress("x", "force_sets", SHARDS, {0: state}, now=0.0)
    assert result.failures == {"from relax": 1, "not_finite": 1}
    assert (result.n_done, result.n_failed, result.n_left) == (0, 2, 1)


def test_entries_that_are_no_longer_in_the_campaign_do_not_count() -> None:
    state = ShardState("finished", [stored("a", 0.0), stored("gone", 0.0)])
    assert progress("x", "relax", SHARDS, {0: state}, now=0.0).n_done == 1


def test_failure_kinds_come_from_the_database(tmp_path: Path) -> None:
    with RecordWriter(tmp_path / "0.db", METADATA) as writer:
        writer.write([Record("a", Atoms("He"), failure=Failure("relax", "not_converged", "x"))])
    states = {0: database_state(tmp_path / "0.db", "relax", time.time())}
    assert progress("x", "relax", SHARDS, states, time.time()).failures == {"not_converged": 1}
