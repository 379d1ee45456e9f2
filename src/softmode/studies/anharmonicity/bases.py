"""The polynomials that symmetry allows: in a whole cell by symfc, in the primitive cell at Γ by averaging."""

import math

import numpy as np
from ase import Atoms
from scipy.sparse import csr_array
from symfc.basis_sets import FCBasisSetO2, FCBasisSetO3, FCBasisSetO4
from symfc.utils.utils import SymfcAtoms

from softmode.errors import EntryError
from softmode.reference.cells import symmetry_dataset
from softmode.reference.exact_symmetry import symmetrise
from softmode.studies.anharmonicity.polynomials import SymmetricPolynomials, ascending, repetitions

_OF_SYMFC = {2: FCBasisSetO2, 3: FCBasisSetO3, 4: FCBasisSetO4}
# Orders that symfc has bases of.
ORDERS_OF_A_CELL = tuple(_OF_SYMFC)
# Part of a derivative below which it is zero in all polynomials. symfc's are exact to 1e-12.
_NOTHING = 1e-9
# Bound between singular values of a projection: 0, and 1 or more.
_HALF = 0.5
# Largest table of derivatives by numbers that determine them, in bytes; a machine for tests has not much more. Fourth
# derivatives of 24 atoms of fluorite would take 29e9, third ones of 64 atoms of silicon 8e9.
_LARGEST_BYTES = 4e9


def cell_polynomials(cell: Atoms, order: int, tolerance: float) -> SymmetricPolynomials | None:
    """Return the polynomials of order 2, 3 or 4 in the displacements of all atoms of a cell (symfc's basis).

    Args:
        cell: displacements have its periodicity
        tolerance: spglib's symprec in Å

    Returns:
        None where symmetry allows none

    Raises:
        EntryError: (kind `symmetry_broken`) spglib finds no symmetry; (kind `too_many_derivatives`) they would not fit
            into memory.
    """
    found = symmetry_dataset(cell, tolerance)
    if found is None:
        raise EntryError("symmetry_broken", f"spglib finds no symmetry within {tolerance} Å")
    n_derivatives = math.comb(3 * len(cell) + order - 1, order)
    if 8.0 * n_derivatives**2 > _LARGEST_BYTES:  # there are fewer numbers than derivatives: most cells need no count
        n_numbers = n_polynomials(cell, order, tolerance)
        if 8 * n_derivatives * n_numbers > _LARGEST_BYTES:
            raise EntryError(
                "too_many_derivatives",
                f"{n_derivatives} derivatives of order {order} of {len(cell)} atoms are determined by {n_numbers} "
                f"numbers, a table of {8e-9 * n_derivatives * n_numbers:.0f} GB, of which at most "
                f"{1e-9 * _LARGEST_BYTES:.0f} are made; lower derivative_forces.highest_order, or take a smaller cell",
            )
    atoms = SymfcAtoms(
        cell=cell.cell.array, scaled_positions=cell.get_scaled_positions(wrap=False), numbers=cell.numbers
    )
    operations = {"rotations": found.rotations, "translations": found.translations}
    try:
        basis = _OF_SYMFC[order](atoms, spacegroup_operations=operations).run()
        tensors, small = basis.compression_matrix, basis.basis_set
    except AssertionError:  # how symfc says that a space of polynomials is empty
        return None
    if tensors is None or small is None or small.shape[1] == 0:
        return None
    indices = ascending(3 * len(cell), order)
    patterns = csr_array(tensors.tocsr()[_rows_of_symfc(indices, len(cell))] @ csr_array(small))
    patterns.data[np.abs(patterns.data) < _NOTHING] = 0
    patterns.eliminate_zeros()
    there = np.diff(patterns.indptr) > 0
    return SymmetricPolynomials(order, indices[there], csr_array(patterns[there]), np.eye(3 * len(cell)))


def n_polynomials(cell: Atoms, order: int, tolerance: float) -> int:
    """Return how many polynomials symmetry allows in displacements of a cell, without making them.

    By characters: the mean over all operations of the trace in the symmetric power of displacements relative to their
    mean, whose generating function has the traces of an operation's powers (Molien).

    Args:
        cell: displacements have its periodicity
        tolerance: spglib's symprec in Å

    Raises:
        EntryError: (kind `symmetry_broken`) as of `operations_of`.
    """
    traces = []
    for onto, rotation in operations_of(cell, tolerance):
        places, power, of_powers = np.arange(len(cell)), np.eye(3), [1.0]
        of_symmetric = [1.0]
        for n in range(1, order + 1):
            places, power = onto[places], rotation @ power
            n_fixed = int((places == np.arange(len(cell))).sum())
            of_powers.append(np.trace(power) * (n_fixed - 1))  # without uniform translations
            of_symmetric.append(sum(of_powers[i] * of_symmetric[n - i] for i in range(1, n + 1)) / n)
        traces.append(of_symmetric[order])
    return round(float(np.mean(traces)))


def operations_of(cell: Atoms, tolerance: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each symmetry operation onto which atoms it maps a cell's atoms, and its rotation, Cartesian.

    Args:
        tolerance: spglib's symprec in Å

    Raises:
        EntryError: (kind `symmetry_broken`) spglib finds no symmetry, or atoms cannot be told apart.
    """
    found = symmetry_dataset(cell, tolerance)
    if found is None:
        raise EntryError("symmetry_broken", f"spglib finds no symmetry within {tolerance} Å")
    fractional = cell.get_scaled_positions(wrap=False)
    symmetric = symmetrise(cell.cell.array, fractional, cell.numbers, found.rotations, found.translations)
    if symmetric is None:
        raise EntryError("symmetry_broken", f"atoms cannot be told apart within {tolerance} Å")
    lattice = cell.cell.array.T
    rotations = [lattice @ rotation @ np.linalg.inv(lattice) for rotation in found.rotations]
    return list(zip(symmetric.permutations, rotations, strict=True))


def _rows_of_symfc(indices: np.ndarray, n_atoms: int) -> np.ndarray:
    """Return the place of derivatives in symfc's tensors, whose shape is (n_atoms, …, n_atoms, 3, …, 3)."""
    order = indices.shape[1]
    shape = (n_atoms,) * order + (3,) * order
    atoms, axes = np.divmod(indices, 3)
    places: np.ndarray = np.ravel_multi_index(tuple(np.concatenate([atoms, axes], axis=1).T), shape)
    return places


def gamma_polynomials(primitive: Atoms, order: int, tolerance: float) -> SymmetricPolynomials | None:
    """Return the polynomials of any order in the displacements of a primitive cell that are the same in every cell.

    Coordinates are displacements relative to the first atom, so that derivatives by them are those by the displacement
    of the other atoms. Invariants are the range of the mean over all operations, each of which maps polynomials to
    polynomials.

    Args:
        primitive: of exact symmetry, see `softmode.stages.symmetric_cell`
        tolerance: spglib's symprec in Å

    Returns:
        None where symmetry allows none

    Raises:
        EntryError: (kind `symmetry_broken`) spglib finds no symmetry.
    """
    if len(primitive) == 1:
        return None
    coordinates = np.hstack([np.tile(-np.eye(3), (len(primitive) - 1, 1)), np.eye(3 * (len(primitive) - 1))])
    operations = relative_operations(primitive, tolerance)
    indices = ascending(len(coordinates), order)
    # weights that make tensors of unit length of these polynomials
    weights = np.sqrt(math.factorial(order) / repetitions(indices))
    points = np.random.default_rng(0).normal(size=(len(indices) + 20, len(coordinates)))
    points /= np.linalg.norm(points, axis=1)[:, None]
    values = np.prod(points[:, indices], axis=2) * weights
    mean = np.mean([np.prod((points @ each.T)[:, indices], axis=2) for each in operations], axis=0) * weights
    projection = np.linalg.lstsq(values, mean, rcond=None)[0]
    left, singular, _ = np.linalg.svd(projection)
    invariant = left[:, singular > _HALF]
    if not invariant.shape[1]:
        return None
    patterns = invariant / np.sqrt(math.factorial(order) / repetitions(indices))[:, None]
    patterns[np.abs(patterns) < _NOTHING] = 0
    there = patterns.any(axis=1)
    return SymmetricPolynomials(order, indices[there], csr_array(patterns[there]), coordinates)


def relative_operations(primitive: Atoms, tolerance: float) -> np.ndarray:
    """Return what symmetry operations make of the displacements relative to the first atom.

    Returns:
        shape (n_operations, 3 (n_atoms − 1), 3 (n_atoms − 1))
    """
    n_atoms = len(primitive)
    matrices = []
    for onto, rotation in operations_of(primitive, tolerance):
        moved = np.zeros((n_atoms, 3, n_atoms, 3))
        moved[onto, :, np.arange(n_atoms), :] = rotation
        full = moved.reshape(3 * n_atoms, 3 * n_atoms)
        # a displacement of all but the first atom, and by how much the others then move relative to that one
        matrices.append((full[3:] - np.tile(full[:3], (n_atoms - 1, 1)))[:, 3:])
    return np.array(matrices)
