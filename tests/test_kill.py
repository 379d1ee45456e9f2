"""Nothing is lost, whatever ends the process of a stage: the real commands, ended in every way there is."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from softmode.engine.records import Record
from softmode.settings.protocol import Protocol
from tests.faulty import VARIABLE
from tests.shard import FAULTY, STAGES, STRAINS, GRACE_s, Shard, differences, make_shard

pytestmark = pytest.mark.slow

N_KILLS = 25
PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, loew2024: Protocol) -> Shard:
    """The shard as it is when nothing goes wrong."""
    shard = make_shard(tmp_path_factory.mktemp("finished") / "shard", loew2024)
    for stage in STAGES:
        assert shard.run(stage) == 0, shard.log
    return shard


@pytest.fixture(scope="module")
def expected(finished: Shard) -> dict[str, dict[str, Record]]:
    found = {stage: finished.records(stage) for stage in STAGES}
    assert all(record.failure is None for records in found.values() for record in records.values())
    return found


@pytest.fixture
def shard(finished: Shard, tmp_path: Path) -> Shard:
    """The same shard before the force sets, or, without its relaxations, before anything."""
    shard = Shard(Path(shutil.copytree(finished.folder, tmp_path / "shard")))
    shard.output("force-sets").unlink()
    return shard


def prepare(shard: Shard, stage: str) -> None:
    shard.output(stage).unlink(missing_ok=True)


def left_over(shard: Shard, stage: str) -> list[str]:
    """What is in the folder of the outputs besides them."""
    return sorted(path.name for path in shard.output(stage).parent.iterdir() if path != shard.output(stage))


def test_no_record_is_lost_doubled_or_changed_by_25_kills_of_each_stage(tmp_path: Path, loew2024: Protocol) -> None:
    shard = make_shard(tmp_path / "shard", loew2024, STRAINS)
    for stage in STAGES:
        started = time.monotonic()
        assert shard.run(stage) == 0
        duration = time.monotonic() - started
        expected = shard.records(stage)
        assert not any(record.failure for record in expected.values())
        prepare(shard, stage)
        kill_and_resume(shard, stage, expected, duration)


def kill_and_resume(shard: Shard, stage: str, expected: dict[str, Record], duration: float) -> None:
    moments = random.Random(2024)
    n_kills = n_records = n_runs = 0
    while n_kills < N_KILLS:
        process = shard.start(stage)
        if shard.begun(stage, process.is_alive):
            process.join(moments.uniform(0, duration / 20))
        if process.is_alive():
            process.kill()
            n_kills += 1
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL), shard.log
        if process.exitcode == 0:  # quicker than the kills: once more from the start
            assert not differences(shard.records(stage), expected)
            prepare(shard, stage)
            n_records = 0
            n_runs += 1
        elif "going on with" in shard.log:
            n_before = int(shard.log.split("entries are done")[0].split()[-1])
            assert n_before >= n_records, "records were lost"
            n_records = n_before
    assert n_runs < 3
    assert shard.run(stage) == 0, shard.log
    assert not differences(shard.records(stage), expected)
    assert left_over(shard, stage) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stage", STAGES)
def test_order_to_stop_ends_the_command_at_once_with_its_work_kept(
    shard: Shard, expected: dict[str, dict[str, Record]], stage: str, number: signal.Signals
) -> None:
    prepare(shard, stage)
    # as a person or a scheduler starts it: tests in the background of a script would pass on that SIGINT is ignored
    command = ["env", "--default-signal", sys.executable, "-m", "softmode", *shard.arguments(stage)]
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}", VARIABLE: "slow:Pt"}
    process = subprocess.Popen(command, cwd=shard.folder, env=environment, text=True, stderr=subprocess.PIPE)
    assert shard.begun(stage, lambda: process.poll() is None, n_taken=7)
    process.send_signal(number)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 128 + number, errors
    assert f"stopped by {number.name}" in errors and "entries are done and kept in" in errors
    # after the pass at hand, and not because the time was up
    assert "Traceback" not in errors and "did not end within" not in errors
    # nobody is suspected
    assert left_over(shard, stage) == ["0.db.partial"] and not shard.output(stage).exists()
    assert shard.run(stage) == 0
    assert "going on with" in shard.log and "in flight when the process died" not in shard.log
    assert not differences(shard.records(stage), expected[stage])


def test_order_to_stop_in_a_call_that_does_not_end_is_obeyed_and_suspects_nobody(
    shard: Shard, expected: dict[str, dict[str, Record]]
) -> None:
    prepare(shard, "relax")
    process = shard.start("relax", "stuck:Pt")
    assert shard.begun("relax", process.is_alive, n_taken=6)
    time.sleep(3)
    process.terminate()
    process.join(30)
    assert process.exitcode == 128 + signal.SIGTERM
    assert f"stopped by SIGTERM: what runs did not end within {GRACE_s:g} s" in shard.log
    assert "of 13 entries are done and kept in" in shard.log
    assert shard.run("relax") == 0
    assert "in flight when the process died" not in shard.log
    assert not differences(shard.records("relax"), expected["relax"])


@pytest.mark.parametrize(
    ("fault", "n_deaths", "told"),
    [("abort", 2, "(Aborted)"), ("killed", 4, "(killed without a trace, as by the out-of-memory killer)")],
)
@pytest.mark.parametrize("stage", STAGES)
def test_structure_that_kills_its_process_is_fenced_off_and_all_others_finish(
    shard: Shard, expected: dict[str, dict[str, Record]], stage: str, fault: str, n_deaths: int, told: str
) -> None:
    prepare(shard, stage)
    for _ in range(n_deaths):
        assert shard.run(stage, f"{fault}:Pt") in (-signal.SIGABRT, -signal.SIGKILL)
    assert shard.run(stage, f"{fault}:Pt") == 0, shard.log
    found = shard.records(stage)
    failure = found[FAULTY].failure
    assert failure is not None
    assert (failure.stage, failure.kind) == (stage.replace("-", "_"), "crash")
    assert f"the process died {n_deaths} times with this entry in flight" in failure.message and told in failure.message
    assert "retry-failed" in failure.message
    assert found[FAULTY].values[f"{failure.stage}_seconds"] >= 0
    assert differences(found, expected[stage]) == [FAULTY]
    assert left_over(shard, stage) == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("raise", "crash"),
        ("exit", "crash"),
        ("memory", "out_of_memory"),
        ("energy", "not_finite"),
        ("forces", "not_finite"),
        ("stress", "not_finite"),
        ("slow", None),
    ],
)
@pytest.mark.parametrize("stage", STAGES)
def test_structure_at_fault_fails_alone_and_all_others_are_as_without_it(
    shard: Shard, expected: dict[str, dict[str, Record]], stage: str, fault: str, kind: str | None
) -> None:
    if fault == "stress" and stage == "force-sets":  # which asks for none
        kind = None
    prepare(shard, stage)
    assert shard.run(stage, f"{fault}:Pt") == 0, shard.log
    found = shard.records(stage)
    assert differences(found, expected[stage]) == ([FAULTY] if kind else [])
    failure = found[FAULTY].failure
    assert (failure.kind if failure else None) == kind
    if failure:
        assert failure.stage == stage.replace("-", "_") and len(failure.message) > 10
        assert found[FAULTY].values[f"{failure.stage}_seconds"] > 0


@pytest.mark.parametrize("stage", STAGES)
def test_second_writer_names_the_first_and_leaves_its_work_alone(
    shard: Shard, expected: dict[str, dict[str, Record]], stage: str
) -> None:
    prepare(shard, stage)
    first = shard.start(stage, "slow:Pt")
    assert shard.begun(stage, first.is_alive)
    assert shard.run(stage) == 2
    log = shard.log
    first.join()
    assert first.exitcode == 0
    host = os.uname().nodename
    assert f"{shard.output(stage).relative_to(shard.folder)}: is being written by process {first.pid} on {host}" in log
    assert "Traceback" not in log
    assert not differences(shard.records(stage), expected[stage])
    assert left_over(shard, stage) == []


@pytest.mark.parametrize("stage", STAGES)
def test_full_disk_is_one_line_and_the_work_goes_on_when_there_is_room(
    finished: Shard, shard: Shard, expected: dict[str, dict[str, Record]], stage: str
) -> None:
    """A limit on the size of files stands in for the disk: every write beyond it fails."""
    size = finished.output(stage).stat().st_size
    prepare(shard, stage)
    assert shard.run(stage, largest_file=size * 9 // 10) == 2
    (line,) = (line for line in shard.log.splitlines() if line.startswith("softmode"))
    assert line.startswith(
        f"softmode stage {stage}: {shard.output(stage).relative_to(shard.folder)}.partial: cannot be written"
    )
    assert line.endswith("MB free") and "Traceback" not in shard.log
    assert shard.run(stage) == 0, shard.log
    assert "going on with" in shard.log
    assert int(shard.log.split(" entries are done")[0].split()[-1]) > 0
    assert not differences(shard.records(stage), expected[stage])
