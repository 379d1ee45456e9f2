import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from softmode.campaign_folder import CampaignFolder
from softmode.cli import main
from softmode.engine.records import Record, RecordWriter, read_metadata, read_records
from softmode.present.status_text import campaign_status
from softmode.settings.protocol import Protocol
from tests.small_campaign import POTENTIAL, make_data, make_settings


def lines(folder: Path) -> list[str]:
    return campaign_status(CampaignFolder(folder), time.time(), terminal=False).splitlines()


def line(folder: Path, start: str) -> str:
    return next(line for line in lines(folder) if line.startswith(start))


def test_finished_campaign_has_all_records_and_its_failures(
    finished_campaign: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["status", str(finished_campaign)]) == 0
    text = capsys.readouterr().out
    assert "\033" not in text and "█" not in text
    assert f"{finished_campaign}: 2 entries in 2 shards" in text
    assert f"{POTENTIAL} relax: 1 of 2 done, 1 failed (unknown_element 1), 0 left, " in text
    assert f"{POTENTIAL} force_sets: 1 of 2 done, 1 failed (from relax 1), 0 left, " in text
    assert "reference phonons: 2 of 2 done, 0 failed, 0 left, " in text
    assert "8 of 8 records, 3 of them failures" in text


def test_terminal_gets_a_table_with_a_bar_for_each_row(finished_campaign: Path) -> None:
    (finished_campaign / "relax" / POTENTIAL / "0.db").unlink()
    table = campaign_status(CampaignFolder(finished_campaign), time.time(), terminal=True).splitlines()
    assert [line.split()[:2] for line in table[2:6]] == [
        ["reference", "phonons"], [POTENTIAL, "relax"], [POTENTIAL, "force_sets"], [POTENTIAL, "phonons"],
    ]  # fmt: skip
    assert "████████░░░░░░░░   0/2       1     1" in table[3]


def test_job_at_work_has_a_rate_and_an_end(finished_campaign: Path) -> None:
    output = finished_campaign / "relax" / POTENTIAL / "0.db"
    (record,) = read_records(output)
    metadata = read_metadata(output)
    output.unlink()
    with pytest.raises(KeyboardInterrupt), RecordWriter(output, metadata) as writer:
        raise KeyboardInterrupt
    assert "0 of 2 done, 1 failed (unknown_element 1), 1 left, 1 shard running" in line(finished_campaign, POTENTIAL)
    with pytest.raises(KeyboardInterrupt), RecordWriter(output, metadata) as writer:
        writer.write([Record(record.entry, record.atoms, record.values)])
        raise KeyboardInterrupt
    found = line(finished_campaign, POTENTIAL)
    assert "1 shard running" in found and "entries per minute, end 20" in found
    os.utime(output.with_name("0.db.partial"), times=(0, time.time() - 7200))
    assert "1 shard silent for 120 h" not in line(finished_campaign, POTENTIAL)
    assert "1 shard silent for 2 h" in line(finished_campaign, POTENTIAL)


WRITER = """
import sys, time
from pathlib import Path
from ase import Atoms
from softmode.engine.records import Record, RecordWriter

with RecordWriter(Path(sys.argv[1]), {"identity": "same", "written": "2026-11-21T00:00:00+00:00"}) as writer:
    for entry in ("NaCl-rocksalt", *(f"mp-{number}" for number in range(100))):
        if entry == "mp-50":
            sys.stdin.read()  # until somebody has seen it at work, however busy this machine is
        writer.write([Record(entry, Atoms("He"), {"relax_seconds": 0.5}, {"forces": [0.0] * 2000})])
        time.sleep(0.005)
"""


@pytest.mark.slow
def test_asking_again_and_again_disturbs_no_job_at_work(finished_campaign: Path, capsys: pytest.CaptureFixture) -> None:
    output = finished_campaign / "relax" / POTENTIAL / "0.db"
    output.unlink()
    seen = set()
    command, pipe = [sys.executable, "-c", WRITER, str(output)], subprocess.PIPE
    deadline = time.monotonic() + 60
    with subprocess.Popen(command, stdin=pipe, stderr=pipe, text=True) as process:
        while process.poll() is None:
            if process.stdin and (True in seen or time.monotonic() > deadline):
                process.stdin.close()
            assert main(["status", str(finished_campaign)]) == 0
            text = capsys.readouterr().out
            assert "damaged" not in text
            seen.add("1 shard running" in text)
        assert process.returncode == 0, process.stderr.read() if process.stderr else ""
    assert True in seen
    assert f"{POTENTIAL} relax: 1 of 2 done, 1 failed" in "\n".join(lines(finished_campaign))


def test_damaged_file_is_named_and_the_rest_is_counted(finished_campaign: Path) -> None:
    damaged = finished_campaign / "force_sets" / POTENTIAL / "1.db"
    damaged.write_bytes(b"x" * 5000)
    found = lines(finished_campaign)
    assert any(line.startswith(f"{POTENTIAL} force_sets: {damaged}: damaged") for line in found)
    assert f"{POTENTIAL} force_sets: 1 of 2 done, 0 failed, 1 left" in line(
        finished_campaign, f"{POTENTIAL} force_sets"
    )
    assert "7 of 8 records" in "\n".join(found)


def test_campaign_that_has_not_started_says_so(tmp_path: Path, demo_folder: Path, loew2024: Protocol) -> None:
    assert lines(tmp_path) == [
        f"{tmp_path}: nothing to show yet: {tmp_path / 'index.csv'}: no such file; "
        "make it with 'softmode dataset', or run the campaign"
    ]
    make_data(tmp_path, demo_folder)
    shutil.copy(tmp_path / "entries.db", tmp_path / "entries.db.partial")
    (tmp_path / "index.csv").rename(tmp_path / "index.csv.later")
    assert lines(tmp_path)[0].endswith("or run the campaign; 2 entries read so far")
    (tmp_path / "index.csv.later").rename(tmp_path / "index.csv")
    assert "no potential yet: settings/ has none" in lines(tmp_path)
    make_settings(tmp_path, loew2024)
    assert line(tmp_path, f"{POTENTIAL} relax") == f"{POTENTIAL} relax: 0 of 2 done, 0 failed, 2 left"
    (tmp_path / "settings" / "presentation.yaml").unlink()
    assert line(tmp_path, f"{POTENTIAL} relax") == f"{POTENTIAL} relax: 0 of 2 done, 0 failed, 2 left"


def test_folder_that_is_not_there_is_a_mistake_of_the_input(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["status", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: no such folder; a campaign's is results/<campaign>" in capsys.readouterr().err


def test_entry_that_may_have_ended_its_process_is_named(finished_campaign: Path) -> None:
    output = finished_campaign / "relax" / POTENTIAL / "0.db"
    before = lines(finished_campaign)
    output.with_name("0.db.lock").touch()
    journal = output.with_name("0.db.in-flight")
    suspect = {"suspect": "mp-1", "deaths": 2, "alone": 1, "trace": "", "seconds": 1.0}
    journal.write_text(json.dumps(suspect) + '\n{"taken": "mp-2", "time": 0.0}\n{"tak', encoding="utf-8")
    assert lines(finished_campaign) == [
        *before,
        f"{POTENTIAL} relax: entry mp-1 was in flight when its process died (2x); it runs after all others",
    ]
