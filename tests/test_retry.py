"""Failures are computed again, and nothing else is."""

import time
from pathlib import Path

import pytest

from softmode.campaign_folder import CampaignFolder
from softmode.cli import main
from softmode.engine.outputs import only_writer
from softmode.engine.records import read_records
from softmode.engine.status import database_state
from tests.small_campaign import POTENTIAL, run

NACL, SILICON = "NaCl-rocksalt", "Si-diamond"


@pytest.fixture
def databases(finished_campaign: Path) -> dict[str, Path]:
    """The two databases of silicon, of which Lennard-Jones knows nothing."""
    campaign = CampaignFolder(finished_campaign)
    (shard,) = (shard for shard, rows in campaign.shards().items() if rows[0].entry == SILICON)
    return {name: campaign.output(POTENTIAL, campaign.stage(name), shard) for name in ("relax", "force_sets")}


def partial(output: Path) -> Path:
    return output.with_name(output.name + ".partial")


def test_failures_are_taken_out_of_the_stage_and_of_the_one_that_follows(
    finished_campaign: Path, databases: dict[str, Path], capsys: pytest.CaptureFixture
) -> None:
    before = {path: path.read_bytes() for path in finished_campaign.rglob("*.*") if path.is_file()}
    run("retry-failed", finished_campaign, "--kind", "unknown_element", "out_of_memory")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{databases['force_sets']}: 1 records will be made again",
        f"{databases['relax']}: 1 records will be made again",
        "2 failures are forgotten; run snakemake again as before",
    ]
    for path in databases.values():
        assert not path.exists() and list(read_records(partial(path))) == []
        del before[path]
    assert {path: path.read_bytes() for path in before} == before


def test_partial_is_continued_and_does_not_seem_to_be_written_by_a_job(
    finished_campaign: Path, databases: dict[str, Path], capsys: pytest.CaptureFixture
) -> None:
    hours_later = time.time() + 3 * 3600
    run("retry-failed", finished_campaign, "--kind", "all", "--potential", POTENTIAL)
    assert database_state(databases["relax"], "relax", hours_later).state == "silent"
    settings = finished_campaign / "settings"
    shares = ["--shards", finished_campaign / "shards.csv", "--shard", databases["relax"].stem]
    inputs = ["--entries", finished_campaign / "entries.db", *shares, "--device", "cpu"]
    inputs += ["--potential", settings / "potentials" / f"{POTENTIAL}.yaml", "--protocol", settings / "relax.yaml"]
    run("stage", "relax", *inputs, "--output", databases["relax"])
    assert "going on with" in capsys.readouterr().out
    (record,) = read_records(databases["relax"])
    assert record.failure and record.failure.kind == "unknown_element"


@pytest.mark.parametrize("choice", [["--kind", "crash"], ["--kind", "all", "--stage", "force_sets"]])
def test_other_failures_stay(finished_campaign: Path, databases: dict[str, Path], choice: list[str]) -> None:
    run("retry-failed", finished_campaign, *choice)
    assert all(path.exists() for path in databases.values())


def test_database_that_a_job_writes_is_left_alone(
    finished_campaign: Path, databases: dict[str, Path], capsys: pytest.CaptureFixture
) -> None:
    databases["force_sets"].unlink()
    with only_writer(databases["relax"]):
        assert main(["retry-failed", str(finished_campaign), "--kind", "all"]) == 2
    assert f"{databases['relax']}: is being written by process" in capsys.readouterr().err
    assert len(list(read_records(databases["relax"]))) == 1


def test_unknown_potential_is_a_mistake_of_the_input(finished_campaign: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["retry-failed", str(finished_campaign), "--kind", "all", "--potential", "chgnet"]) == 2
    assert f"no potential 'chgnet'; there are: {POTENTIAL}" in capsys.readouterr().err
