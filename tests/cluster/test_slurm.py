import asyncio
import os
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from snakemake_interface_executor_plugins.utils import format_cli_arg

from softmode.cluster.slurm import settle_final_states, take_over
from softmode.errors import InputError
from softmode.settings.campaign import Campaign, load_campaign


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A queue in a file: squeue prints it, scancel empties it and notes what it was asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    jobs = tmp_path / "queue"
    jobs.write_text("", encoding="utf-8")
    for name, line in (("squeue", f"cat {jobs}"), ("scancel", f'echo "$@" > {tmp_path}/asked; : > {jobs}')):
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return jobs


@pytest.fixture
def campaign(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.chdir(project)
    dataset = {"kind": "demo", "path": "data/demo/PBE"}
    config = {"campaign": "small", "dataset": dataset, "potentials": ["chgnet"], "protocol": "softmode", "shards": 2}
    return load_campaign(config | {"results": str(tmp_path)}, "test")


def log(folder: Path, text: str) -> Path:
    path = folder / "snakemake.log"
    path.write_text(text, encoding="utf-8")
    return path


def remembered(campaign: Campaign) -> str:
    return (Path(campaign.folder) / "logs" / "slurm_run").read_text(encoding="utf-8")


def test_jobs_of_the_run_before_are_cancelled(tmp_path: Path, queue: Path, campaign: Campaign) -> None:
    take_over(campaign, log(tmp_path, "Building DAG\nSLURM run ID: first-run\n"))
    assert not (tmp_path / "asked").exists()
    queue.write_text(
        "11 RUNNING rule_relax_wildcards_chgnet_0\n12 PENDING rule_relax_wildcards_chgnet_1\n", encoding="utf-8"
    )
    take_over(campaign, log(tmp_path, "SLURM run ID: second-run\n"))
    assert (tmp_path / "asked").read_text(encoding="utf-8").split() == ["11", "12"]
    assert remembered(campaign) == "second-run\n"


def test_job_that_is_ending_with_its_output_complete_is_not_cancelled(
    tmp_path: Path, queue: Path, campaign: Campaign
) -> None:
    """Its Snakemake would delete the output, on which the run that begins has counted."""
    take_over(campaign, log(tmp_path, "SLURM run ID: first-run\n"))
    for path in ("force_sets/chgnet/0.db", "relax/chgnet/1.db", "phonons/reference/0.parquet"):
        output = Path(campaign.folder) / path
        output.parent.mkdir(parents=True, exist_ok=True)
        output.touch()
    (Path(campaign.folder) / "force_sets/chgnet/1.db.partial").touch()
    queue.write_text(
        "11 RUNNING rule_force_sets_wildcards_chgnet_0\n"
        "12 RUNNING rule_force_sets_wildcards_chgnet_1\n"
        "13 COMPLETING rule_own_relax_wildcards_chgnet_1\n"
        "14 RUNNING rule_reference_phonons_wildcards_reference_0\n"
        "15 PENDING rule_force_sets_wildcards_chgnet_0\n"
        "16 RUNNING (null)\n",
        encoding="utf-8",
    )
    take_over(campaign, log(tmp_path, "SLURM run ID: second-run\n"))
    assert (tmp_path / "asked").read_text(encoding="utf-8").split() == ["12", "15", "16"]


def test_run_without_slurm_asks_slurm_nothing(
    tmp_path: Path, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    take_over(campaign, log(tmp_path, "Building DAG\n"))
    assert not Path(campaign.folder).exists()


def test_jobs_that_do_not_end_stop_the_run_with_their_numbers(tmp_path: Path, queue: Path, campaign: Campaign) -> None:
    take_over(campaign, log(tmp_path, "SLURM run ID: first-run\n"))
    queue.write_text("11 RUNNING rule_relax_wildcards_chgnet_0\n", encoding="utf-8")
    (tmp_path / "bin" / "scancel").write_text("#!/bin/sh\n", encoding="utf-8")
    with pytest.raises(InputError, match="jobs 11 of the run before do not end"):
        take_over(campaign, log(tmp_path, "SLURM run ID: second-run\n"), patience_s=0)
    # it is still the first whose jobs are there
    assert remembered(campaign) == "first-run\n"


def test_slurm_that_does_not_answer_is_an_error(tmp_path: Path, queue: Path, campaign: Campaign) -> None:
    take_over(campaign, log(tmp_path, "SLURM run ID: first-run\n"))
    (tmp_path / "bin" / "squeue").write_text("#!/bin/sh\necho no controller >&2\nexit 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"squeue .*first-run: no controller"):
        take_over(campaign, log(tmp_path, "SLURM run ID: second-run\n"))


def test_executor_sees_that_preempted_and_cancelled_jobs_have_ended() -> None:
    executor: Any = ModuleType("executor")
    states = {"1": "PREEMPTED", "2": "CANCELLED by 1000", "3": "RUNNING", "4": "COMPLETED", "5": "TIMEOUT"}

    async def query(command: str, logger: object) -> tuple[dict[str, str] | None, float | None]:
        return (None, None) if command == "fails" else (states, 0.1)

    executor.query_job_status = query
    settle_final_states(executor)
    seen, seconds = asyncio.run(executor.query_job_status("squeue", None))
    assert seen == {"1": "CANCELLED", "2": "CANCELLED", "3": "RUNNING", "4": "COMPLETED", "5": "TIMEOUT"}
    assert seconds == 0.1
    assert asyncio.run(executor.query_job_status("fails", None)) == (None, None)


def test_executor_still_has_what_is_corrected() -> None:
    """The plugin is pinned; another version may ask in another way."""
    import snakemake_executor_plugin_slurm as executor

    assert asyncio.iscoroutinefunction(executor.query_job_status)


@pytest.mark.parametrize("path", ["/home/Jörg Müller/50 % (#1) & [2]; a=b:c*?!|>é日本", "it's/my own", "results/é"])
def test_path_that_a_campaign_may_have_comes_whole_through_the_shells_of_the_executor(path: str) -> None:
    # as its `run_job` writes the command for sbatch, which has another shell run it on a node
    wrapped = format_cli_arg("--wait-for-files", [path]).replace('"', '\\"')
    command = subprocess.run(["sh", "-c", f'printf %s "{wrapped}"'], capture_output=True, text=True, check=True).stdout
    words = subprocess.run(["sh", "-c", f"printf '%s|' {command}"], capture_output=True, text=True, check=True).stdout
    assert words == f"--wait-for-files|{path}|"
