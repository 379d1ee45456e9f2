"""A reference's own numbers are held against ours, so that a wrong reading or a wrong file shows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from softmode.reference import phonopy_yaml
from softmode.reference.dataset import load_entries, write_dataset
from softmode.reference.entry import Entry
from softmode.stages.agreement import disagreement
from tests.reference.forms import as_phonopy, at_300_K, demo, with_force_constants

COLUMNS = {
    "own_free_energy_difference_kJ_per_mol_atoms": "free_e",
    "own_entropy_difference_J_per_K_mol_atoms": "entropy",
    "own_heat_capacity_difference_J_per_K_mol_atoms": "heat_capacity",
    "own_frequency_difference_THz": "phonon_freq",
}


@pytest.fixture(scope="module")
def magnesia() -> Entry:
    return demo("MgO-rocksalt")


@pytest.fixture(scope="module")
def stated(magnesia: Entry) -> dict[str, Any]:
    """What the authors of Alexandria would have written into the file."""
    row = at_300_K(magnesia)
    return {
        "temperatures": row["temperatures_K"],
        "free_e": row["free_energy_kJ_per_mol"],
        "entropy": row["entropy_J_per_K_mol"],
        "heat_capacity": row["heat_capacity_J_per_K_mol"],
        "phonon_freq": row["frequencies_THz"],
    }


def compared(path: Path, magnesia: Entry, stated: dict[str, Any]) -> dict[str, Any]:
    as_phonopy(magnesia).save(path)
    path.write_text(yaml.safe_dump(stated) + path.read_text(encoding="utf-8"), encoding="utf-8")
    entry = replace(phonopy_yaml.read(path), id="MgO")
    # through the database, too
    files = [path.with_name(name) for name in ("entries.db", "index.csv", "unreadable.csv")]
    write_dataset(iter([entry]), *files)
    (again,) = load_entries(files[0])
    return at_300_K(again)


def test_numbers_of_alexandria_that_are_ours_differ_by_nothing(
    tmp_path: Path, magnesia: Entry, stated: dict[str, Any]
) -> None:
    row = compared(tmp_path / "mp-1.yaml", magnesia, stated)
    assert {name: row[name] for name in COLUMNS} == pytest.approx(dict.fromkeys(COLUMNS, 0.0), abs=1e-4)


def test_wrong_number_of_a_file_shows_in_its_column_with_its_sign(
    tmp_path: Path, magnesia: Entry, stated: dict[str, Any]
) -> None:
    wrong = {name: (np.array(values) * 0.5).tolist() for name, values in stated.items() if name != "temperatures"}
    row = compared(tmp_path / "mp-1.yaml", magnesia, stated | wrong)
    # one mole of atoms, of which the primitive cell has two
    assert row["own_entropy_difference_J_per_K_mol_atoms"] == pytest.approx(max(stated["entropy"]) / 2 / 2, rel=1e-3)
    assert row["own_frequency_difference_THz"] > 1
    assert row["own_heat_capacity_difference_J_per_K_mol_atoms"] > 5


def test_thermal_properties_beside_the_forces_are_compared(tmp_path: Path, magnesia: Entry) -> None:
    made = with_force_constants(as_phonopy(magnesia))
    made.save(tmp_path / "phonopy_params.yaml")
    made.run_mesh(100.0, is_gamma_center=True)
    made.run_thermal_properties(temperatures=[0.0, 300.0], exclude_gamma_acoustic=True)
    made.write_yaml_thermal_properties(tmp_path / "thermal_properties.yaml")
    row = at_300_K(phonopy_yaml.read(tmp_path / "phonopy_params.yaml"))
    assert abs(row["own_free_energy_difference_kJ_per_mol_atoms"]) < 0.01
    assert abs(row["own_entropy_difference_J_per_K_mol_atoms"]) < 0.01
    assert "own_frequency_difference_THz" not in row


def test_numbers_of_a_larger_cell_are_compared_for_the_same_cell() -> None:
    row = {
        "frequencies_THz": [[1.0, 2.0]],
        "temperatures_K": [0.0, 300.0],
        "entropy_J_per_K_mol": [0.0, 30.0],
        "n_primitive": 2,
    }
    own = {"temperatures_K": np.array([300.0, 900.0]), "entropy_J_per_K_mol": np.array([128.0, 300.0]), "n_atoms": 8}
    assert disagreement(row, own) == {"own_entropy_difference_J_per_K_mol_atoms": pytest.approx(15.0 - 16.0)}
    assert disagreement(row, {}) == {}
    assert disagreement(row, own | {"temperatures_K": np.array([1.0, 2.0])}) == {}
