"""Cells between ASE, which stores them, and phonopy, which displaces them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms
from phonopy.structure.cells import Primitive, Supercell, get_primitive, get_supercell

from softmode.errors import EntryError

# recognises lattice points in Å; no symmetry is searched with it
_LATTICE_TOLERANCE = 1e-5
# more unit cells than a supercell has along any axis
_LARGEST_INDEX = 1000
# in Å; files write positions with six digits and more
_SAME_POSITION = 1e-3


def to_phonopy(atoms: Atoms) -> PhonopyAtoms:
    """Return a phonopy cell; the masses are phonopy's own, for references and potentials alike."""
    return PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(),
        cell=atoms.cell.array,
        scaled_positions=atoms.get_scaled_positions(wrap=False),
    )


def to_ase(cell: PhonopyAtoms) -> Atoms:
    """Return a periodic ASE structure."""
    return Atoms(symbols=cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)


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
    unit_cell: Atoms, supercell_matrix: np.ndarray, primitive_matrix: np.ndarray
) -> tuple[Supercell, Primitive]:
    """Return supercell and primitive cell without a search for symmetry, which large cells would make slow."""
    supercell = get_supercell(to_phonopy(unit_cell), supercell_matrix, symprec=_LATTICE_TOLERANCE)
    to_primitive = np.linalg.inv(supercell_matrix) @ primitive_matrix
    return supercell, get_primitive(supercell, to_primitive, symprec=_LATTICE_TOLERANCE)


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
    if np.abs(matrix - nearest).max() > _LATTICE_TOLERANCE:
        raise EntryError("bad_entry", f"{name} holds {matrix.ravel().tolist()}, which are not integers")
    return nearest.astype(int)


def check_lattice(lattice: np.ndarray, listed: Any, cell: str) -> None:
    """Raise EntryError (kind `bad_entry`) where a file lists another lattice (row vectors, Å) than it has."""
    try:
        difference = float(np.abs(lattice - np.array(listed, dtype=float)).max())
    except (TypeError, ValueError) as error:
        raise EntryError("bad_entry", f"the lattice of the {cell} cannot be understood: {error}") from error
    if not difference < _SAME_POSITION:
        raise EntryError("bad_entry", f"the {cell} is listed with a lattice that differs by {difference:.3g} Å")


def order_of_atoms(supercell: PhonopyAtoms, symbols: Sequence[str], scaled_positions: np.ndarray) -> np.ndarray:
    """Return for each atom of `supercell` its index in a listing of the same supercell.

    Older versions of phonopy order the atoms of some supercells differently (a coordinate of -1e-17 wraps to 1 or to
    0), so that forces must not be read by position in a file alone.

    Raises:
        EntryError: (kind `bad_entry`) the two are not the same supercell.
    """
    if sorted(supercell.symbols) != sorted(symbols):
        raise EntryError("bad_entry", "the supercell listed with the forces has other atoms than phonopy builds")
    if np.shape(scaled_positions) != (len(symbols), 3) or not np.isfinite(scaled_positions).all():
        raise EntryError("bad_entry", "the supercell listed with the forces has positions that are not three numbers")
    difference = supercell.scaled_positions[:, None, :] - np.asarray(scaled_positions)[None, :, :]
    distance = np.linalg.norm((difference - np.rint(difference)) @ supercell.cell, axis=2)
    distance[np.array(supercell.symbols)[:, None] != np.array(symbols)[None, :]] = np.inf
    order = distance.argmin(axis=1)
    if distance.min(axis=1).max() > _SAME_POSITION or len(set(order)) != len(order):
        raise EntryError("bad_entry", "the supercell listed with the forces is not the one that phonopy builds")
    return order
