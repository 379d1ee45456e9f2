"""How well force constants give back the forces that they were made of: a check that needs no other calculation."""

import numpy as np
from phonopy import Phonopy

from softmode.reference.entry import ForceSet


def force_residual(phonopy: Phonopy) -> dict[str, float]:
    """Return what the forces are beside those that the force constants give for the same displacements.

    Forces that do not belong to the displacements, a symmetry that the crystal does not have, and noise leave a large
    residual. A crystal that is not at its minimum has static forces, the same in each supercell; they keep its symmetry
    and cancel in the force constants, so that they are told apart.

    Args:
        phonopy: with displacements, forces and the force constants made of them

    Returns:
        root mean squares over all displacements, atoms and directions: `force_residual_eV_per_A` without the static
        forces, `force_residual_ratio` to the forces without them, and `static_force_eV_per_A`; nothing without forces
    """
    if phonopy.dataset is None:
        return {}
    displaced = ForceSet.from_phonopy(phonopy.dataset)
    differences = displaced.forces - _predicted(np.asarray(phonopy.force_constants), displaced)
    static = _symmetric_part(phonopy, differences.mean(axis=0))
    residual = _root_mean_square(differences - static)
    size = _root_mean_square(displaced.forces - static)
    found = {"force_residual_eV_per_A": residual, "static_force_eV_per_A": _root_mean_square(static)}
    return found | ({"force_residual_ratio": residual / size} if size else {})


def _predicted(force_constants: np.ndarray, displaced: ForceSet) -> np.ndarray:
    """Return the harmonic forces in eV/Å, shape (n, n_supercell, 3)."""
    if displaced.atoms is None:
        return -np.einsum("iajb,njb->nia", force_constants.transpose(0, 2, 1, 3), displaced.displacements)
    return -np.einsum("inab,nb->nia", force_constants[:, displaced.atoms], displaced.displacements)


def _symmetric_part(phonopy: Phonopy, forces: np.ndarray) -> np.ndarray:
    """Return the part of forces on the supercell, shape (n_supercell, 3), that its symmetry leaves as it is."""
    to_cartesian = phonopy.supercell.cell.T
    rotations = phonopy.symmetry.symmetry_operations["rotations"]
    symmetric = np.zeros_like(forces)
    # atom i goes to where atom permutation[i] is
    for rotation, permutation in zip(rotations, phonopy.symmetry.atomic_permutations, strict=True):
        cartesian = to_cartesian @ rotation @ np.linalg.inv(to_cartesian)
        symmetric[permutation] += forces @ cartesian.T
    return symmetric / len(rotations)


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
