"""`softmode molecule`: refusals say what to do; a molecule from its file to its files, in a potential's environment."""

import json
from pathlib import Path

import pytest
import yaml
from ase.build import molecule

from softmode.cli import main
from softmode.settings.registered import POTENTIALS_FILE
from softmode.yaml_files import read_yaml
from tests.conftest import PROJECT


@pytest.fixture
def water(tmp_path: Path) -> Path:
    atoms = molecule("H2O")
    atoms.rattle(0.05, seed=1)
    atoms.write(tmp_path / "water.xyz")
    return tmp_path / "water.xyz"


def refused(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    assert main(["molecule", *arguments]) == 2
    error: str = capsys.readouterr().err
    assert error.startswith("softmode molecule: ") and "Traceback" not in error
    return error


def test_potential_without_second_derivatives_is_refused(water: Path, capsys: pytest.CaptureFixture) -> None:
    error = refused(capsys, str(water), "--potential", "omat24")
    assert "second derivatives of the energy (curvature), which omat24 cannot give (gives, in " in error


def test_unknown_potential_and_one_of_unknown_reach_are_refused(
    water: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert "no potential 'chgnett' in " in refused(capsys, str(water), "--potential", "chgnett")
    settings = read_yaml(POTENTIALS_FILE)["chgnet"]
    nearsighted = {key: value for key, value in settings.items() if key not in ("receptive_field_A", "cutoff_A")}
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump({"mine": nearsighted}), encoding="utf-8")
    error = refused(capsys, str(water), "--potential", "mine", "--potentials-file", str(path))
    assert f"{path}: mine: receptive_field_A is missing" in error


@pytest.mark.parametrize("tolerance", ["0", "-0.1", "0.5", "nan"])
def test_tolerance_that_makes_no_sense_is_refused(water: Path, tolerance: str, capsys: pytest.CaptureFixture) -> None:
    error = refused(capsys, str(water), "--potential", "chgnet", f"--symmetry-tolerance={tolerance}")
    assert "--symmetry-tolerance" in error and "Å" in error


def test_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "letter.xyz").write_text("Dear all,\n", encoding="utf-8")
    assert "letter.xyz: cannot be read: " in refused(capsys, str(tmp_path / "letter.xyz"), "--potential", "chgnet")
    assert "nowhere.xyz: no such file" in refused(capsys, str(tmp_path / "nowhere.xyz"), "--potential", "chgnet")


@pytest.mark.slow
def test_water_with_chgnet_from_its_file_to_its_files(
    water: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    if not (PROJECT / ".envs" / "chgnet" / "bin" / "python").exists():
        pytest.skip("environment 'chgnet' is not built; run 'make envs'")
    monkeypatch.chdir(tmp_path)
    assert main(["molecule", str(water), "--potential", "chgnet"]) == 0
    printed = capsys.readouterr().out
    assert "water: vibrations of H2O (C2v) with CHGNet" in printed
    folder = tmp_path / "results" / "water"
    names = {f"molecule-chgnet.{suffix}" for suffix in ("csv", "json", "png", "pdf")}
    assert {path.name for path in folder.iterdir()} == names
    document = json.loads((folder / "molecule-chgnet.json").read_text(encoding="utf-8"))
    assert sorted(one["symmetry"] for one in document["vibrations"]) == ["A1", "A1", "B2"]
    made = document["provenance"]
    assert made["depends_on"]["checkpoint_sha256"] == read_yaml(POTENTIALS_FILE)["chgnet"]["checkpoint"]["sha256"]
    assert made["potential"] == "chgnet" and made["packages"]["chgnet"] and made["softmode"]
