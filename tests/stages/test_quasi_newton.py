import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from softmode.engine.records import Record
from softmode.potentials.base import Evaluation, Potential
from softmode.reference.entry import Entry
from softmode.settings.relaxation import QuasiNewtonRelaxation
from softmode.stages.relax import relax
from tests.stages.potentials import Misbehaving, batches_of, effective_medium
from tests.stages.test_symmetric_cell import corundum, operations

SETTINGS = QuasiNewtonRelaxation(
    force_target_eV_per_A=1e-4,
    force_accepted_eV_per_A=1e-3,
    stress_target_eV_per_A3=1e-6,
    stress_accepted_eV_per_A3=1e-5,
    force_unphysical_eV_per_A=1e4,
    steps=100,
    largest_step_A=0.2,
    difference_displacement_A=0.01,
    difference_strain=0.003,
    symmetry_tolerance_A=0.01,
)


def run(atoms: Atoms, potential: Potential | None = None, settings: QuasiNewtonRelaxation = SETTINGS) -> Record:
    entry = Entry("mp-1", atoms, np.eye(3, dtype=int), np.eye(3), source="made for a test")
    (record,) = relax(iter([entry]), batches_of(potential or effective_medium(), 500), settings)
    return record


def alloy() -> Atoms:
    # layers with a free distance between them, tetragonal
    positions = [[0, 0, 0], [0.5, 0.5, 0.26], [0, 0, 0.5], [0.5, 0.5, 0.74]]
    return Atoms("AuCu3", cell=[2.65, 2.65, 7.4], scaled_positions=positions, pbc=True)


@pytest.mark.parametrize("atoms", [bulk("Cu", cubic=True, a=3.8), alloy()], ids=["cubic", "free positions"])
def test_minimum_is_the_one_that_ase_finds_without_symmetry(atoms: Atoms) -> None:
    record = run(atoms)
    slow = atoms.copy()
    slow.calc = EMT()
    BFGS(FrechetCellFilter(slow), logfile=None).run(fmax=1e-5, steps=500)
    assert record.failure is None
    assert record.atoms.get_potential_energy() == pytest.approx(slow.get_potential_energy(), abs=1e-7)
    np.testing.assert_allclose(record.atoms.cell.cellpar(), slow.cell.cellpar(), rtol=2e-5)
    assert list(record.atoms.symbols) == list(atoms.symbols)


def test_symmetry_is_kept_exactly() -> None:
    assert operations(run(alloy()).atoms) == operations(alloy())
    assert operations(run(corundum()).atoms) == 167


def test_forces_and_stress_of_the_record_are_those_of_the_whole_unit_cell() -> None:
    record = run(corundum())
    (again,) = effective_medium().evaluate([record.atoms], stress=True)
    assert record.atoms.get_potential_energy() == pytest.approx(again.energy)
    np.testing.assert_allclose(record.atoms.get_forces(), again.forces, atol=1e-8)
    assert np.abs(again.stress).max() < 1e-6


def test_cubic_crystal_needs_a_handful_of_steps() -> None:
    assert run(bulk("Cu", cubic=True, a=3.8)).values["relax_steps"] <= 6


def test_vacuum_of_a_monolayer_stays_as_it_is_given() -> None:
    layer = Atoms("Cu", cell=[2.6, 2.6, 15.0], pbc=True)
    record = run(layer)
    assert record.failure is None
    assert record.values["relax_steps"] <= 6
    assert record.atoms.cell.lengths()[2] == pytest.approx(15.0, abs=1e-6)
    layer.calc = EMT()
    BFGS(FrechetCellFilter(layer, mask=[1, 1, 0, 0, 0, 1]), logfile=None).run(fmax=1e-5, steps=500)
    assert record.atoms.cell.lengths()[0] == pytest.approx(layer.cell.lengths()[0], rel=2e-5)


def test_step_to_where_the_potential_says_nothing_is_followed_by_smaller_ones() -> None:
    class Fails:
        """Effective medium theory that fails at its second call, the first step of BFGS."""

        def __init__(self) -> None:
            self.inner = effective_medium()
            self.__dict__.update(vars(self.inner))
            self.calls: list[int] = []

        def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
            self.calls.append(len(structures))
            if len(self.calls) == 2:
                raise RuntimeError("isolated atoms")
            return self.inner.evaluate(structures, stress=stress)

    smooth = run(bulk("Cu", cubic=True, a=3.65))
    potential = Fails()
    record = run(bulk("Cu", cubic=True, a=3.65), potential)
    assert record.failure is None
    # the failed one, too; the others are Hessians
    assert record.values["relax_steps"] == potential.calls.count(1)
    assert record.atoms.cell.lengths()[0] == pytest.approx(smooth.atoms.cell.lengths()[0], rel=1e-4)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [("raise", "crash"), ("not finite", "not_finite"), ("unphysical", "unphysical_forces")],
)
def test_misbehaving_potential_is_a_failure_of_its_kind(behaviour: str, kind: str) -> None:
    assert run(alloy(), Misbehaving("Au", behaviour)).failure.kind == kind


class Direct:
    """Forces and stresses near those of effective medium theory that are the gradient of nothing, and noisy."""

    def __init__(self, noise: float) -> None:
        self.inner = effective_medium()
        self.__dict__.update(vars(self.inner))
        self.conservative = False
        self.noise = noise

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        found = []
        for atoms, evaluation in zip(structures, self.inner.evaluate(structures, stress=stress), strict=True):
            # a stress that sees the positions differently than the forces see the cell
            random = np.random.default_rng(zlib.crc32(atoms.positions.tobytes()))
            plane, axis = self.noise * random.choice([-1, 1], size=2) * random.uniform(0.5, 1, size=2)
            shift = 0.02 * (atoms.get_scaled_positions()[1, 2] - 0.26)
            wrong = evaluation.stress + np.array([plane + shift, plane + shift, axis + shift, 0, 0, 0])
            found.append(replace(evaluation, stress=wrong, forces=1.3 * evaluation.forces))
        return found


def test_forces_that_are_no_gradient_are_brought_to_zero() -> None:
    record = run(alloy(), Direct(noise=0.0))
    assert record.failure is None
    (evaluation,) = Direct(noise=0.0).evaluate([record.atoms], stress=True)
    assert np.abs(evaluation.forces).max() < 1e-4
    assert np.abs(evaluation.stress).max() < 1e-6
    # not the minimum of the energy, which is not what these forces know
    assert np.abs(record.atoms.cell.lengths() - run(alloy()).atoms.cell.lengths()).max() > 1e-4


def test_noise_above_the_target_is_accepted_below_its_bound_and_not_above() -> None:
    accepted = run(alloy(), Direct(noise=5e-6))
    assert accepted.failure is None
    assert accepted.values["relax_steps"] < 60
    refused = run(alloy(), Direct(noise=1e-3))
    assert refused.failure.kind == "not_converged"
    assert "would be accepted" in refused.failure.message


def test_steps_that_run_out_are_not_converged() -> None:
    # one of BFGS, one of FIRE
    record = run(alloy(), settings=SETTINGS.model_copy(update={"steps": 1}))
    assert record.failure.kind == "not_converged"
    assert "after 2 steps" in record.failure.message
