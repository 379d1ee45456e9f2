import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from ase import Atoms

from softmode.engine.in_flight import InFlight, Suspect
from softmode.engine.records import Record, RecordWriter
from softmode.errors import DeviceLost, StorageError

IDS = ["a", "b", "c", "d"]


def job(
    output: Path, *, taken: Sequence[str] = (), stored: Sequence[str] = (), ends_with: BaseException | None = None
) -> list[list[str]]:
    """Begin as a job does, take up and store entries, and end in some way; return the turns."""
    with RecordWriter(output, {"identity": "x"}) as writer, InFlight(writer) as in_flight:
        turns = list(in_flight.turns([entry for entry in IDS if entry not in writer.done]))
        list(in_flight.watched(taken, iter(taken)))
        writer.write([Record(entry, Atoms("He")) for entry in stored])
        if ends_with:
            raise ends_with
    return turns


def die(output: Path, taken: Sequence[str], stored: Sequence[str] = (), trace: str = "") -> None:
    """The same for a job that is killed: nothing is tidied up."""
    journal = output.with_name(output.name + ".in-flight")
    identity = {"identity": "x"}
    with RecordWriter(output, identity) as writer, pytest.raises(KeyboardInterrupt), InFlight(writer) as in_flight:
        list(in_flight.watched(taken, iter(taken)))
        writer.write([Record(entry, Atoms("He")) for entry in stored])
        content = journal.read_text(encoding="utf-8") + trace
        raise KeyboardInterrupt
    output.replace(output.with_name(output.name + ".partial"))
    journal.write_text(content, encoding="utf-8")


def suspects(output: Path) -> dict[str, Suspect]:
    identity = {"identity": "x"}
    with pytest.raises(KeyboardInterrupt), RecordWriter(output, identity) as writer, InFlight(writer) as in_flight:
        raise KeyboardInterrupt
    return in_flight.suspects


def turns(output: Path, ids: Sequence[str]) -> list[list[str]]:
    identity = {"identity": "x"}
    with pytest.raises(KeyboardInterrupt), RecordWriter(output, identity) as writer, InFlight(writer) as in_flight:
        groups = list(in_flight.turns(ids))
        raise KeyboardInterrupt
    return groups


def test_what_was_in_flight_at_a_death_runs_alone_after_all_others(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    output = tmp_path / "0.db"
    die(output, ["a", "b", "c"], stored=["b"])
    assert job(output, ends_with=None) == [["d"], ["a"], ["c"]]
    assert "the job before died (without a trace) with 2 entries in flight: a, c" in capsys.readouterr().out


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StorageError("full"), ValueError("a mistake"), SystemExit(1)])
def test_orderly_end_suspects_nobody(tmp_path: Path, error: BaseException) -> None:
    output = tmp_path / "0.db"
    with pytest.raises(type(error)):
        job(output, taken=["a", "b"], ends_with=error)
    assert not output.with_name("0.db.in-flight").exists()
    assert suspects(output) == {}


def test_suspicion_outlives_an_orderly_end(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    die(output, ["a", "b"])
    with pytest.raises(KeyboardInterrupt):
        job(output, taken=["c", "d"], stored=["c"], ends_with=KeyboardInterrupt())
    assert {entry: suspect.deaths for entry, suspect in suspects(output).items()} == {"a": 1, "b": 1}


def test_two_deaths_that_left_a_trace_condemn_and_the_trace_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    output = tmp_path / "0.db"
    trace = 'Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  File "x.py"\n'
    die(output, ["a", "b"], trace=trace)
    assert not any(suspect.condemned for suspect in suspects(output).values())
    die(output, ["b"], trace=trace)
    capsys.readouterr()
    found = suspects(output)
    assert [entry for entry in found if found[entry].condemned] == ["b"]
    assert (
        'Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  File "x.py"' in capsys.readouterr().out
    )
    assert "died 2 times with this entry in flight, at last with no other (Segmentation fault)" in found["b"].message
    # and stays condemned if this job dies before it has stored so
    assert [entry for entry in suspects(output) if suspects(output)[entry].condemned] == ["b"]


def test_kills_that_leave_no_trace_condemn_only_at_the_fourth_death(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    for n_deaths in (1, 2, 3, 4):
        die(output, ["a"])
        assert suspects(output)["a"].deaths == n_deaths
        assert suspects(output)["a"].condemned == (n_deaths == 4)


def test_many_suspects_run_in_small_groups_and_alone_only_if_they_die_again(tmp_path: Path) -> None:
    output, ids = tmp_path / "0.db", [f"mp-{i}" for i in range(100)]
    die(output, ids)
    others, *groups = turns(output, [*ids, "other"])
    assert others == ["other"] and [len(group) for group in groups] == [4] * 25
    die(output, groups[0], trace="Fatal Python error: Aborted\n")
    _, *groups = turns(output, ids)
    assert [len(group) for group in groups] == [3] * 32 + [1] * 4
    # a second death, but in company
    assert not any(suspect.condemned for suspect in suspects(output).values())


def test_kill_after_a_crash_in_company_does_not_condemn(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    die(output, ["a", "b"], trace="Fatal Python error: Aborted\n")
    die(output, ["a"])
    assert not suspects(output)["a"].condemned


def test_lost_gpu_counts_as_a_death_with_a_trace(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    for _ in range(2):
        with pytest.raises(DeviceLost):
            job(output, taken=["a"], ends_with=DeviceLost("the GPU was lost: device-side assert triggered"))
    assert suspects(output)["a"].condemned
    assert "device-side assert" in suspects(output)["a"].message


def test_line_that_was_cut_short_accuses_nobody(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    die(output, ["a"], trace=json.dumps({"taken": "b", "time": 0.0})[:-5])
    assert list(suspects(output)) == ["a"]


def test_journal_without_its_partial_tells_of_other_work(tmp_path: Path) -> None:
    output = tmp_path / "0.db"
    die(output, ["a"])
    (tmp_path / "0.db.partial").unlink()
    assert suspects(output) == {}
