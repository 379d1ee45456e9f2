import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from phonopy import Phonopy

from softmode.reference.cells import make_phonopy, to_ase
from softmode.stages.mesh import grid_matrix, run_mesh
from tests.stages.graphene import graphene

TOLERANCE = 1e-5


def copper(cell: Atoms) -> Phonopy:
    phonopy = make_phonopy(cell, np.diag([2, 2, 2]), np.eye(3), TOLERANCE)
    phonopy.generate_displacements(distance=0.01)
    forces = []
    for supercell in phonopy.supercells_with_displacements:
        atoms = to_ase(supercell)
        atoms.calc = EMT()
        forces.append(atoms.get_forces())
    phonopy.forces = np.array(forces)
    phonopy.produce_force_constants()
    return phonopy


TETRAGONAL = Atoms("Cu", cell=[[-1.3, 1.3, 1.9], [1.3, -1.3, 1.9], [1.3, 1.3, -1.9]], pbc=True)


@pytest.mark.parametrize(
    ("cell", "diagonal"), [(bulk("Cu"), True), (bulk("Cu", cubic=True), True), (TETRAGONAL, False)], ids="fsb"
)
def test_points_are_those_of_phonopys_own_mesh_of_a_length(cell: Atoms, diagonal: bool) -> None:
    phonopy = copper(cell)
    matrix = grid_matrix(phonopy.primitive, {"length_A": 31.0}, TOLERANCE)
    assert np.array_equal(matrix, np.diag(np.diagonal(matrix))) == diagonal
    found = run_mesh(phonopy, matrix, {"length_A": 31.0})
    frequencies, weights = found.frequencies, found.weights
    expected = phonopy.run_mesh(31.0, is_gamma_center=True)
    assert np.array_equal(frequencies, expected.frequencies) and np.array_equal(weights, expected.weights)


@pytest.mark.parametrize("matrix", [np.diag([5, 6, 7]), [[0, 8, 8], [8, 0, 8], [5, 5, 0]]])
@pytest.mark.parametrize("cell", [bulk("Cu"), bulk("Cu", cubic=True), TETRAGONAL], ids="fsb")
def test_mesh_that_the_crystal_has_not_the_symmetry_of_has_all_its_points(cell: Atoms, matrix: list) -> None:
    """Such as that of a reference from whose symmetry a potential has relaxed the crystal to a higher one."""
    found = run_mesh(copper(cell), np.array(matrix), {"length_A": 31.0})
    assert np.sum(found.weights) == round(abs(np.linalg.det(matrix)))


def test_slab_has_one_point_across_its_vacuum_and_numbers_are_taken_as_they_are() -> None:
    slab = make_phonopy(graphene(15), np.diag([3, 3, 1]), np.eye(3), TOLERANCE).primitive
    assert grid_matrix(slab, {"length_A": 100.0}, TOLERANCE).tolist() == np.diag([46, 46, 1]).tolist()
    assert grid_matrix(slab, {"numbers": [8, 9, 10]}, TOLERANCE).tolist() == np.diag([8, 9, 1]).tolist()
    crystal = make_phonopy(TETRAGONAL, np.diag([2, 2, 2]), np.eye(3), TOLERANCE).primitive
    assert grid_matrix(crystal, {"numbers": [8, 9, 10]}, TOLERANCE).tolist() == np.diag([8, 9, 10]).tolist()


@pytest.mark.parametrize("numbers", [[4, 4, 4], [5, 5, 5]])
def test_mesh_of_numbers_off_gamma_is_phonopys_own(numbers: list[int]) -> None:
    phonopy = copper(bulk("Cu"))
    found = run_mesh(phonopy, np.diag(numbers), {"numbers": numbers, "gamma_centred": False})
    frequencies, weights = found.frequencies, found.weights
    expected = phonopy.run_mesh(numbers)
    assert np.array_equal(frequencies, expected.frequencies) and np.array_equal(weights, expected.weights)
    # of even numbers, Gamma is none of the points
    assert (np.abs(frequencies).min() > 0.1) == (numbers[0] % 2 == 0)
