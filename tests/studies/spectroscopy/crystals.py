"""Textbook crystals, with springs between all near atoms: any force constants of the right symmetry have its irreps."""

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from ase.spacegroup import crystal
from phonopy import Phonopy

from softmode.reference.cells import make_phonopy

CRYSTALS = {
    "diamond": crystal("C", [(0, 0, 0)], spacegroup=227, cellpar=[3.57] * 3 + [90] * 3),
    "rock salt": crystal(["Na", "Cl"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225, cellpar=[5.64] * 3 + [90] * 3),
    "zincblende": crystal(["Zn", "S"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=216, cellpar=[5.41] * 3 + [90] * 3),
    "wurtzite": crystal(
        ["Zn", "O"], [(1 / 3, 2 / 3, 0), (1 / 3, 2 / 3, 0.382)], spacegroup=186, cellpar=[3.25, 3.25, 5.2, 90, 90, 120]
    ),
    "fluorite": crystal(["Ca", "F"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=[5.46] * 3 + [90] * 3),
    "rutile": crystal(
        ["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136, cellpar=[4.59, 4.59, 2.96, 90, 90, 90]
    ),
    "perovskite": crystal(
        ["Sr", "Ti", "O"], [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)], spacegroup=221, cellpar=[3.9] * 3 + [90] * 3
    ),
    "corundum": crystal(
        ["Al", "O"], [(0, 0, 0.352), (0.306, 0, 0.25)], spacegroup=167, cellpar=[4.76, 4.76, 12.99, 90, 90, 120]
    ),
    "calcite": crystal(
        ["Ca", "C", "O"],
        [(0, 0, 0), (0, 0, 0.25), (0.257, 0, 0.25)],
        spacegroup=167,
        cellpar=[4.99, 4.99, 17.06, 90, 90, 120],
    ),
    "anatase": crystal(
        ["Ti", "O"], [(0, 0, 0), (0, 0, 0.208)], spacegroup=141, cellpar=[3.785, 3.785, 9.514, 90, 90, 90]
    ),
}  # fmt: skip


def with_springs(atoms: Atoms, cutoff: float = 4.5) -> Phonopy:
    """Return phonopy's object of a crystal whose atoms are joined by springs, of one unit cell as its supercell."""
    primitive = _primitive_matrix(atoms)
    phonopy = make_phonopy(atoms, np.eye(3, dtype=int), primitive, 1e-5)
    phonopy.force_constants = springs(atoms, cutoff)
    return phonopy


def springs(atoms: Atoms, cutoff: float) -> np.ndarray:
    """Return force constants in eV/Å², shape (n, n, 3, 3): along and across each bond, weaker the longer it is."""
    first, second, distances, vectors = neighbor_list("ijdD", atoms, cutoff)
    constants = np.zeros((len(atoms), len(atoms), 3, 3))
    for i, j, distance, vector in zip(first, second, distances, vectors, strict=True):
        along = np.outer(vector, vector) / distance**2
        # elements differ, so that no symmetry is there that the crystal has not
        strength = (1 + 0.01 * (atoms.numbers[i] + atoms.numbers[j])) * np.exp(-distance)
        spring = strength * (8 * along + 0.7 * (np.eye(3) - along))
        constants[i, j] -= spring
        constants[i, i] += spring
    return constants


def _primitive_matrix(atoms: Atoms) -> np.ndarray:
    import spglib

    cell = atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers
    lattice, _, _ = spglib.find_primitive(cell, symprec=1e-5)
    # find_primitive may turn it; the lattice vectors of the crystal itself
    dataset = spglib.get_symmetry_dataset(cell, symprec=1e-5)
    letter = dataset.international[0]
    half, third = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2, 1 / 3
    matrices = {
        "P": np.eye(3),
        "F": half,
        "I": np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
        "R": np.array([[2, -1, -1], [1, 1, -2], [1, 1, 1]]) * third,
    }
    found = matrices[letter]
    assert np.isclose(abs(np.linalg.det(found)), abs(np.linalg.det(lattice)) / atoms.cell.volume)
    return found
