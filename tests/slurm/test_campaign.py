"""A campaign on SLURM as a user runs it, through profiles/slurm, with everything that happens to jobs on a cluster.

One job is cancelled, one meets a walltime of one minute, and Snakemake itself is killed with jobs in the queue.
`pytest -m slurm` runs this: as root, for it installs and starts SLURM on this machine.
"""

import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from softmode.cluster.job_resources import JobResources
from softmode.engine.snapshot import read_snapshot
from softmode.settings.campaign import read_campaign
from tests.slurm.cluster import Job, hold_with_records, jobs, jobs_of, wait_until

pytestmark = pytest.mark.slurm

SNAKEMAKE = Path(sys.executable).with_name("snakemake")
POTENTIALS = ("chgnet", "sevennet-0")
SHARDS = 3
IDS = ["AlP-zincblende", "BN-zincblende", "CaO-rocksalt", "GeTe-rocksalt", "KBr-rocksalt", "MgO-rocksalt"]
IDS += ["MgS-rocksalt", "NaCl-rocksalt", "Si-diamond"]


@dataclass
class History:
    """What was seen while the campaign ran.

    Attributes:
        results: folder of the campaign
        cancelled: the shard whose job was cancelled, as stage, potential and number
        overdue: the shard whose job met its walltime
        asked_minutes: the walltime that this job had asked for
        finished: the files that were complete when Snakemake was killed, with their inodes
        in_queue: SLURM's ids of the jobs that the killed Snakemake left
    """

    results: Path
    cancelled: Path = field(default_factory=Path)
    overdue: Path = field(default_factory=Path)
    asked_minutes: int = 0
    finished: dict[Path, int] = field(default_factory=dict)
    in_queue: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def slurm(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("SLURM is installed and started as root")
    missing = [name for name in ("chgnet", "sevennet") if not (project / ".envs" / f"{name}.ready").exists()]
    assert not missing, f"no environment {', '.join(missing)}; 'make envs' builds it"
    script = project / "tests" / "slurm" / "slurm.sh"
    folder = tmp_path_factory.mktemp("slurm")
    os.environ["SLURM_FOLDER"] = str(folder)
    os.environ["SLURM_CONF"] = str(folder / "etc" / "slurm.conf")
    subprocess.run([script, "install"], check=True)
    try:
        subprocess.run([script, "start"], check=True)
        yield
    finally:
        subprocess.run([script, "stop"], check=True)


@pytest.fixture(scope="module")
def profile(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """profiles/slurm with the lines edited that docs/cluster.md names."""
    settings = yaml.safe_load((project / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8"))
    # this SLURM has no accounts, and the partitions that the profile names
    del settings["default-resources"]["slurm_account"]
    # nor has this machine a real GPU
    settings["set-threads"]["force_sets"] = 1
    folder = tmp_path_factory.mktemp("profile")
    settings["slurm-logdir"] = str(folder / "logs")
    settings["slurm-init-seconds-before-status-checks"] = 3
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def campaign_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "small.yaml"
    dataset = {"kind": "demo", "path": "data/demo/PBE", "ids": IDS}
    settings = {"campaign": "small", "dataset": dataset, "potentials": list(POTENTIALS), "shards": SHARDS}
    # one structure at a time, so that entries finish one after the other
    settings |= {"batch_memory_GB": 0.001, "results": str(path.parent)}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def history(slurm: None, project: Path, profile: Path, campaign_file: Path) -> History:
    results = campaign_file.parent
    folder = results / "small"
    history = History(folder)
    command = [SNAKEMAKE, "--profile", profile, "--configfile", campaign_file]
    log = (results / "snakemake.log").open("w", encoding="utf-8")
    run = subprocess.Popen(command, cwd=project, stdout=log, stderr=subprocess.STDOUT)
    try:
        history.cancelled = _hold_one(folder / "relax" / "chgnet", run)
        subprocess.run(["scancel", _running(history.cancelled).id], check=True)
        history.overdue = _hold_one(folder / "force_sets" / "sevennet-0", run)
        # a minute is the shortest that SLURM knows
        overdue = _running(history.overdue)
        history.asked_minutes = overdue.minutes
        subprocess.run(["scontrol", "update", f"JobId={overdue.id}", "TimeLimit=1"], check=True)
        # Snakemake sends both again
        for output in (history.cancelled, history.overdue):
            wait_until(lambda output=output: len(jobs_of(*_names(output))) > 1, run)
        wait_until(lambda: any(job.state == "RUNNING" for job in jobs()), run)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    complete = itertools.chain(folder.glob("*/*/*.db"), folder.glob("phonons/*/*.parquet"))
    history.finished = {path: path.stat().st_ino for path in complete}
    history.in_queue = [job.id for job in jobs() if job.state in ("PENDING", "RUNNING")]
    subprocess.run([*command, "--unlock"], cwd=project, stdout=log, stderr=subprocess.STDOUT, check=True)
    again = subprocess.run(command, cwd=project, stdout=log, stderr=subprocess.STDOUT, check=False, timeout=1500)
    log.close()
    assert again.returncode == 0, (results / "snakemake.log").read_text(encoding="utf-8")[-6000:]
    return history


def _hold_one(folder: Path, run: subprocess.Popen) -> Path:
    """Hold the first job in this folder that has stored something and has more to do."""
    outputs = [folder / f"{shard}.db" for shard in range(SHARDS)]
    return wait_until(lambda: next((output for output in outputs if hold_with_records(output)), None), run)


def _names(output: Path) -> tuple[str, str]:
    rule = output.parent.parent.name
    return rule, f"{output.parent.name}_{output.stem}"


def _running(output: Path) -> Job:
    return next(job for job in jobs_of(*_names(output)) if job.state == "RUNNING")


def test_every_shard_was_a_job_of_slurm(history: History) -> None:
    completed = [job for job in jobs() if job.state == "COMPLETED"]
    each = {f"{potential}_{shard}" for potential in POTENTIALS for shard in range(SHARDS)}
    for rule in ("relax", "force_sets", "phonons"):
        assert {job.wildcards for job in completed if job.rule == rule} == each
    assert {job.wildcards for job in completed if job.rule == "reference_phonons"} == {
        f"reference_{shard}" for shard in range(SHARDS)
    }


def test_jobs_have_the_resources_that_the_rules_ask_for(
    history: History, project: Path, campaign_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    campaign = read_campaign(campaign_file)
    overdue = jobs_of(*_names(history.overdue))[0]
    for job in jobs():
        potential, shard = job.wildcards.rsplit("_", 1)
        names = SimpleNamespace(potential=potential, shard=shard)
        on_gpu = job.rule in ("relax", "force_sets")
        resources = JobResources(campaign, campaign.stage(job.rule.removeprefix("reference_")))
        asked = [(resources.memory_MB(names, attempt), resources.minutes(names, attempt)) for attempt in (1, 2, 3, 4)]
        asked_minutes = history.asked_minutes if job == overdue else job.minutes
        assert (job.memory_MB, asked_minutes) in asked, job
        assert (job.partition, job.gpus) == (("gpu", 1) if on_gpu else ("cpu", 0)), job


def test_nothing_but_potentials_and_phonons_is_sent_to_the_nodes(history: History) -> None:
    assert {job.rule for job in jobs()} == {"relax", "force_sets", "phonons", "reference_phonons"}


def test_cancelled_job_is_sent_again_and_goes_on_from_its_partial(history: History) -> None:
    assert jobs_of(*_names(history.cancelled))[0].state.startswith("CANCELLED")
    _assert_went_on(history.cancelled)


def test_job_that_met_its_walltime_is_sent_again_with_more_and_goes_on_from_its_partial(history: History) -> None:
    first, second = jobs_of(*_names(history.overdue))[:2]
    assert (first.state, first.minutes) == ("TIMEOUT", 1)
    assert second.minutes == 2 * history.asked_minutes > 2
    _assert_went_on(history.overdue)


def _assert_went_on(output: Path) -> None:
    """The database has records from before the job began that finished it."""
    snapshot = read_snapshot(output)
    began = pd.Timestamp(snapshot.metadata["written"]).timestamp()
    before = [record for record in snapshot.records if record.written < began]
    assert 0 < len(before) <= len(snapshot.records) == len({record.entry for record in snapshot.records})


def test_jobs_of_a_snakemake_that_was_killed_do_not_run_beside_those_of_the_next(history: History) -> None:
    assert history.in_queue
    states = {job.id: job.state for job in jobs()}
    # some may have ended by themselves before the next Snakemake came
    assert Counter(states[id].split()[0] for id in history.in_queue).keys() <= {"CANCELLED", "COMPLETED"}


def test_shards_that_were_finished_when_snakemake_was_killed_are_not_made_again(history: History) -> None:
    assert len(history.finished) >= len(POTENTIALS)
    assert {path: path.stat().st_ino for path in history.finished} == history.finished


def test_campaign_on_slurm_gives_the_tables_of_a_local_run(
    history: History, project: Path, campaign_file: Path, tmp_path: Path
) -> None:
    command = [SNAKEMAKE, "--profile", "profiles/local", "--configfile", campaign_file, "--config"]
    local = subprocess.run([*command, f"results={tmp_path}"], cwd=project, capture_output=True, text=True, check=False)
    assert local.returncode == 0, local.stdout[-4000:] + local.stderr[-4000:]
    tables = {path.name for path in (tmp_path / "small" / "tables").glob("*.csv")}
    assert {"table1_relaxation.csv", "table3_stability.csv", "failures.csv", "ranking.csv"} < tables
    # how long something took is another number each time
    for name in sorted(tables - {"cost_accuracy.csv"}):
        here, there = (pd.read_csv(folder / "tables" / name) for folder in (tmp_path / "small", history.results))
        # other batches, other rounding of float32
        pd.testing.assert_frame_equal(there, here, rtol=1e-3, atol=1e-3)
