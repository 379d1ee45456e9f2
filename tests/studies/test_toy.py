"""A study of a user's own is a part of a campaign by its name alone: no line outside its folder knows of it."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from softmode.engine.records import read_records
from softmode.studies import named_studies
from softmode.studies.listing import results_text

# it runs whole campaigns, in the workflow's environment
pytestmark = pytest.mark.slow

TOY = "tests.studies.toy.study"
POTENTIAL = "lennard-jones"


class Campaign:
    """Two crystals, the reference and a Lennard-Jones potential; the second crystal fails when it is shaken."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.project, self.folder, self.path = project, folder, folder / "demo"
        potential = {
            "label": "Lennard-Jones",
            "colour": "#949494",
            "adapter": "ase_calculator",
            "environment": "workflow",
            "calculator": "ase.calculators.lj.LennardJones",
            "arguments": {"sigma": 2.0, "epsilon": 0.1, "rc": 6.0, "smooth": True},
        }
        self.write("potentials.yaml", {POTENTIAL: potential})
        protocols = yaml.safe_load((project / "config" / "protocols.yaml").read_text(encoding="utf-8"))
        self.shake = {"standard_deviation_A": 0.02, "seed": 1, "force_unphysical_eV_per_A": 1000.0}
        self.protocols = protocols
        self.write_protocol()
        self.write_campaign(["harmonic", TOY], "mine")

    def write_campaign(self, studies: list[str], protocol: str) -> None:
        demo = yaml.safe_load((self.project / "config" / "config.yaml").read_text(encoding="utf-8"))
        dataset = {key: value for key, value in demo["dataset"].items() if key != "yardstick"}
        changes = {
            "dataset": dataset | {"ids": ["NaCl-rocksalt", "MgO-rocksalt"]},
            "potentials": [POTENTIAL],
            "studies": studies,
            "protocol": protocol,
            "potentials_file": str(self.folder / "potentials.yaml"),
            "protocols_file": str(self.folder / "protocols.yaml"),
            "results": str(self.folder),
            "shards": 1,
        }
        self.write("campaign.yaml", demo | changes)

    def write(self, name: str, content: object) -> None:
        (self.folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")

    def write_protocol(self, **changes: float) -> None:
        coarse = {"phonons": {"mesh": {"length_A": 20.0}}, "report": {"bootstrap_resamples": 100}}
        mine = {"extends": "plain", "shake": self.shake | changes, "stiffness": {}}
        self.write("protocols.yaml", self.protocols | {"plain": {"extends": "loew2024"} | coarse, "mine": mine})

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name(program), *map(str, arguments)]
        # the toy, and the softmode beside these tests
        environment = os.environ | {"PYTHONPATH": f"{self.project}{os.pathsep}{self.project / 'src'}"}
        return subprocess.run(command, cwd=self.project, env=environment, capture_output=True, text=True, check=False)

    def snakemake(self, *arguments: object) -> str:
        settings = ["--profile", "profiles/local", "--configfile", self.folder / "campaign.yaml"]
        result = self.run("snakemake", *arguments, *settings)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def softmode(self, *arguments: object) -> str:
        result = self.run("softmode", *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout


@pytest.fixture(scope="module")
def campaign(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    if not (project / ".envs" / "workflow.ready").exists():
        pytest.skip("no environment workflow; 'make test' builds it")
    return Campaign(project, tmp_path_factory.mktemp("toy"))


def test_study_that_a_campaign_names_is_in_all_that_lists_stages_and_results(campaign: Campaign) -> None:
    # a finished campaign gets the study: the job graph has it, and nothing of what is there again
    campaign.write_campaign(["harmonic"], "plain")
    campaign.snakemake(campaign.path / "spectra.parquet")
    campaign.write_campaign(["harmonic", TOY], "mine")
    dry = campaign.snakemake("--dry-run")
    for rule in ("shake", "stiffness", "collect_shaken", "shaken"):
        assert f"\n{rule} " in dry, dry
    for rule in ("relax", "force_sets", "phonons", "reference_phonons", "spectra"):
        assert f"\n{rule} " not in dry, dry
    campaign.snakemake()

    # what it made, and that an entry failed nowhere
    records = list(read_records(campaign.path / "shake" / POTENTIAL / "0.db"))
    assert {record.entry for record in records} and not any(record.failure for record in records)
    table = pd.read_parquet(campaign.path / "shaken.parquet").set_index(["entry", "source"])
    assert len(table) == 2 and table.columns.is_unique
    assert table["stiffness_eV_per_A2"].tolist() == (table["shaken_force_eV_per_A"] / 0.02).tolist()
    assert (table["shaken_force_eV_per_A"] > 0).all() and (table["status"] == "done").all()

    path = campaign.path
    assert "lennard-jones shake: 2 of 2 done" in campaign.softmode("status", path)
    assert "| Lennard-Jones |" in campaign.softmode("summary", path, "--all")
    checks = campaign.softmode("verify", path)
    for check in (
        "lennard-jones shake: one record for every entry",
        "lennard-jones shake: carries on the records of relax",
        "lennard-jones stiffness: carries on the records of shake",
        "shaken.parquet comes out again from its records",
        "shaken: every table comes out again from its numbers",
    ):
        assert f"OK     {check}" in checks, checks
    plan = campaign.softmode("plan", campaign.folder / "campaign.yaml")
    assert "in shake" in plan and "shake" in plan.split("jobs:")[1]
    page = (path / "report" / "index.html").read_text(encoding="utf-8")
    assert "table-shaken_forces" in page and "figures/shaken_forces.png" in page and "standard_deviation_A" in page
    captions = campaign.snakemake("--report", campaign.folder / "report.html")
    assert "report" in captions
    assert "slightly displaced atoms of each relaxed cell" in (campaign.folder / "report.html").read_text("utf-8")


def test_failures_of_the_study_are_listed_and_tried_again(campaign: Campaign) -> None:
    campaign.write_protocol(force_unphysical_eV_per_A=1e-6)
    campaign.snakemake(campaign.path / "tables" / "failures.csv")
    failures = pd.read_csv(campaign.path / "tables" / "failures.csv")
    own = failures[failures["stage"] == "shake"]
    assert len(own) == 2 and set(own["kind"]) == {"unphysical"} and (own["seconds"] > 0).all()

    told = campaign.softmode("retry-failed", campaign.path, "--kind", "unphysical", "--stage", "shake")
    assert "2 failures are forgotten" in told
    assert "\nrelax " not in (dry := campaign.snakemake("--dry-run")) and "\nshake " in dry


def test_settings_of_the_study_are_checked_like_all_others(campaign: Campaign) -> None:
    campaign.write_protocol(standard_deviation_A=-1.0)
    result = campaign.run("softmode", "plan", campaign.folder / "campaign.yaml")
    assert result.returncode == 2 and "mine.shake.standard_deviation_A: -1.0" in result.stderr, result.stderr
    campaign.write_protocol()


def test_without_the_study_nothing_of_it_is_there(campaign: Campaign) -> None:
    settings = yaml.safe_load((campaign.folder / "campaign.yaml").read_text(encoding="utf-8"))
    campaign.write("other.yaml", settings | {"studies": ["harmonic"], "campaign": "other", "protocol": "loew2024"})
    command = ["--dry-run", "--profile", "profiles/local", "--configfile", campaign.folder / "other.yaml"]
    told = campaign.run("snakemake", *command)
    assert told.returncode == 0 and "shake" not in told.stdout + told.stderr


def test_list_of_tables_and_figures_is_made_from_the_study() -> None:
    text = results_text(named_studies(["harmonic", TOY])[1])
    assert "| `shaken_forces` | How large are the forces when all atoms are slightly displaced? |" in text
    assert "| `shaken_forces` | How are these forces distributed? |" in text
