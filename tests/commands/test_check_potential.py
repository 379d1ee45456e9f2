from pathlib import Path

import pytest

from softmode.cli import main

LENNARD_JONES = """\
lennard-jones:
  label: Lennard-Jones
  adapter: ase_calculator
  environment: workflow
  calculator: ase.calculators.lj.LennardJones
  arguments: {sigma: 2.0, epsilon: 0.1, rc: 6.0, smooth: true}
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


def test_each_check_is_told_when_it_is_done_and_the_table_comes_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    potentials = tmp_path / "potentials.yaml"
    potentials.write_text(LENNARD_JONES, encoding="utf-8")
    options = ["--potentials", str(potentials), "--environments", str(tmp_path), "--sizes", "--device", "cpu"]
    main(["check-potential", "lennard-jones", *options])
    printed = capsys.readouterr()
    assert "1: force - energy difference, h = 0.0001 Å: " in printed.err
    assert printed.out.startswith("check ") and printed.err.count("\n") == printed.out.count("\n") - 4
