from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from softmode.engine.records import Record
from softmode.potentials.base import Evaluation, Potential
from softmode.reference.entry import Entry
from softmode.settings.relaxation import EquationOfStateRelaxation
from softmode.stages.relax import relax
from tests.stages.potentials import batches_of, effective_medium

SETTINGS = EquationOfStateRelaxation(
    force_target_eV_per_A=0.001,
    force_unphysical_eV_per_A=1e4,
    volume_strains=(-0.045, -0.03, -0.015, 0.0, 0.015, 0.03, 0.045),
    rounds=8,
    steps_per_round=100,
    symmetry_tolerance_A=0.01,
)


class PressureError:
    """Effective medium theory whose stress has a wrong pressure."""

    def __init__(self) -> None:
        self.inner = effective_medium()
        self.__dict__.update(vars(self.inner))

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        pressure = np.array([1, 1, 1, 0, 0, 0]) / 160
        return [replace(e, stress=e.stress + pressure) for e in self.inner.evaluate(structures, stress=stress)]


def run(atoms: Atoms, potential: Potential | None = None, settings: EquationOfStateRelaxation = SETTINGS) -> Record:
    entry = Entry("mp-1", atoms, np.eye(3, dtype=int), np.eye(3), source="made for a test")
    (record,) = relax(iter([entry]), batches_of(potential or effective_medium(), 1), settings)
    return record


@pytest.mark.parametrize("start", [3.55, 3.8])
def test_minimum_of_the_energy_is_where_the_stress_vanishes(start: float) -> None:
    # effective medium theory has an exact stress, so that both ways to the minimum must meet
    record = run(bulk("Cu", a=start))
    assert record.failure is None
    assert np.abs(record.atoms.get_stress()).max() < 2e-4
    assert record.atoms.cell.volume ** (1 / 3) * 4 ** (1 / 3) == pytest.approx(3.59, abs=0.02)


def layers() -> Atoms:
    # fcc layers along (001), one of gold and three of copper: the distance between them is free
    positions = [[0, 0, 0], [0.5, 0.5, 0.26], [0, 0, 0.5], [0.5, 0.5, 0.74]]
    return Atoms("AuCu3", cell=[2.65, 2.65, 7.4], scaled_positions=positions, pbc=True)


@pytest.mark.parametrize("atoms", [bulk("Cu", "hcp", a=2.6, c=4.4), layers()], ids=["free shape", "free positions"])
def test_free_shape_and_positions_end_where_the_stress_ends(atoms: Atoms) -> None:
    record = run(atoms)
    assert record.failure is None
    assert np.abs(record.atoms.get_stress()).max() < 2e-4
    assert np.abs(record.atoms.get_forces()).max() < 1e-3


def test_volume_follows_the_energies_where_the_stress_has_an_error() -> None:
    # an error like that of a fixed plane-wave basis: a pressure of 1 eV/Å³ / 160, 1 GPa
    wrong = PressureError()
    right, found = run(bulk("Cu", "hcp", a=2.6, c=4.4)), run(bulk("Cu", "hcp", a=2.6, c=4.4), wrong)
    np.testing.assert_allclose(found.atoms.cell.cellpar(), right.atoms.cell.cellpar(), rtol=3e-4)


def test_steps_that_run_out_are_not_converged() -> None:
    record = run(bulk("Cu", "hcp", a=2.6, c=4.4), settings=SETTINGS.model_copy(update={"steps_per_round": 1}))
    assert record.failure.kind == "not_converged"
    assert "after 1 steps at constant volume" in record.failure.message


def test_minimum_far_beyond_the_scans_is_not_converged() -> None:
    assert run(bulk("Cu", a=6.5)).failure.kind == "not_converged"
