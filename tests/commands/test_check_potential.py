import json
from pathlib import Path

import ase
import pytest
import yaml
from ase.build import bulk

from softmode.cli import main
from softmode.settings.json_schema import schema_of
from softmode.settings.messages import validate
from softmode.settings.potentials import Potentials

LENNARD_JONES = """\
lennard-jones:
  label: Lennard-Jones
  adapter: ase_calculator
  environment: workflow
  calculator: ase.calculators.lj.LennardJones
  arguments: {sigma: 2.2, epsilon: 0.1, rc: 6.0, smooth: true}
  elements: [Cu]
  packages: [ase]
"""


def test_check_of_a_potential_that_is_not_there_names_the_others(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(project)
    assert main(["check-potential", "chgnett"]) == 2
    assert "no potential 'chgnett' in config/potentials.yaml; there are: " in capsys.readouterr().err


def test_environment_that_is_not_built_is_named_with_the_line_that_builds_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(project)
    assert main(["check-potential", "mattersim-5m", "--environments", str(tmp_path)]) == 2
    assert "is not built; build it with 'make .envs/mattersim.ready'" in capsys.readouterr().err


def test_each_check_is_told_when_it_is_done_and_table_keys_and_file_come_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    potentials, output = tmp_path / "potentials.yaml", tmp_path / "checks.json"
    potentials.write_text(LENNARD_JONES, encoding="utf-8")
    options = ["--potentials", str(potentials), "--environments", str(tmp_path), "--sizes", "--device", "cpu"]
    code = main(["check-potential", "lennard-jones", *options, "--output", str(output)])
    printed = capsys.readouterr()
    assert "1: force - energy difference, h = 0.0001 Å: " in printed.err
    table, keys = printed.out.split("\nFor lennard-jones in the potentials file:\n")
    assert table.startswith("check ") and printed.err.count("\n") == table.count("\n") - 4
    stored = json.loads(output.read_text(encoding="utf-8"))
    assert len(stored["checks"]) == printed.err.count("\n")
    assert code == any(check["verdict"] == "FAIL" for check in stored["checks"])
    assert yaml.safe_load(keys) == {key: stored[key] for key in ("numerical_noise_THz", "roughness_percent")}
    measured = {check["name"]: check["value"] for check in stored["checks"]}
    assert stored["roughness_percent"] == pytest.approx(measured["roughness of force constants"], rel=0.06)
    assert stored["depends_on"]["dtype"] == "float64" and stored["packages"]["ase"] == ase.__version__
    # what is printed can stand in a potentials file
    settings = yaml.safe_load(LENNARD_JONES)["lennard-jones"] | yaml.safe_load(keys) | {"colour": "#000000"}
    validate({"lennard-jones": settings}, schema_of(Potentials), "x.yaml")


def test_without_a_crystal_of_its_elements_phonons_are_said_not_to_be_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    potentials, krypton = tmp_path / "potentials.yaml", tmp_path / "krypton.cif"
    potentials.write_text(LENNARD_JONES.replace("Cu", "Kr"), encoding="utf-8")
    bulk("Kr", a=4.0, cubic=True).write(krypton)
    options = ["--potentials", str(potentials), "--environments", str(tmp_path), "--sizes", "--device", "cpu"]
    main(["check-potential", "lennard-jones", *options, "--structures", str(krypton)])
    printed = capsys.readouterr().out
    assert "Phonons were not checked: none of the built-in symmetric crystals has only elements" in printed
    assert "numerical_noise_THz" not in printed
