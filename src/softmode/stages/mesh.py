"""The mesh of q points of the thermodynamics: that of the entry's own cell, for all of its sources.

A mesh of another fineness is another error of its own, of up to some J/K/mol in the entropy of soft crystals.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from phonopy import Phonopy
from phonopy.phonon.grid import GridMatrix, length2mesh
from phonopy.phonon.mesh import Mesh, MeshSymmetryFallbackWarning
from phonopy.structure.atoms import PhonopyAtoms
from phonopy.structure.symmetry import Symmetry

from softmode.reference.dimensionality import slab_lattice, vacuum_axis_of_primitive


def grid_matrix(primitive: PhonopyAtoms, size: Mapping[str, Any], symmetry_tolerance: float) -> np.ndarray:
    """Return the matrix of the mesh that the protocol asks for: phonopy's, which has the symmetry of the crystal.

    It holds the numbers of points along the reciprocal vectors on its diagonal. Only where such a mesh would break the
    symmetry, as in some centred lattices, is it another one: that of the conventional cell. A slab has one point across
    its vacuum.

    Args:
        primitive: the cell that the mesh is made for
        size: the protocol's `mesh`
        symmetry_tolerance: phonopy's symprec in Å

    Returns:
        integers, shape (3, 3); its determinant is the number of points
    """
    across = vacuum_axis_of_primitive(primitive)
    if "numbers" in size:
        numbers = np.array(size["numbers"])
    else:
        symmetry = Symmetry(primitive, symmetry_tolerance)
        lattice = primitive.cell if across is None else slab_lattice(primitive.cell, across)
        numbers = length2mesh(size["length_A"], lattice, symmetry.pointgroup_operations)
        if across is None:
            return _symmetric(numbers, size["length_A"], primitive, symmetry)
    if across is not None:
        numbers[across] = 1
    return np.diag(numbers)


def _symmetric(numbers: np.ndarray, length: float, primitive: PhonopyAtoms, symmetry: Symmetry) -> np.ndarray:
    """Return what phonopy's `run_mesh` makes of a length."""
    try:
        GridMatrix(numbers, primitive.cell, symmetry_dataset=symmetry.dataset, use_grg=False)
    except RuntimeError:  # they break the symmetry
        try:
            found = GridMatrix(length, primitive.cell, symmetry_dataset=symmetry.dataset, use_grg=True)
        except RuntimeError:  # the cell is not primitive
            return np.diag(numbers)
        return np.diag(found.D_diag) if found.grid_matrix is None else np.array(found.grid_matrix)
    return np.diag(numbers)


def run_mesh(phonopy: Phonopy, matrix: np.ndarray, size: Mapping[str, Any], eigenvectors: bool = False) -> Mesh:
    """Return phonopy's frequencies on a mesh of `grid_matrix`, centred at Gamma unless the protocol says otherwise.

    Symmetry makes the points fewer where the crystal has that of the mesh.

    Args:
        matrix: integers, shape (3, 3)
        size: the protocol's `mesh`
        eigenvectors: whether these are wanted, too
    """
    # symmetry may take a point of a slab's plane across the vacuum, where the cell is tilted
    symmetric = vacuum_axis_of_primitive(phonopy.primitive) is None and not _has_isotopes(phonopy.primitive)
    options: Any = {"is_gamma_center": size.get("gamma_centred", True), "with_eigenvectors": eigenvectors}
    diagonal = np.diagonal(matrix)
    # to phonopy's types a mesh is three numbers; its code takes matrices, too
    mesh: Any = diagonal if np.array_equal(matrix, np.diag(diagonal)) else matrix
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MeshSymmetryFallbackWarning)
        found = phonopy.run_mesh(mesh, is_mesh_symmetry=symmetric, **options)
        # a crystal whose cell has become twice the primitive one gets a single point from phonopy
        if np.sum(found.weights) != round(abs(np.linalg.det(matrix))):
            found = phonopy.run_mesh(mesh, is_mesh_symmetry=False, **options)
    return found


def _has_isotopes(cell: PhonopyAtoms) -> bool:
    """Return whether atoms of one element have several masses, of which phonopy's symmetry knows nothing."""
    return len(set(zip(cell.numbers, cell.masses, strict=True))) > len(set(cell.numbers))
