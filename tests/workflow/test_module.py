"""The workflow away from its own folder: as a module of another one, and named by its path."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.run import jobs, snakemake

pytestmark = pytest.mark.slow

OTHER_WORKFLOW = """
configfile: "config.yaml"


rule summarise:
    input:
        "summary.txt",


module softmode:
    snakefile:
        "{snakefile}"
    config:
        config["phonons"]


use rule * from softmode as softmode_*


rule summary:
    input:
        rules.softmode_all.input,
    output:
        "summary.txt",
    shell:
        "touch {{output}}"


onstart:
    softmode.onstart()
"""


@pytest.fixture
def campaign(project: Path) -> dict[str, Any]:
    """Two potentials on the embedded data, and nothing that the workflow brings itself."""
    dataset = {"kind": "demo", "path": str(project / "data" / "demo" / "PBE")}
    return {
        "campaign": "theirs", "dataset": dataset, "potentials": ["chgnet", "mattersim-5m"], "protocol": "softmode",
        "shards": 3,
    }  # fmt: skip


@pytest.fixture
def repository(project: Path, tmp_path: Path, campaign: Mapping[str, Any]) -> Path:
    """Another repository, with a workflow that uses this one for its key `phonons`."""
    folder = tmp_path / "their repository"
    folder.mkdir()
    text = OTHER_WORKFLOW.format(snakefile=project / "workflow" / "Snakefile")
    (folder / "Snakefile").write_text(text, encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump({"phonons": campaign, "theirs": 1}), encoding="utf-8")
    return folder


@pytest.fixture
def expected(project: Path, tmp_path: Path, campaign: Mapping[str, Any]) -> dict[str, int]:
    """The jobs of the same campaign in the project's own folder, where nothing of it is there yet."""
    file = tmp_path / "theirs.yaml"
    results = str(tmp_path / "results")
    file.write_text(yaml.safe_dump({**campaign, "results": results}), encoding="utf-8")
    found = jobs(project, "--configfile", str(file))
    assert found["relax"] == 6 and found["all"] == 1
    return found


def test_a_module_has_the_jobs_of_the_workflow(repository: Path, expected: dict[str, int]) -> None:
    renamed = {f"softmode_{name}": number for name, number in expected.items()}
    # the target stays the first rule of those who use it, and what they take of the rule `all` are its files
    del renamed["softmode_all"]
    assert jobs(repository) == {**renamed, "summary": 1, "summarise": 1}


def test_the_workflow_is_found_in_its_folder_and_by_its_path(
    project: Path, tmp_path: Path, expected: dict[str, int]
) -> None:
    arguments = ("--configfile", str(tmp_path / "theirs.yaml"), "--snakefile")
    assert jobs(project, *arguments, "workflow/Snakefile") == expected
    # from a folder without any configuration
    assert jobs(tmp_path, *arguments, str(project / "workflow" / "Snakefile")) == expected


def test_a_module_runs_its_jobs_and_knows_which_are_local(repository: Path) -> None:
    target = "results/theirs/settings/phonons.yaml"
    run = snakemake(repository, target)
    assert "temperatures_K" in (repository / target).read_text(encoding="utf-8")
    # Snakemake warns of local rules that it does not know; they would go to the cluster
    assert "localrules" not in run.stdout + run.stderr


def test_a_mistake_in_a_modules_configuration_is_told_by_its_key(repository: Path) -> None:
    file = repository / "config.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("shards:", "shard:"), encoding="utf-8")
    run = snakemake(repository, "--dry-run", check=False)
    assert run.returncode != 0
    assert "config.yaml: no key 'shard', did you mean 'shards'?" in run.stdout


def test_a_data_set_on_the_command_line_of_another_workflow_is_not_the_modules(repository: Path) -> None:
    assert "softmode_dataset" in jobs(repository, "--config", "dataset={path: elsewhere}")
