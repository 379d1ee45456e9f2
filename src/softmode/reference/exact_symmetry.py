"""Crystals that have their symmetry almost, made to have it exactly.

phonopy shares a force constant among the images of an atom that are equally far within its tolerance. Where positions
have few digits, or a relaxation kept no symmetry, they are not: in supercells of a dozen atoms, entropies are then off
by several per cent though all force constants are right. A larger tolerance for images is no way out, because it makes
images equal that are not.
"""

from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from scipy.linalg import sqrtm

from softmode.reference.cells import EXACT, build_cells, order_of_atoms, symmetry_dataset
from softmode.reference.entry import Entry

# in Å: atoms that would move by less stay where they are. The Kyoto database has lattice vectors of eight digits, off
# by a tenth of it; with 1e-5, phonopy's own tolerance, images of atoms with five digits were not equally far
_NOTHING = 1e-7
# decimals of positions; with one more they are exact enough for phonopy's tolerance in a cell of 20 Å
_DIGITS = 6


def has_few_digits(cell: Atoms) -> bool:
    """Return whether reduced or Cartesian positions are written with so few digits that images are not equally far."""
    written = (cell.get_scaled_positions(wrap=False), cell.positions)
    return any(np.abs(positions - positions.round(_DIGITS)).max() < 1e-12 for positions in written)


def rounding(cell: Atoms) -> float:
    """Return how far apart in Å the digits of reduced positions may put what is one place; 0 where they say nothing.

    Multiples of an eighth are exact with three digits.
    """
    positions = cell.get_scaled_positions(wrap=False).ravel()
    telling = positions[np.abs(8 * positions - np.rint(8 * positions)) > 1e-9]
    digits = next((d for d in range(1, _DIGITS + 1) if np.abs(telling - telling.round(d)).max(initial=0) < 1e-12), None)
    return 0.0 if digits is None or not len(telling) else float(2 * 10.0**-digits * cell.cell.lengths().max())


def number_of_operations(cell: Atoms, tolerance: float) -> int:
    """Return how many symmetry operations spglib finds within a tolerance in Å."""
    found = symmetry_dataset(cell, tolerance)
    return 0 if found is None else len(found.rotations)


def make_exact(entry: Entry, tolerance: float) -> tuple[Entry, np.ndarray] | None:
    """Return the entry with the symmetry exact that its unit cell has within a tolerance.

    Args:
        tolerance: in Å, as far as atoms are moved

    Returns:
        the entry itself where nothing is to be moved, or another with its force set in the order of the new supercell,
        and for each atom of that supercell which one it was of the old; None where spglib finds no symmetry, or one
        that is further away
    """
    cell = _symmetric(entry.unit_cell, tolerance)
    if cell is None:
        return None
    if cell is entry.unit_cell:
        return entry, np.arange(entry.n_supercell)
    matrices = entry.supercell_matrix, entry.primitive_matrix
    old, _ = build_cells(entry.unit_cell, *matrices, max(entry.symmetry_tolerance, tolerance))
    new, _ = build_cells(cell, *matrices, EXACT)
    order = order_of_atoms(new, old.numbers, old.scaled_positions, within=4 * tolerance)
    force_set = None if entry.force_set is None else entry.force_set.reordered(order)
    return replace(entry, unit_cell=cell, force_set=force_set), order


def _symmetric(unit_cell: Atoms, tolerance: float) -> Atoms | None:
    """Return a cell with its symmetry exact, or the cell itself where it is; None where that moves anything too far.

    Atoms and lattice vectors keep their order. Masses and magnetic moments are not looked at: they may forbid an
    operation, but to keep it exact as well moves no atom out of place.
    """
    found = symmetry_dataset(unit_cell, tolerance)
    symmetric = None if found is None else symmetrise(unit_cell, found.rotations, found.translations)
    if symmetric is None:
        return None
    # the whole crystal may stay where it is
    moves = symmetric.moves - symmetric.moves.mean(axis=0)
    strain = np.abs(symmetric.lattice - unit_cell.cell.array).max()
    furthest = max(float(np.linalg.norm(moves @ symmetric.lattice, axis=1).max()), float(strain))
    if furthest > tolerance:
        return None
    if furthest < _NOTHING:
        return unit_cell
    exact = unit_cell.copy()
    exact.set_cell(symmetric.lattice)
    exact.set_scaled_positions(unit_cell.get_scaled_positions(wrap=False) + moves)
    return exact


@dataclass(frozen=True)
class Symmetric:
    """What makes symmetry operations exact that a cell has almost.

    Attributes:
        lattice: row vectors in Å, shape (3, 3)
        moves: of the atoms, in reduced coordinates, shape (n, 3)
        permutations: the atom on which each operation puts each atom, shape (n_operations, n)
    """

    lattice: np.ndarray
    moves: np.ndarray
    permutations: np.ndarray


def symmetrise(cell: Atoms, rotations: np.ndarray, translations: np.ndarray) -> Symmetric | None:
    """Return the cell's symmetric lattice and positions: the mean of what the operations make of them.

    Args:
        rotations: in reduced coordinates, shape (n_operations, 3, 3)
        translations: the same, shape (n_operations, 3)

    Returns:
        None where an operation puts two atoms on one, so that they cannot be told apart
    """
    lattice, positions = cell.cell.array, cell.get_scaled_positions(wrap=False)
    # an operation takes reduced coordinates x to W x + w, and so the metric G to Wᵀ G W
    metric = np.mean([rotation.T @ (lattice @ lattice.T) @ rotation for rotation in rotations], axis=0)
    inverse = np.linalg.inv(lattice)
    lattice = lattice @ np.real(sqrtm(inverse @ metric @ inverse.T))
    moves, nearest, permutations = np.zeros_like(positions), np.arange(len(positions)), []
    for rotation, translation in zip(rotations, translations, strict=True):
        difference = (positions @ rotation.T + translation)[:, None] - positions[None]
        difference -= np.rint(difference)
        distances = np.linalg.norm(difference @ lattice, axis=2)
        distances[cell.numbers[:, None] != cell.numbers] = np.inf
        onto = distances.argmin(axis=1)
        if len(set(onto)) < len(onto):
            return None
        moves[onto] += difference[nearest, onto] / len(rotations)
        permutations.append(onto)
    return Symmetric(lattice, moves, np.array(permutations))
