import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from softmode.protocol import EquationOfStateRelaxation
from softmode.reference.entry import Entry
from softmode.stages.relax import relax
from tests.stages.potentials import effective_medium

SETTINGS = EquationOfStateRelaxation(
    force_accepted_eV_per_A=0.001,
    force_unphysical_eV_per_A=1e4,
    volume_strains=(-0.045, -0.03, -0.015, 0.0, 0.015, 0.03, 0.045),
    rounds=5,
    symmetry_tolerance_A=0.01,
)


def run(atoms: Atoms):
    entry = Entry("mp-1", atoms, np.eye(3, dtype=int), np.eye(3), source="made for a test")
    (record,) = relax(iter([entry]), effective_medium(), SETTINGS, 1)
    return record


@pytest.mark.parametrize("start", [3.55, 3.8])
def test_minimum_of_the_energy_is_where_the_stress_vanishes(start: float) -> None:
    # effective medium theory has an exact stress, so that both ways to the minimum must meet
    record = run(bulk("Cu", a=start))
    assert record.failure is None
    assert np.abs(record.atoms.get_stress()).max() < 2e-4
    assert record.atoms.cell.volume ** (1 / 3) * 4 ** (1 / 3) == pytest.approx(3.59, abs=0.02)


def test_cell_that_is_not_cubic_is_refused() -> None:
    assert run(bulk("Cu", "hcp", a=2.6, c=4.2)).failure.kind == "not_cubic"


def test_cubic_cell_with_free_coordinates_is_refused() -> None:
    # pyrite's structure: space group 205, the pairs' coordinate is free
    x = 0.385
    free = [[x, x, x], [-x + 0.5, -x, x + 0.5], [-x, x + 0.5, -x + 0.5], [x + 0.5, -x + 0.5, -x]]
    positions = free + [[-a, -b, -c] for a, b, c in free]
    metal = [[0, 0, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0.5, 0.5, 0]]
    atoms = Atoms("Au4Al8", cell=[5.9] * 3, scaled_positions=metal + positions, pbc=True)
    assert run(atoms).failure.kind in ("free_coordinates", "not_converged")


def test_minimum_far_beyond_the_scans_is_not_converged() -> None:
    assert run(bulk("Cu", a=6.5)).failure.kind == "not_converged"
