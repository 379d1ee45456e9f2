from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from softmode.potentials.base import Evaluation
from tests.stages.potentials import effective_medium
from tests.stages.test_quasi_newton import SETTINGS, alloy, run
from tests.stages.test_symmetric_cell import corundum

CREASED = SETTINGS.model_copy(update={"crease_width_A": 0.002})


class Changed:
    """Effective medium theory with a term in the volume of an atom, and a note of every structure it was asked for."""

    def __init__(self) -> None:
        self.inner = effective_medium()
        self.__dict__.update(vars(self.inner))
        self.calls: list[int] = []

    def energy_and_pressure(self, volume: float) -> tuple[float, float]:
        """The term of an atom at its volume in Å³: energy in eV, and its derivative in eV/Å³."""
        raise NotImplementedError

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        self.calls.append(len(structures))
        changed = []
        for atoms, found in zip(structures, self.inner.evaluate(structures, stress=stress), strict=True):
            energy, slope = self.energy_and_pressure(atoms.cell.volume / len(atoms))
            diagonal = np.array([slope] * 3 + [0.0] * 3)
            changed.append(replace(found, energy=found.energy + len(atoms) * energy, stress=found.stress + diagonal))
        return changed


class Creased(Changed):
    """An energy with a kink at one volume, as where a shell of neighbours crosses the cutoff of a potential."""

    def __init__(self, volume: float, jump: float) -> None:
        super().__init__()
        self.volume, self.jump = volume, jump

    def energy_and_pressure(self, volume: float) -> tuple[float, float]:
        return self.jump / 2 * abs(volume - self.volume), self.jump / 2 * np.sign(volume - self.volume)


def per_atom(atoms: Atoms) -> float:
    return atoms.cell.volume / len(atoms)


@pytest.mark.parametrize("atoms", [bulk("Cu", cubic=True, a=3.8), alloy(), corundum()], ids=["cubic", "layers", "many"])
def test_minimum_on_a_crease_is_found_with_all_else_relaxed(atoms: Atoms) -> None:
    crease = 1.002 * per_atom(run(atoms).atoms)
    potential = Creased(crease, 0.01)
    record = run(atoms, potential, CREASED)
    assert record.failure is None
    assert per_atom(record.atoms) == pytest.approx(crease, rel=2e-4)
    assert record.values["relax_crease_eV_per_A"] > 0.01
    assert record.values["relax_largest_force_eV_per_A"] < 1e-3
    at_crease = record.atoms.copy()
    at_crease.set_cell(at_crease.cell * (crease / per_atom(at_crease)) ** (1 / 3), scale_atoms=True)
    at_crease.calc = EMT()
    BFGS(FrechetCellFilter(at_crease, constant_volume=True), logfile=None).run(fmax=1e-4, steps=300)
    (found,) = potential.evaluate([at_crease], stress=True)
    assert record.atoms.get_potential_energy() == pytest.approx(found.energy, abs=1e-4)


def test_crease_is_not_taken_for_a_minimum_where_the_protocol_does_not_say_so() -> None:
    record = run(alloy(), Creased(1.002 * per_atom(run(alloy()).atoms), 0.01))
    assert record.failure.kind == "not_converged"


def test_crease_away_from_the_minimum_changes_nothing() -> None:
    smooth = run(alloy())
    # too weak to hold the volume, and passed on the way
    record = run(alloy(), Creased(1.03 * per_atom(smooth.atoms), 1e-3), CREASED)
    assert record.failure is None
    assert "relax_crease_eV_per_A" not in record.values
    assert per_atom(record.atoms) == pytest.approx(per_atom(smooth.atoms), rel=5e-3)


def test_steps_before_the_descent_count_too() -> None:
    potential = Creased(1.002 * per_atom(run(alloy()).atoms), 0.01)
    record = run(alloy(), potential, CREASED)
    # what is asked for alone is a step; the rest are the differences of Hessians
    assert record.values["relax_steps"] == potential.calls.count(1) > 50


def test_volume_that_runs_away_is_a_failure_of_its_own() -> None:
    class Repelled(Changed):
        def energy_and_pressure(self, volume: float) -> tuple[float, float]:
            return -volume, -1.0

    record = run(bulk("Cu", cubic=True), Repelled(), CREASED.model_copy(update={"largest_volume_change": 1.5}))
    assert record.failure.kind == "no_minimum"
    assert "times what it was" in record.failure.message
    unbound = run(bulk("Cu", cubic=True), Repelled(), CREASED.model_copy(update={"steps": 60}))
    assert unbound.failure.kind == "not_converged"


def test_cell_that_grows_within_the_bound_is_none() -> None:
    record = run(bulk("Cu", cubic=True, a=3.2), settings=CREASED.model_copy(update={"largest_volume_change": 1.5}))
    assert record.failure is None


def test_saddle_point_without_any_force_is_left() -> None:
    top = per_atom(run(bulk("Cu", cubic=True)).atoms)

    class Between(Changed):
        """Two minima, and the volume between them where nothing pulls."""

        def energy_and_pressure(self, volume: float) -> tuple[float, float]:
            away = volume - top
            return 0.5 * away**4 - 0.2 * away**2, 2 * away**3 - 0.4 * away

    start = bulk("Cu", cubic=True, a=(4 * top) ** (1 / 3))
    record = run(start, Between(), CREASED)
    assert record.failure is None
    # the mean of two points beside a smooth minimum is nearer to zero, and no crease
    assert "relax_crease_eV_per_A" not in record.values
    (before,) = Between().evaluate([start], stress=True)
    assert record.atoms.get_potential_energy() < before.energy - 0.01


def test_saddle_point_is_left_where_the_energy_is_large_and_the_fall_beside_it_lost_in_rounding() -> None:
    top = per_atom(run(bulk("Cu", cubic=True)).atoms)

    class Deep(Changed):
        """The same, with the energies of all electrons."""

        def energy_and_pressure(self, volume: float) -> tuple[float, float]:
            away = volume - top
            return 0.01 * away**4 - 0.06 * away**2 - 20000.0, 0.04 * away**3 - 0.12 * away

    start = bulk("Cu", cubic=True, a=(4 * top) ** (1 / 3))
    # at the saddle within the targets, so that nothing pulls away from it
    within = {"stress_target_eV_per_A3": 1e-4, "stress_accepted_eV_per_A3": 1e-3}
    record = run(start, Deep(), CREASED.model_copy(update=within))
    assert record.failure is None
    assert abs(per_atom(record.atoms) / top - 1) > 0.02
