"""Faults as the workflow sees them: a potential that kills its process, and failures that are computed again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from softmode.engine.records import Record, read_records
from tests.faulty import VARIABLE

pytestmark = pytest.mark.slow

SNAKEMAKE = Path(sys.executable).with_name("snakemake")
FAULTY, OTHERS = "NaCl-rocksalt", ("MgO-rocksalt", "CaO-rocksalt")


class Workflow:
    """A campaign of three crystals in two shards with a Lennard-Jones potential that may misbehave."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.project, self.folder, self.campaign = project, folder, folder / "demo"
        potential = {
            "label": "Lennard-Jones",
            "colour": "#949494",
            "adapter": "ase_calculator",
            "environment": "workflow",
            "calculator": "tests.faulty.FaultyLennardJones",
            "arguments": {"sigma": 2.0, "epsilon": 0.1, "rc": 6.0, "smooth": True},
        }
        potentials = folder / "potentials.yaml"
        potentials.write_text(yaml.safe_dump({"lennard-jones": potential}), encoding="utf-8")
        demo = yaml.safe_load((project / "config" / "config.yaml").read_text(encoding="utf-8"))
        dataset = {key: value for key, value in demo["dataset"].items() if key != "yardstick"}
        campaign = demo | {
            "dataset": dataset | {"ids": [FAULTY, *OTHERS]},
            "potentials": ["lennard-jones"],
            "potentials_file": str(potentials),
            "results": str(folder),
            "shards": 2,
        }
        (folder / "campaign.yaml").write_text(yaml.safe_dump(campaign), encoding="utf-8")

    def snakemake(self, *arguments: str, fault: str = "") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {VARIABLE: fault, "PYTHONPATH": str(self.project)}
        settings = ["--profile", "profiles/local", "--configfile", self.folder / "campaign.yaml"]
        command = [SNAKEMAKE, *arguments, *settings]
        return subprocess.run(command, cwd=self.project, env=environment, capture_output=True, text=True, check=False)

    def outputs(self, stage: str) -> list[str]:
        return [str(self.campaign / stage / "lennard-jones" / f"{shard}.db") for shard in (0, 1)]

    def softmode(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("softmode"), name, self.campaign, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def records(self, stage: str) -> dict[str, Record]:
        paths = (self.campaign / stage / "lennard-jones").glob("*.db")
        return {record.entry: record for path in paths for record in read_records(path)}


@pytest.fixture
def workflow(project: Path, tmp_path: Path) -> Workflow:
    if not (project / ".envs" / "workflow.ready").exists():
        pytest.skip("no environment workflow; 'make test' builds it")
    return Workflow(project, tmp_path)


def test_retried_failure_runs_its_shard_again_with_what_follows_and_recomputes_nothing_else(workflow: Workflow) -> None:
    targets = workflow.outputs("force_sets")
    first = workflow.snakemake(*targets, fault="memory:Na")
    assert first.returncode == 0, first.stdout + first.stderr
    relaxed, force_sets = workflow.records("relax"), workflow.records("force_sets")
    failure = relaxed[FAULTY].failure
    assert failure and (failure.stage, failure.kind) == ("relax", "out_of_memory")
    written = {path: path.stat().st_mtime_ns for path in workflow.campaign.glob("*/lennard-jones/*.db")}

    told = workflow.softmode("retry-failed", "--kind", "out_of_memory").stdout
    assert "2 failures are forgotten" in told
    again = workflow.snakemake(*targets)
    assert again.returncode == 0, again.stdout + again.stderr
    assert {rule: again.stderr.count(f"rule {rule}:") for rule in ("relax", "force_sets")} == {
        "relax": 1, "force_sets": 1,
    }  # fmt: skip
    assert len([path for path, time in written.items() if path.stat().st_mtime_ns == time]) == 2
    for stage, before in {"relax": relaxed, "force_sets": force_sets}.items():
        after = workflow.records(stage)
        assert after[FAULTY].failure is None
        # with the times that they took: nothing was computed again
        assert all(after[entry].values == before[entry].values for entry in OTHERS)


def test_structure_that_kills_its_process_costs_two_attempts_and_no_other_entry(workflow: Workflow) -> None:
    result = workflow.snakemake(*workflow.outputs("relax"), "--retries", "2", fault="abort:Na")
    assert result.returncode == 0, result.stdout + result.stderr
    relaxed = workflow.records("relax")
    failure = relaxed[FAULTY].failure
    assert failure and failure.kind == "crash" and "the process died 2 times" in failure.message
    assert all(relaxed[entry].failure is None for entry in OTHERS)
