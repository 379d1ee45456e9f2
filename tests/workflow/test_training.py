"""Learning curves as a workflow of its own."""

from pathlib import Path

import pytest
import yaml

from tests.workflow.run import jobs, snakemake

TRAINING = ("--snakefile", "workflow/training.smk")
SPLIT = """entry,formula,space_group,part
MgO-rocksalt,MgO,225,train
AlP-zincblende,AlP,216,train
BN-zincblende,BN,216,validation
CaO-rocksalt,CaO,225,test
"""


def test_all_trainings_of_the_learning_curves_are_announced(project: Path, tmp_path: Path) -> None:
    announced = jobs(project, *TRAINING, "--config", f"folder={tmp_path}", "dataset={kind: kyoto, path: anywhere}")
    assert (announced["train"], announced["training_entries"], announced["learning_curves"]) == (36, 1, 1)


@pytest.mark.slow
def test_trainings_end_in_a_table_and_are_not_made_twice(project: Path, tmp_path: Path) -> None:
    if not (project / ".envs/m3gnet.ready").exists():
        pytest.skip("no environment m3gnet; 'make test' builds it")
    split = tmp_path / "split.csv"
    split.write_text(SPLIT, encoding="utf-8")
    training = {"potential": "m3gnet", "entries": "elsewhere", "split": str(split), "compounds": 2}
    training |= {"objective": "hessian_products", "processor_seconds": 1, "validations": 1}
    (tmp_path / "m3gnet.yaml").write_text(yaml.safe_dump(training), encoding="utf-8")
    folder = tmp_path / "trainings"
    changes = {
        "folder": str(folder),
        "dataset": {"kind": "demo", "path": "data/demo/PBE"},
        "split": str(split),
        "configurations": str(tmp_path),
        "objectives": ["m3gnet-forces_along_displacements"],
        "compounds": [1, 2],
        "seeds": [0],
        "processor_seconds": 2,
    }
    path = tmp_path / "curves.yaml"
    path.write_text(yaml.safe_dump(changes), encoding="utf-8")
    words = (*TRAINING, "--configfile", str(path))
    snakemake(project, *words)
    table = (folder / "learning_curves.md").read_text(encoding="utf-8")
    assert "forces along displacements" in table and (folder / "learning_curves.png").stat().st_size > 10_000
    assert (folder / "m3gnet-forces_along_displacements-2-0" / "m3gnet-forces_along_displacements-2-0.pt").is_file()
    assert jobs(project, *words) == {}
