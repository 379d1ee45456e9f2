import ase.optimize
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from ase.filters import FrechetCellFilter
from ase.spacegroup import crystal

from softmode.engine.records import Record
from softmode.reference.entry import Entry
from softmode.settings.protocol import stage_settings
from softmode.settings.relaxation import AseRelaxation, Relax
from softmode.stages.relax import relax
from tests.stages.potentials import Misbehaving, batches_of, effective_medium

SETTINGS = {
    "method": "ase",
    "optimizer": "FIRE",
    "cell": "free",
    "relaxed_cell": "unit",
    "force_target_eV_per_A": 0.005,
    "force_unphysical_eV_per_A": 1e4,
    "steps": 300,
}
# from the conventional cell of θ-Al2Cu to its primitive one
CENTRED = np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]])


def theta(primitive: bool = True) -> Atoms:
    """θ-Al2Cu (I4/mcm), off its minimum: one free coordinate, two free lengths."""
    made = crystal(
        ["Al", "Cu"], [(0.165, 0.665, 0), (0, 0, 0.25)], spacegroup=140, cellpar=[6.0, 6.0, 5.0, 90, 90, 90],
        primitive_cell=primitive,
    )  # fmt: skip
    return Atoms(made.symbols, cell=made.cell, scaled_positions=made.get_scaled_positions(), pbc=True)


def run(atoms: Atoms, primitive_matrix: np.ndarray | None = None, **changes: object) -> Record:
    matrix = np.eye(3) if primitive_matrix is None else primitive_matrix
    entry = Entry("theta", atoms, np.eye(3, dtype=int), matrix, source="made for a test")
    settings: AseRelaxation = stage_settings(Relax, SETTINGS | changes)
    (record,) = relax(iter([entry]), batches_of(effective_medium(), 1000), settings)
    return record


@pytest.mark.parametrize("optimizer", ["FIRE", "LBFGS", "BFGS"])
def test_trajectory_is_that_of_ases_own_optimiser_on_a_rattled_crystal(optimizer: str) -> None:
    atoms = theta()
    atoms.rattle(0.05, seed=3)
    record = run(atoms, optimizer=optimizer, steps=20)
    expected = atoms.copy()
    expected.calc = EMT()
    own = getattr(ase.optimize, optimizer)(FrechetCellFilter(expected), logfile=None)
    own.run(fmax=0.005, steps=20)
    assert record.failure is None and record.values["relax_steps"] == own.nsteps > 5
    assert record.atoms.positions == pytest.approx(expected.positions, abs=1e-11)
    assert record.atoms.cell.array == pytest.approx(expected.cell.array, abs=1e-11)


def test_fixed_cell_is_the_data_sets_and_positions_are_relaxed() -> None:
    record = run(theta(), cell="fixed", symmetry_tolerance_A=0.01)
    assert np.array_equal(record.atoms.cell.array, theta().cell.array)
    assert record.values["relax_largest_force_eV_per_A"] < 0.005
    assert np.abs(record.atoms.get_stress()).max() > 0.01
    assert np.abs(record.atoms.positions - theta().positions).max() > 0.01


def test_without_shear_only_the_lengths_of_a_sheared_cell_change() -> None:
    sheared = Atoms("CuAu", cell=[2.75, 2.75, 3.6], scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], pbc=True)
    sheared.set_cell(sheared.cell.array @ [[1, 0.02, 0], [0.02, 1, 0], [0, 0, 1]], scale_atoms=True)
    free, without = (run(sheared, cell=cell) for cell in ("free", "no_shear"))

    def shear(record: Record) -> float:
        deformation = np.linalg.inv(sheared.cell.array) @ record.atoms.cell.array
        return float(abs(deformation[0, 1]))

    assert shear(without) < 1e-3 and shear(free) > 1e-2
    assert without.atoms.cell.volume != pytest.approx(sheared.cell.volume, rel=1e-3)


def test_of_a_relaxed_primitive_cell_the_unit_cell_is_made_with_its_atoms_in_their_order() -> None:
    conventional = theta(primitive=False)
    record = run(conventional, CENTRED, relaxed_cell="primitive", force_target_eV_per_A=0.05)
    assert record.failure is None
    assert record.atoms.get_chemical_symbols() == conventional.get_chemical_symbols()
    # the forces that the record states are those of its own cell
    again = record.atoms.copy()
    again.calc = EMT()
    assert record.atoms.get_forces() == pytest.approx(again.get_forces(), abs=1e-9)
    assert record.atoms.get_potential_energy() == pytest.approx(again.get_potential_energy(), abs=1e-9)
    assert record.atoms.get_stress() == pytest.approx(again.get_stress(), abs=1e-9)
    # and it is what the primitive cell becomes by itself
    alone = run(theta(), force_target_eV_per_A=0.05)
    assert record.values["relax_steps"] == alone.values["relax_steps"]
    assert record.atoms.cell.volume / 12 == pytest.approx(alone.atoms.cell.volume / 6, rel=1e-8)


def test_what_the_last_step_reached_is_taken_where_no_force_is_too_large() -> None:
    record = run(theta(), steps=2)
    assert record.failure is None and record.values["relax_steps"] == 2
    assert record.values["relax_largest_force_eV_per_A"] > 0.005
    refused = run(theta(), steps=2, force_accepted_eV_per_A=0.01)
    assert refused.failure is not None and refused.failure.kind == "not_converged"


def test_parameters_of_fire_are_refused_for_another_optimiser() -> None:
    with pytest.raises(Exception, match="are of FIRE, and the optimiser is LBFGS"):
        stage_settings(Relax, SETTINGS | {"optimizer": "LBFGS", "optimizer_arguments": {"dt": 0.1}})


def test_unphysical_force_fails() -> None:
    entry = Entry("x", theta(), np.eye(3, dtype=int), np.eye(3), source="made for a test")
    (record,) = relax(iter([entry]), batches_of(Misbehaving("Al", "unphysical"), 1000), stage_settings(Relax, SETTINGS))
    assert record.failure is not None and record.failure.kind == "unphysical_forces"
