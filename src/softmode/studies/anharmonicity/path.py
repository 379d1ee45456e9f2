"""Modes along the path of high symmetry by second and third derivatives of a cell, of potentials and reference."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms
from phono3py import Phono3py

from softmode.errors import EntryError
from softmode.reference.cells import to_phonopy
from softmode.stages.symmetric_cell import SymmetricCell
from softmode.studies.anharmonicity.derivatives import Derivatives
from softmode.studies.anharmonicity.settings import DerivativesOfEnergy
from softmode.studies.conductivity.transport import mesh_frequencies, set_mesh
from softmode.studies.linewidths.columns import as_columns
from softmode.studies.linewidths.path import bubble_on_path

# Frequency in THz below which a mode is imaginary. The acoustic ones at Γ, which a sum over products of differences
# leaves 1e-4 THz from zero, are above it.
_IMAGINARY_THz = -0.01


def path_of(cell: Atoms, known: Mapping[int, Derivatives], settings: DerivativesOfEnergy) -> dict[str, Any]:
    """Return the path's columns, or in `path_outcome` why there are none.

    Force constants of the cell are those of a supercell of its length: between the wave vectors that repeat in it,
    phonons are interpolated.

    Args:
        cell: at rest
        known: derivatives that are claimed, by order
    """
    if not {2, 3} <= set(known):
        return {"path_outcome": "second or third derivatives are not claimed"}
    crystal = SymmetricCell(cell, settings.symmetry_tolerance_A)
    if crystal.multiplicity == 1:
        return {"path_outcome": "the cell is primitive: of other wave vectors than Gamma nothing is known"}
    phono3py = phono3py_of(cell, known[2], known[3], settings.symmetry_tolerance_A)
    try:
        set_mesh(phono3py, settings.path_meshes, "derivatives.path_meshes", settings.symmetry_tolerance_A)
    except EntryError as error:
        return {"path_outcome": error.message}
    if mesh_frequencies(phono3py).min() < _IMAGINARY_THz:
        return {"path_outcome": "imaginary modes"}
    modes = bubble_on_path(
        phono3py, settings.temperature_K, settings.principal_value_THz, settings.symmetry_tolerance_A
    )
    return {"path_outcome": "computed"} | as_columns(modes)


def phono3py_of(cell: Atoms, second: Derivatives, third: Derivatives, tolerance: float) -> Phono3py:
    """Return phono3py's object of a cell that is its own supercell, with its derivatives as force constants.

    Args:
        tolerance: phono3py's symprec in Å
    """
    primitive = SymmetricCell(cell, tolerance).primitive()
    phono3py = Phono3py(
        to_phonopy(cell),
        supercell_matrix=np.eye(3, dtype=int),
        primitive_matrix=np.linalg.solve(cell.cell.array.T, primitive.cell.array.T),
        symprec=tolerance,
        log_level=0,
    )
    n = len(cell)
    phono3py.fc2 = second.polynomials.tensor(second.values).reshape(n, 3, n, 3).transpose(0, 2, 1, 3).copy()
    cubic = third.polynomials.tensor(third.values).reshape(n, 3, n, 3, n, 3)
    phono3py.fc3 = cubic.transpose(0, 2, 4, 1, 3, 5).copy()
    return phono3py
