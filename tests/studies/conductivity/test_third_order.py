from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from phono3py import load

from softmode.engine.records import Failure, Record
from softmode.errors import EntryError, InputError
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.harmonic import ForceSets
from softmode.stages.displacements import displace
from softmode.stages.force_sets import compute_force_sets
from softmode.studies.conductivity.forces import compute_third_order_forces
from softmode.studies.conductivity.settings import ThirdOrderForces
from softmode.studies.conductivity.third_order import (
    dataset_of,
    displace_pairs,
    give_forces,
    make_force_constants,
    make_phono3py,
    pairs_of,
    read_phono3py,
    smaller_supercell,
    to_arrays,
)
from tests.stages.potentials import batches_of, effective_medium
from tests.studies.supercell_error.test_stage import alloy

PAIRS = ThirdOrderForces(symmetry_tolerance_A=1e-5, displacement_distance_A=0.03)
SINGLE = ForceSets(
    displacement_distance_A=0.01, diagonal=False, plus_minus="auto", symmetry_tolerance_A=1e-5
)  # fmt: skip


class Bonds:
    """Energy ½ k s² + ⅙ g s³ of each bond that s stretches: a polynomial, whose derivatives are known."""

    def __init__(self, atoms: Atoms) -> None:
        first, second, distances, vectors = neighbor_list("ijdD", atoms, 3.2)
        once = first < second  # of a bond between images of one atom, s is zero
        self.pairs = np.stack([first, second], axis=1)[once]
        self.along = vectors[once] / distances[once, None]
        strength = np.exp(-distances[once]) * (1 + 0.01 * atoms.numbers[self.pairs].sum(axis=1))
        self.second, self.third = 30 * strength, -90 * strength

    def forces(self, displacements: np.ndarray) -> np.ndarray:
        one, other = self.pairs.T
        stretch = ((displacements[other] - displacements[one]) * self.along).sum(axis=1)
        pull = (self.second * stretch + self.third * stretch**2 / 2)[:, None] * self.along
        forces = np.zeros_like(displacements)
        np.add.at(forces, one, pull)
        np.add.at(forces, other, -pull)
        return forces

    def third_order(self, n_atoms: int) -> np.ndarray:
        constants = np.zeros((n_atoms,) * 3 + (3,) * 3)
        for pair, along, strength in zip(self.pairs, self.along, self.third, strict=True):
            cube = strength * np.einsum("a,b,c->abc", along, along, along)
            for i, one in ((-1, pair[0]), (1, pair[1])):
                for j, two in ((-1, pair[0]), (1, pair[1])):
                    for k, three in ((-1, pair[0]), (1, pair[1])):
                        constants[one, two, three] += i * j * k * cube
        return constants


@pytest.mark.parametrize("symmetrized", [True, False])
def test_third_derivatives_of_a_polynomial_are_recovered_in_a_crystal_without_symmetry(symmetrized: bool) -> None:
    cell = np.array([[3.1, 0.1, 0.0], [0.2, 3.3, -0.1], [0.0, 0.3, 3.6]])
    atoms = Atoms("NaCl", scaled_positions=[[0, 0, 0], [0.46, 0.53, 0.49]], cell=cell, pbc=True)
    matrix = np.diag([2, 1, 1])
    phono3py = make_phono3py(atoms, matrix, matrix, np.eye(3), 1e-5)
    supercells = displace_pairs(phono3py, PAIRS)
    pristine = Atoms(phono3py.supercell.numbers, cell=phono3py.supercell.cell, positions=phono3py.supercell.positions)
    pristine.pbc = True
    bonds = Bonds(pristine)
    assert len(bonds.pairs) == 20 and len(supercells) > 200
    forces = np.array([bonds.forces(each.positions - pristine.positions) for each in supercells])
    displaced = displace((atoms, matrix), SINGLE)
    assert displaced is not None
    second = ForceSet(
        displaced.force_set.atoms,
        displaced.force_set.displacements,
        np.array([bonds.forces(direction) for direction in displaced.directions]),
    )
    give_forces(phono3py, second, dataset_of(to_arrays(phono3py, forces)))
    make_force_constants(phono3py, symmetrized)
    expected = bonds.third_order(len(pristine))[phono3py.primitive.p2s_map]
    assert np.abs(expected).max() > 1
    assert phono3py.fc3 == pytest.approx(expected, abs=1e-6)


def test_arrays_of_a_record_are_phono3pys_own_data_set_with_the_forces_in_their_places() -> None:
    entry, _ = alloy(np.eye(3, dtype=int))
    phono3py = make_phono3py(entry.unit_cell, np.eye(3, dtype=int), np.eye(3, dtype=int), np.eye(3), 1e-5)
    supercells = displace_pairs(phono3py, PAIRS)
    own = phono3py.supercells_with_displacements
    assert len(own) == len(supercells)
    for one, other in zip(own, supercells, strict=True):
        assert one.positions == pytest.approx(other.positions, abs=1e-12)
    forces = np.random.default_rng(0).normal(size=(len(own), len(entry.unit_cell), 3))
    phono3py.forces = forces
    made, expected = dataset_of(to_arrays(phono3py, forces)), phono3py.dataset
    assert all(np.array_equal(one, other) for one, other in zip(pairs_of(made), pairs_of(expected), strict=True))
    for one, other in zip(made["first_atoms"], expected["first_atoms"], strict=True):
        assert np.array_equal(one["forces"], other["forces"])
        assert all(
            np.array_equal(a["forces"], b["forces"])
            for a, b in zip(one["second_atoms"], other["second_atoms"], strict=True)
        )


def test_supercell_of_pairs_is_a_part_of_that_of_the_second_order() -> None:
    conventional = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    assert (smaller_supercell(4 * conventional, 2) == 2 * conventional).all()
    assert (smaller_supercell(np.diag([5, 5, 3]), 2) == np.diag([3, 3, 2])).all()
    assert (smaller_supercell(np.diag([3, 2, 1]), 1) == np.diag([3, 2, 1])).all()
    with pytest.raises(EntryError, match="supercell_divisor: 1"):
        smaller_supercell(np.array([[2, 1, 0], [1, 2, 0], [0, 0, 1]]), 2)


def force_sets(entry: Entry, relaxed: Record) -> Record:
    (record,) = compute_force_sets(iter([(entry, relaxed)]), batches_of(effective_medium(), 1000), SINGLE)
    return record


def test_forces_of_pairs_stand_beside_those_of_single_atoms_and_failures_pass_on() -> None:
    entry, relaxed = alloy(np.eye(3, dtype=int))
    before = force_sets(entry, relaxed)
    failed = Record("x", before.atoms, failure=Failure("relax", "not_converged", "far away"))
    few = PAIRS.model_copy(update={"most_supercells": 10})
    evaluator = batches_of(effective_medium(), 1000)
    passed, found = compute_third_order_forces(iter([(entry, failed), (entry, before)]), evaluator, PAIRS)
    assert passed.failure == failed.failure and found.failure is None
    assert np.array_equal(found.arrays["forces"], before.arrays["forces"])
    n = found.values["n_third_order_displacements"]
    assert found.arrays["third_order_forces"].shape == (n, found.values["n_third_order_supercell"], 3)
    assert found.values["third_order_forces_seconds"] > 0
    # one pair, by hand
    pair, by = found.arrays["third_order_atoms"][-1], found.arrays["third_order_displacements"][-1]
    atoms = entry.unit_cell.copy()
    atoms.positions[pair[0]] += by[0]
    atoms.positions[pair[1]] += by[1]
    (direct,) = effective_medium().evaluate([atoms])
    assert found.arrays["third_order_forces"][-1] == pytest.approx(direct.forces, abs=1e-8)
    (too_many,) = compute_third_order_forces(iter([(entry, before)]), evaluator, few)
    assert too_many.failure is not None and too_many.failure.kind == "too_many_supercells"


def test_files_of_phono3py_are_read_and_a_file_without_forces_is_refused(project: Path, tmp_path: Path) -> None:
    folder = project / "data" / "phono3py" / "Si-PBE"
    silicon = read_phono3py(folder / "phono3py_disp.yaml.xz", folder / "FORCES_FC3.xz")
    assert silicon.forces.shape == (111, 64, 3)
    make_force_constants(silicon, True)
    own = load(folder / "phono3py_disp.yaml.xz", produce_fc=False, log_level=0)
    own.dataset = silicon.dataset
    own.produce_fc3(fc_calculator="traditional")
    own.symmetrize_fc3()
    assert silicon.fc3 == pytest.approx(own.fc3, abs=1e-10)
    assert np.abs(silicon.fc3).max() > 30
    with pytest.raises(InputError, match="has no forces of the third order"):
        read_phono3py(folder / "phono3py_disp.yaml.xz")
    with pytest.raises(InputError, match="phono3py cannot read it"):
        read_phono3py(tmp_path / "nothing.yaml")
