from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

from softmode.engine.background import worker_processes
from softmode.engine.records import Failure, Record
from softmode.errors import DeviceLost
from softmode.reference.cells import make_phonopy, to_ase
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.harmonic import ForceSets
from softmode.settings.protocol import Protocol
from softmode.stages.force_sets import compute_force_sets
from tests.stages.potentials import Curved, Misbehaving, batches_of, effective_medium


@pytest.fixture
def settings(loew2024: Protocol) -> ForceSets:
    return ForceSets(**loew2024.section("force_sets"))


def task(symbol: str, structure: str | None = None) -> tuple[Entry, Record]:
    atoms = bulk(symbol, structure, a=2.9, c=4.7) if structure else bulk(symbol, cubic=True)
    atoms.calc = EMT()
    atoms.get_potential_energy()
    entry = Entry(symbol, atoms, np.diag([2, 2, 2]), np.eye(3), source="made for a test")
    return entry, Record(symbol, atoms, {"relax_steps": 3})


def test_forces_are_those_of_phonopys_own_loop(settings: ForceSets) -> None:
    entry, relaxed = task("Cu")
    (record,) = compute_force_sets(iter([(entry, relaxed)]), batches_of(effective_medium(), 70), settings)
    cell = PhonopyAtoms(
        ["Cu"] * 4, cell=relaxed.atoms.cell.array, scaled_positions=relaxed.atoms.get_scaled_positions()
    )
    phonopy = Phonopy(cell, np.diag([2, 2, 2]), primitive_matrix=np.eye(3))
    phonopy.generate_displacements(distance=0.01, is_diagonal=False)
    for forces, supercell in zip(record.arrays["forces"], phonopy.supercells_with_displacements, strict=True):
        atoms = to_ase(supercell)
        atoms.calc = EMT()
        assert forces == pytest.approx(atoms.get_forces(), abs=1e-12)
    assert np.linalg.norm(record.arrays["displacements"], axis=1) == pytest.approx([0.01] * len(phonopy.displacements))
    assert record.values["relax_steps"] == 3  # what is known from before is passed on


@pytest.mark.parametrize("largest_batch", [1, 40, 10000])
def test_forces_do_not_depend_on_the_size_of_batches(settings: ForceSets, largest_batch: int) -> None:
    tasks = [task("Cu"), task("Ag", "hcp")]
    expected = {r.entry: r for r in compute_force_sets(iter(tasks), batches_of(effective_medium(), 1000), settings)}
    for record in compute_force_sets(iter(tasks), batches_of(effective_medium(), largest_batch), settings):
        assert record.arrays["forces"] == pytest.approx(expected[record.entry].arrays["forces"], abs=1e-13)


@pytest.mark.slow
def test_displacements_made_by_other_processes_are_the_same(settings: ForceSets) -> None:
    tasks = [task("Cu"), task("Ag", "hcp")]
    expected = list(compute_force_sets(iter(tasks), batches_of(effective_medium(), 1000), settings))
    with worker_processes(1) as executor:
        evaluator = batches_of(effective_medium(), 1000)
        evaluator.executor = executor
        found = list(compute_force_sets(iter(tasks), evaluator, settings))
    for one, other in zip(found, expected, strict=True):
        assert (one.entry, one.failure) == (other.entry, other.failure)
        assert one.arrays.keys() == other.arrays.keys()
        assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)


def test_failed_relaxation_is_passed_on_as_it_is(settings: ForceSets) -> None:
    entry, relaxed = task("Cu")
    failed = Record("Cu", relaxed.atoms, failure=Failure("relax", "not_converged", "far away"))
    (record,) = compute_force_sets(iter([(entry, failed)]), batches_of(effective_medium(), 1000), settings)
    assert record.failure == failed.failure


@pytest.mark.parametrize(
    ("behaviour", "kind"), [("raise", "crash"), ("not finite", "not_finite"), ("energy not finite", "not_finite")]
)
def test_entry_that_breaks_fails_alone(settings: ForceSets, behaviour: str, kind: str) -> None:
    tasks = [task("Cu"), task("Pt"), task("Ag")]
    records = list(compute_force_sets(iter(tasks), batches_of(Misbehaving("Pt", behaviour), 1000), settings))
    assert [record.failure.kind if record.failure else None for record in records] == [None, kind, None]
    assert records[1].failure.stage == "force_sets"
    assert records[1].failure.message and records[1].values["force_sets_seconds"] > 0
    assert records[1].values["relax_steps"] == 3


def test_second_derivatives_are_stored_as_the_forces_of_small_displacements(settings: ForceSets) -> None:
    tasks = [task("Cu"), task("Ag", "hcp")]
    exact = settings.model_copy(update={"method": "autodiff"})
    small = settings.model_copy(update={"displacement_distance_A": 1e-3, "plus_minus": True})
    found = list(compute_force_sets(iter(tasks), batches_of(Curved(), 100), exact))
    for (entry, relaxed), record in zip(tasks, found, strict=True):
        (near,) = compute_force_sets(iter([(entry, relaxed)]), batches_of(effective_medium(), 100), small)
        # of a pair of opposite displacements one is enough
        assert 2 * record.values["n_displacements"] == near.values["n_displacements"]
        constants = []
        for forces in (record.arrays, near.arrays):
            phonopy = make_phonopy(relaxed.atoms, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
            phonopy.dataset = ForceSet.from_arrays(forces).to_phonopy()
            phonopy.produce_force_constants()
            constants.append(phonopy.force_constants)
        assert constants[0] == pytest.approx(constants[1], abs=2e-5)
        assert np.abs(constants[0]).max() > 1


def test_potential_that_breaks_at_its_second_derivatives_fails_alone(settings: ForceSets) -> None:
    class Broken(Curved):
        def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
            if "Ag" in structure.get_chemical_symbols():
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            if "Al" in structure.get_chemical_symbols():
                return np.full(directions.shape, np.nan)
            return super().curvature(structure, directions)

    exact = settings.model_copy(update={"method": "autodiff"})
    tasks = [task("Cu"), task("Ag"), task("Al")]
    found = {r.entry: r for r in compute_force_sets(iter(tasks), batches_of(Broken(), 100), exact)}
    assert found["Cu"].failure is None
    assert (found["Ag"].failure.stage, found["Ag"].failure.kind) == ("force_sets", "out_of_memory")
    assert found["Al"].failure.kind == "not_finite"


def test_lost_device_is_no_failure_of_the_entry(settings: ForceSets) -> None:
    class Lost(Curved):
        def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
            raise DeviceLost("gone")

    exact = settings.model_copy(update={"method": "autodiff"})
    evaluator = batches_of(Lost(), 100)
    evaluator.curvature = Lost().curvature
    with pytest.raises(DeviceLost):
        list(compute_force_sets(iter([task("Cu")]), evaluator, exact))


@pytest.mark.parametrize(
    ("supercell", "numbers"), [({"numbers": [1, 2, 3]}, [1, 2, 3]), ({"length_A": 5.0}, [2, 2, 2])], ids=str
)
def test_supercell_of_the_protocol_replaces_that_of_the_data_set(
    settings: ForceSets, supercell: dict, numbers: list[int]
) -> None:
    entry, relaxed = task("Cu")  # its lattice vectors are 3.61 Å long
    own = replace(entry, supercell_matrix=np.diag([3, 3, 3]))
    chosen = settings.model_copy(update={"supercell": supercell})
    (record,) = compute_force_sets(iter([(own, relaxed)]), batches_of(effective_medium(), 1000), chosen)
    assert record.arrays["supercell_matrix"].tolist() == np.diag(numbers).tolist()
    assert record.values["n_supercell"] == 4 * np.prod(numbers)
