"""Phonons at any wave vector without a supercell: the primitive cell, and all around it that its energy depends on.

The energy of a crystal is a sum over cells, and each term depends on the atoms within the receptive field of the
potential alone. With H its second derivatives by the atoms of that neighbourhood, the dynamical matrix is

    D(q) = M^-1/2 P(q)† H P(q) M^-1/2,

where P(q) displaces every image of an atom by its Bloch phase: a pair of atoms that is not in the term of one cell is
in that of another, which is the same term. Nothing is cut off and nothing interpolated, so that what a supercell makes
wrong is seen (the idea of Fang et al., arXiv:2403.11347).
"""

from typing import cast

import numpy as np
from ase import Atoms
from ase.neighborlist import primitive_neighbor_list
from phonopy.physical_units import get_physical_units

from softmode.potentials.base import HasAtomicEnergies, Potential

# Distance in Å beyond the receptive field up to which atoms are taken. Without it, rounding would leave out an atom at
# its very end, whose weight is zero there.
_MARGIN = 0.01


def neighbourhood(primitive: Atoms, receptive_field: float) -> tuple[Atoms, np.ndarray, np.ndarray]:
    """Return the atoms of a cell, which come first, and all atoms within a distance of them, as a cluster.

    Args:
        receptive_field: in Å

    Returns:
        the cluster, in a box in which no atom is near its images; for each of its atoms which atom of the cell it is an
        image of, shape (n,); and in which cell it is, as lattice vectors, integers, shape (n, 3)
    """
    _, images, shifts = primitive_neighbor_list(
        "ijS", (True, True, True), primitive.cell.array, primitive.positions, receptive_field + _MARGIN
    )
    around = np.unique(np.column_stack([images, shifts]), axis=0)
    around = around[np.any(around[:, 1:] != 0, axis=1)]
    of_atom = np.concatenate([np.arange(len(primitive)), around[:, 0]])
    cells = np.concatenate([np.zeros((len(primitive), 3), dtype=int), around[:, 1:]])
    positions = primitive.positions[of_atom] + cells @ primitive.cell.array
    cluster = Atoms(primitive.numbers[of_atom], positions=positions, pbc=True)
    # not every package takes what is not periodic; no cutoff is longer than the receptive field
    cluster.center(vacuum=receptive_field / 2)
    return cluster, of_atom, cells


def frequencies_without_supercell(
    potential: Potential, primitive: Atoms, masses: np.ndarray, receptive_field: float, qpoints: np.ndarray
) -> np.ndarray:
    """Return the frequencies at wave vectors, exact for the potential as it is.

    Args:
        potential: one that has atomic energies
        primitive: a cell at rest
        masses: in u, shape (n_atoms,)
        receptive_field: in Å: farther atoms change the energies of the cell's atoms by nothing
        qpoints: in reduced coordinates, shape (n_q, 3)

    Returns:
        THz, imaginary ones negative, shape (n_q, 3 n_atoms)
    """
    factor = get_physical_units().DefaultToTHz
    found = []
    for matrix in dynamical_matrices(potential, primitive, receptive_field, qpoints):
        weights = np.repeat(1 / np.sqrt(masses), 3)
        squares = np.linalg.eigvalsh(matrix * np.outer(weights, weights))
        found.append(np.sign(squares) * np.sqrt(np.abs(squares)) * factor)
    return np.array(found)


def dynamical_matrices(
    potential: Potential, primitive: Atoms, receptive_field: float, qpoints: np.ndarray
) -> np.ndarray:
    """Return the same without masses: force constants in eV/Å², summed with Bloch phases of lattice vectors.

    Returns:
        complex, Hermitian, shape (n_q, 3 n_atoms, 3 n_atoms)
    """
    cluster, of_atom, cells = neighbourhood(primitive, receptive_field)
    n_atoms = len(primitive)
    matrices = []
    for qpoint in np.asarray(qpoints, dtype=float):
        phases = np.exp(2j * np.pi * cells @ qpoint)
        # a displacement of every image of an atom along an axis, shape (3 n_atoms, n, 3)
        waves = np.zeros((3 * n_atoms, len(cluster), 3), dtype=complex)
        for axis in range(3):
            waves[3 * of_atom + axis, np.arange(len(cluster)), axis] = phases
        parts = [waves.real] if np.allclose(waves.imag, 0) else [waves.real, waves.imag]
        products = [
            cast(HasAtomicEnergies, potential).curvature_of_atoms(cluster, n_atoms, np.ascontiguousarray(part))
            for part in parts
        ]
        product = products[0] + (1j * products[1] if len(products) > 1 else 0)
        matrix = np.einsum("ika,jka->ij", waves.conj(), product)
        matrices.append((matrix + matrix.conj().T) / 2)
    return np.array(matrices)
