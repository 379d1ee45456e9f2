"""What a file states of itself is found, and what is not understood is nothing."""

from typing import Any

import numpy as np
import pytest

from softmode.reference.own_numbers import of_alexandria, of_phonopy

ALEXANDRIA = {
    "temperatures": [0.0, 300.0],
    "free_e": [10.0, 5.0],
    "entropy": [0.0, 30.0],
    "heat_capacity": [0.0, 40.0],
    "phonon_freq": [[3.0, 1.0, 2.0], [0.0, 0.0, 0.0]],
}
ROWS = [{"temperature": 0.0, "free_energy": 10.0, "entropy": 0.0, "heat_capacity": 0.0}]


def test_numbers_of_alexandria_are_found_under_our_names() -> None:
    found = of_alexandria(ALEXANDRIA, 2)
    assert found["n_atoms"] == 2
    assert found["free_energy_kJ_per_mol"].tolist() == [10.0, 5.0]
    assert found["frequencies_THz"].tolist() == [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]
    assert of_alexandria({}, 2) == {}


@pytest.mark.parametrize("value", ["text", [1.0], [1.0, None], [1.0, np.nan], {"a": 1}, [[1.0, 2.0]]])
def test_numbers_that_do_not_belong_together_are_left_out(value: Any) -> None:
    found = of_alexandria(ALEXANDRIA | {"entropy": value}, 2)
    assert "entropy_J_per_K_mol" not in found and "free_energy_kJ_per_mol" in found


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"thermal_properties": ROWS},
        {"thermal_properties": ROWS, "natom": 0},
        {"thermal_properties": ROWS, "natom": [2]},
        {"thermal_properties": ROWS, "natom": 2, "unit": {"free_energy": "eV"}},
        {"thermal_properties": ROWS, "natom": 2, "unit": "kJ"},
        {"thermal_properties": "none", "natom": 2},
    ],
)
def test_thermal_properties_that_are_not_understood_are_nothing(document: Any) -> None:
    assert of_phonopy(document) == {}


def test_thermal_properties_are_found() -> None:
    found = of_phonopy({"thermal_properties": ROWS, "natom": 2, "unit": {"free_energy": "kJ/mol"}})
    assert found["n_atoms"] == 2 and found["free_energy_kJ_per_mol"].tolist() == [10.0]
