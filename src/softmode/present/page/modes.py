"""What the page needs to compute any mode of an entry itself: cells, and force constants with their lattice vectors.

Eigenvectors at all q points of a path are ten to a hundred times larger than the force constants that they come of.
"""

from typing import Any

import numpy as np
from phonopy import Phonopy
from phonopy.physical_units import get_physical_units
from phonopy.structure.cells import Primitive

from softmode.present.page.rounding import decimals
from softmode.reference.born_charges import BornCharges

# Step of the force constants in eV/Å². Rounding adds up over a supercell: with this step it moves an acoustic mode of
# light atoms at Γ by less than 0.01 THz; with a tenfold one, by what can be seen.
_STEP_eV_per_A2 = 1e-6
# How far, in lattice vectors, the vector between two equal atoms may be from a lattice vector. Cells are symmetric to
# far better; a larger one would hide atoms that belong to no lattice site.
_OFF_LATTICE = 1e-3


def mode_data(phonopy: Phonopy) -> dict[str, Any]:
    """Return cells and force constants of one source, as plain values.

    Returns:
        lattice (of the primitive cell in Å, a vector in each row), positions (reduced), symbols and masses (u) of its n
        atoms; drawn_lattice and unit_lattice (of the conventional cell and of the unit cell, in vectors of the
        primitive one, integers), unit_atoms (for each atom of the unit cell, which atom of the primitive cell it is,
        and in which cell, 4 integers); supercell_matrix and primitive_matrix, as in phonopy; step_eV_per_A2;
        force_constants (integers in steps, shape (n, 9 n_supercell)); of_supercell (which atom of the primitive cell
        each atom of the supercell is); images (for each of the n atoms and each of the supercell, the lattice vectors
        from the former's cell to the nearest cells of the latter, flat)

    Raises:
        ValueError: an atom is on no lattice site.
    """
    primitive = phonopy.primitive
    constants = phonopy.force_constants
    assert constants is not None
    if len(constants) != len(primitive):
        constants = constants[primitive.p2s_map]
    return {
        "lattice": decimals(primitive.cell, 8),
        "positions": decimals(primitive.scaled_positions, 8),
        "symbols": list(primitive.symbols),
        "masses": decimals(primitive.masses, 6),
        **_unit_cell(phonopy),
        "drawn_lattice": _conventional_lattice(phonopy).tolist(),
        "supercell_matrix": np.rint(phonopy.supercell_matrix).astype(int).tolist(),
        "primitive_matrix": decimals(phonopy.primitive_matrix, 12),
        "step_eV_per_A2": _STEP_eV_per_A2,
        "force_constants": np.rint(constants / _STEP_eV_per_A2).astype(int).reshape(len(primitive), -1).tolist(),
        "of_supercell": _of_supercell(primitive).tolist(),
        "images": _images(primitive),
    }


def set_charges(phonopy: Phonopy, born_charges: BornCharges) -> dict[str, Any]:
    """Give a source the charges of the reference, and return them as plain values.

    The method is that of Wang et al., J. Phys. Condens. Matter 22, 202201 (2010), whose term the page can compute for
    any mode.

    Returns:
        charges (in e, shape (n, 3, 3), of the primitive cell), dielectric (shape (3, 3)), e2_eV_A (the square of the
        charge of the electron)
    """
    charges = born_charges.of_primitive(phonopy)
    units = get_physical_units()
    factor = units.Hartree * units.Bohr
    phonopy.nac_params = {
        "born": charges, "dielectric": born_charges.dielectric, "factor": factor, "method": "wang"
    }  # fmt: skip
    return {
        "charges": decimals(charges, 6),
        "dielectric": decimals(born_charges.dielectric, 6),
        "e2_eV_A": factor,
    }


def _of_supercell(primitive: Primitive) -> np.ndarray:
    return np.array([primitive.p2p_map[int(atom)] for atom in primitive.s2p_map])


def _unit_cell(phonopy: Phonopy) -> dict[str, Any]:
    primitive, unit_cell = phonopy.primitive, phonopy.unitcell
    to_primitive = np.linalg.inv(primitive.cell)
    atoms = _of_supercell(primitive)[phonopy.supercell.u2s_map]
    positions = unit_cell.cell.T @ unit_cell.scaled_positions.T
    cells = _lattice_vectors(positions.T @ to_primitive - primitive.scaled_positions[atoms])
    return {
        "unit_lattice": _lattice_vectors(unit_cell.cell @ to_primitive).tolist(),
        "unit_atoms": np.column_stack([atoms, cells]).tolist(),
    }


def _conventional_lattice(phonopy: Phonopy) -> np.ndarray:
    """Return the lattice of spglib's conventional cell in vectors of the primitive one, or these where it is none."""
    dataset = phonopy.primitive_symmetry.dataset
    rows = np.linalg.inv(dataset.transformation_matrix).T
    rounded = np.rint(rows)
    if np.abs(rows - rounded).max() > _OFF_LATTICE:
        return np.eye(3, dtype=int)
    return np.asarray(rounded, dtype=int)


def _images(primitive: Primitive) -> list[list[list[int]]]:
    vectors, multiplicities = primitive.get_smallest_vectors()
    of_supercell = _of_supercell(primitive)
    found = []
    for atom, position in enumerate(primitive.scaled_positions):
        row = []
        for other, (number, first) in zip(of_supercell, multiplicities[:, atom], strict=True):
            between = vectors[first : first + number] - (primitive.scaled_positions[other] - position)
            row.append(_lattice_vectors(between).ravel().tolist())
        found.append(row)
    return found


def _lattice_vectors(vectors: np.ndarray) -> np.ndarray:
    rounded = np.rint(vectors)
    if np.abs(vectors - rounded).max() > _OFF_LATTICE:
        raise ValueError(f"an atom is {np.abs(vectors - rounded).max():.2g} lattice vectors off its site")
    return np.asarray(rounded, dtype=int)
