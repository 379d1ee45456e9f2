from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from softmode.potentials.ase_calculator import ASECalculatorPotential


def potential(folder: Path, **arguments: object) -> ASECalculatorPotential:
    settings = {"calculator": "ase.calculators.emt.EMT", "arguments": arguments, "cache": str(folder)}
    return ASECalculatorPotential("emt", settings, "cpu")


def files(folder: Path) -> int:
    return len(list(folder.glob("*.json")))


@pytest.fixture
def rattled():
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=0)
    return atoms


def test_second_time_nothing_is_computed_and_every_bit_is_the_same(tmp_path: Path, rattled) -> None:
    (first,) = potential(tmp_path).evaluate([rattled], stress=True)
    again = potential(tmp_path)
    again._make = None  # nothing may call it
    (second,) = again.evaluate([rattled], stress=True)
    assert second.energy == first.energy
    assert (second.forces == first.forces).all() and (second.stress == first.stress).all()
    assert files(tmp_path) == 1


def test_calculation_without_stress_is_made_again_when_stress_is_needed(tmp_path: Path, rattled) -> None:
    assert potential(tmp_path).evaluate([rattled])[0].stress is None
    assert potential(tmp_path).evaluate([rattled], stress=True)[0].stress is not None
    assert potential(tmp_path).evaluate([rattled])[0].stress is None
    assert files(tmp_path) == 1


def test_another_structure_setting_or_note_is_another_calculation(tmp_path: Path, rattled) -> None:
    potential(tmp_path).evaluate([rattled])
    moved, noted = rattled.copy(), rattled.copy()
    moved.positions[0, 0] += 1e-6
    noted.info["kpoint_cell"] = np.eye(3)
    potential(tmp_path).evaluate([moved, noted])
    potential(tmp_path, asap_cutoff=True).evaluate([rattled])
    assert files(tmp_path) == 4


def test_rounding_of_a_position_is_not_another_calculation(tmp_path: Path, rattled) -> None:
    potential(tmp_path).evaluate([rattled])
    rattled.positions += 1e-13
    potential(tmp_path).evaluate([rattled])
    assert files(tmp_path) == 1
