"""Cells between ASE, which stores them, and phonopy, which displaces them."""

import string
from fractions import Fraction
from typing import Any

import ase.data
import numpy as np
import spglib
from ase import Atoms
from phonopy import Phonopy
from phonopy.structure.atomic_data import get_atomic_data
from phonopy.structure.atoms import PhonopyAtoms
from phonopy.structure.cells import (
    Primitive,
    Supercell,
    get_primitive,
    get_primitive_matrix_by_centring,
    get_supercell,
)

from softmode.errors import EntryError

# Tolerance in Å within which symmetry is exact: phonopy's own, which its files leave unsaid. With another one, files
# without a recorded tolerance would get other symmetries, and data sets other digests.
EXACT = 1e-5
# Largest distance from an integer in a matrix of integers that was written as floats. With a larger one, a matrix
# that is of no supercell would be rounded to another one.
_INTEGER = 1e-5
# Relative difference of a mass that is an isotope's: natural variation is at most 0.9 % (Li, Pb). With less, lithium
# of some table would be taken for an isotope; with more than 2 %, copper 65 for natural copper.
_NATURAL_VARIATION = 0.01
_LETTERS = string.ascii_letters
# Number of unit cells that no supercell has along an axis. A damaged matrix with larger numbers would take all memory
# before anybody notices.
_LARGEST_INDEX = 1000
# Largest denominator of the fractions in a primitive matrix, and how far from them three digits may be. With a larger
# reach, matrices that are no such fractions would be changed.
_LARGEST_DENOMINATOR, _ROUNDED = 12, 6e-4
# Distance in Å up to which an atom, or a lattice vector, is the same in two lists; files write six digits and more.
# With more, atoms of another structure would be taken for these; with 1e-6, lists with few digits would be refused.
_SAME_POSITION = 1e-3


def standard_masses(numbers: np.ndarray) -> np.ndarray:
    """Return the masses in u of elements: phonopy's, and ASE's where phonopy has none (Po, Pu, …)."""
    of_phonopy = get_atomic_data().atom_data
    return np.array([of_phonopy[number][3] or ase.data.atomic_masses[number] for number in numbers], dtype=float)


def unusual_masses(numbers: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Return for each mass in u whether it differs from the standard one by more than nature does."""
    return np.asarray(np.abs(masses / standard_masses(numbers) - 1) > _NATURAL_VARIATION)


def set_masses(atoms: Atoms, masses: np.ndarray | None) -> None:
    """Give the atoms the masses (u) of a file; where all are the standard ones, ASE's array of masses is left out.

    So a crystal has an array of masses if, and only if, they are its own.
    """
    # files of phonopy have masses with six digits
    if masses is not None and not np.allclose(masses, standard_masses(atoms.numbers), rtol=0, atol=1e-5):
        atoms.set_masses(masses)


def masses_of(atoms: Atoms) -> np.ndarray:
    """Return the masses in u: the crystal's own, or the standard ones; never ASE's beside phonopy's."""
    return np.asarray(atoms.get_masses() if atoms.has("masses") else standard_masses(atoms.numbers))


def to_phonopy(atoms: Atoms) -> PhonopyAtoms:
    """Return a phonopy cell with the crystal's masses, and its magnetic moments if it has any (they lower symmetry)."""
    moments = atoms.get_initial_magnetic_moments()
    return PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(),
        cell=atoms.cell.array,
        scaled_positions=atoms.get_scaled_positions(wrap=False),
        masses=masses_of(atoms),
        magnetic_moments=moments if moments.any() else None,
    )


def to_ase(cell: PhonopyAtoms) -> Atoms:
    """Return a periodic ASE structure with the cell's masses and magnetic moments; Ni1 is nickel with the tag 1."""
    atoms = Atoms(cell.numbers, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)
    tags = [int("0" + symbol.lstrip(_LETTERS)) for symbol in cell.symbols]
    if any(tags):
        atoms.set_tags(tags)
    set_masses(atoms, cell.masses)
    if cell.magnetic_moments is not None:
        atoms.set_initial_magnetic_moments(cell.magnetic_moments)
    return atoms


def make_phonopy(
    unit_cell: Atoms, supercell_matrix: np.ndarray, primitive_matrix: np.ndarray, symmetry_tolerance: float
) -> Phonopy:
    """Return a Phonopy object of the entry's own matrices (never phonopy's guess); tolerance in Å."""
    return Phonopy(
        to_phonopy(unit_cell),
        supercell_matrix=supercell_matrix,
        primitive_matrix=primitive_matrix,
        symprec=symmetry_tolerance,
    )


def build_cells(
    unit_cell: Atoms, supercell_matrix: np.ndarray, primitive_matrix: np.ndarray, tolerance: float = EXACT
) -> tuple[Supercell, Primitive]:
    """Return supercell and primitive cell without a search for symmetry, which large cells would make slow.

    Args:
        tolerance: in Å, within which atoms of the unit cell that the primitive cell makes one are its images
    """
    supercell = get_supercell(to_phonopy(unit_cell), supercell_matrix, symprec=tolerance)
    to_primitive = np.linalg.inv(supercell_matrix) @ primitive_matrix
    return supercell, get_primitive(supercell, to_primitive, symprec=tolerance)


def find_primitive_matrix(unit_cell: Atoms, given: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the matrix from the unit cell to a primitive cell: the given one where it leads to a smallest cell.

    Atoms of other masses, magnetic moments or tags (Ni1, Ni2: spins or sites that were told apart) are other atoms:
    what repeats without them does not repeat.

    Args:
        given: of shape (3, 3), as in phonopy; the identity where nobody gave one
        tolerance: spglib's symprec in Å

    Returns:
        shape (3, 3), as phonopy's `primitive_matrix="auto"` where the given one is not primitive
    """
    symmetry = _symmetry_of_sites(unit_cell, tolerance)
    if symmetry is None:
        return given
    centring: Any = symmetry.international[0]
    found = np.linalg.inv(symmetry.transformation_matrix) @ get_primitive_matrix_by_centring(centring)
    volume, given_volume = np.linalg.det(found), abs(np.linalg.det(given))
    # volumes of such cells differ by whole factors; of a left-handed unit cell spglib may turn the vectors round
    return found * np.sign(volume) if abs(volume) < 0.9 * given_volume else given


def conventional_matrix(unit_cell: Atoms, tolerance: float) -> np.ndarray | None:
    """Return the matrix from the unit cell to spglib's conventional cell, in the orientation of the unit cell.

    Atoms are told apart as by `find_primitive_matrix`.

    Args:
        tolerance: spglib's symprec in Å

    Returns:
        shape (3, 3), as phonopy has a supercell matrix but of any numbers; None where spglib finds no symmetry
    """
    symmetry = _symmetry_of_sites(unit_cell, tolerance)
    if symmetry is None:
        return None
    matrix = np.linalg.inv(symmetry.transformation_matrix)
    return matrix * np.sign(np.linalg.det(matrix))


def _symmetry_of_sites(atoms: Atoms, tolerance: float) -> spglib.SpglibDataset | None:
    """Return the symmetry of a structure with masses, magnetic moments and tags."""
    moments = atoms.get_initial_magnetic_moments().reshape(len(atoms), -1)
    kinds = np.column_stack([atoms.numbers, atoms.get_tags(), masses_of(atoms).round(3), moments.round(3)])
    _, kind = np.unique(kinds, axis=0, return_inverse=True)
    crystal: Any = (atoms.cell.array, atoms.get_scaled_positions(wrap=False), kind.ravel() + 1)
    return spglib.get_symmetry_dataset(crystal, symprec=tolerance)


def symmetry_dataset(atoms: Atoms, tolerance: float) -> spglib.SpglibDataset | None:
    """Return what spglib finds of a structure's symmetry within a tolerance in Å; None where it finds none.

    It looks at lattice, positions and elements only. Atoms keep the cell that they are written in.
    """
    crystal: Any = (atoms.cell.array, atoms.get_scaled_positions(wrap=False), atoms.numbers)
    return spglib.get_symmetry_dataset(crystal, symprec=tolerance)


def integers(values: Any, name: str) -> np.ndarray:
    """Return a matrix of shape (3, 3) as integers, where it holds nothing else.

    Raises:
        EntryError: (kind `bad_entry`) it does; the message calls it `name`.
    """
    matrix = np.array(values, dtype=float)
    if matrix.shape != (3, 3) or not (np.abs(matrix) < _LARGEST_INDEX).all():
        raise EntryError(
            "bad_entry", f"{name}: three by three integers are needed, and none of {_LARGEST_INDEX} or more"
        )
    nearest = np.rint(matrix)
    if np.abs(matrix - nearest).max() > _INTEGER:
        raise EntryError("bad_entry", f"{name} holds {matrix.ravel().tolist()}, which are not integers")
    return nearest.astype(int)


def exact_fractions(matrix: Any) -> np.ndarray:
    """Return a primitive matrix whose numbers are the fractions that they were rounded from, such as 0.667."""
    values = np.array(matrix, dtype=float)
    nearest = np.array([float(Fraction(value).limit_denominator(_LARGEST_DENOMINATOR)) for value in values.ravel()])
    nearest = nearest.reshape(values.shape)
    return np.where(np.abs(values - nearest) < _ROUNDED, nearest, values)


def check_lattice(lattice: np.ndarray, listed: Any, cell: str) -> None:
    """Raise EntryError (kind `bad_entry`) where a file lists another lattice (row vectors, Å) than it has."""
    try:
        difference = float(np.abs(lattice - np.array(listed, dtype=float)).max())
    except (TypeError, ValueError) as error:
        raise EntryError("bad_entry", f"the lattice of the {cell} cannot be understood: {error}") from error
    if not difference < _SAME_POSITION:
        raise EntryError("bad_entry", f"the {cell} is listed with a lattice that differs by {difference:.3g} Å")


def order_of_atoms(
    supercell: PhonopyAtoms, numbers: np.ndarray, scaled_positions: np.ndarray, within: float = _SAME_POSITION
) -> np.ndarray:
    """Return for each atom of `supercell` its index in a listing of the same supercell.

    Older versions of phonopy order the atoms of some supercells differently (a coordinate of -1e-17 wraps to 1 or to
    0), so that forces must not be read by position in a file alone.

    Args:
        numbers: the atomic numbers of the listing
        within: in Å, as far as the same atom may be from itself

    Raises:
        EntryError: (kind `bad_entry`) the two are not the same supercell.
    """
    if sorted(supercell.numbers) != sorted(numbers):
        raise EntryError("bad_entry", "the supercell listed with the forces has other atoms than phonopy builds")
    if np.shape(scaled_positions) != (len(numbers), 3) or not np.isfinite(scaled_positions).all():
        raise EntryError("bad_entry", "the supercell listed with the forces has positions that are not three numbers")
    order = same_atoms(supercell, numbers, scaled_positions, within)
    if order is None:
        raise EntryError("bad_entry", "the supercell listed with the forces is not the one that phonopy builds")
    return order


def same_atoms(
    cell: PhonopyAtoms, numbers: np.ndarray, scaled_positions: np.ndarray, within: float
) -> np.ndarray | None:
    """Return for each atom of a cell its index in a list of as many atoms; None where they are not the same atoms.

    Args:
        numbers: the atomic numbers of the list, shape (n,)
        scaled_positions: its positions, reduced by the cell's lattice, in any cell of it, shape (n, 3)
        within: in Å, as far as the same atom may be from itself
    """
    difference = cell.scaled_positions[:, None, :] - np.asarray(scaled_positions)[None, :, :]
    distance = np.linalg.norm((difference - np.rint(difference)) @ cell.cell, axis=2)
    distance[np.asarray(cell.numbers)[:, None] != np.asarray(numbers)[None, :]] = np.inf
    order = distance.argmin(axis=1)
    same = distance.min(axis=1).max() <= within and len(set(order)) == len(order)
    return order if same else None
