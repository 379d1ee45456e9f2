"""The vibrations of a molecule from the second derivatives of its energy: frequencies, symmetry, and what light sees.

In mass-weighted coordinates, translations and rotations are projected out (Wilson, Decius, Cross, Molecular Vibrations,
1955), and what is left is diagonalised within each irreducible representation. So degenerate are the modes that
symmetry makes so, and each has its symbol, whatever the frequencies.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from phonopy.physical_units import get_physical_units

from softmode.studies.spectroscopy.gamma_modes import characters_of_light, times_in
from softmode.studies.spectroscopy.point_groups import PointGroup
from softmode.studies.spectroscopy.representations import Representation, representations

# How often a representation must be in that of light to be active, and how much of a direction a projection must keep
# to belong to it; both are integers but for rounding.
_HALF = 0.5


@dataclass(frozen=True)
class Vibration:
    """Modes that symmetry makes degenerate.

    Attributes:
        per_cm: wave number in cm⁻¹, an imaginary one negative
        label: Mulliken symbol; of linear molecules Σ+, Π with g or u
        infrared: infrared active
        raman: Raman active
        modes: mass-weighted displacements, normalised, shape (degeneracy, n_atoms, 3)
    """

    per_cm: float
    label: str
    infrared: bool
    raman: bool
    modes: np.ndarray

    @property
    def degeneracy(self) -> int:
        """How many modes there are of this wave number."""
        return len(self.modes)


@dataclass(frozen=True)
class Vibrations:
    """All vibrations of a molecule, from the lowest wave number on, and how good their Hessian is.

    Attributes:
        sets: the vibrations
        translations_per_cm: the largest absolute wave number of what was projected out as translations; zero if exact
        rotations_per_cm: the same of rotations, which forces that are not zero give one
        asymmetry_eV_per_A2: by how much an element of the Hessian changed when it was given the molecule's symmetry
    """

    sets: Sequence[Vibration]
    translations_per_cm: float
    rotations_per_cm: float
    asymmetry_eV_per_A2: float


def vibrations(hessian: np.ndarray, masses: np.ndarray, group: PointGroup) -> Vibrations:
    """Return the vibrations of a molecule.

    Args:
        hessian: in eV/Å² at the positions of the group, shape (3 n_atoms, 3 n_atoms)
        masses: in u, shape (n_atoms,)
    """
    symmetric = _symmetrised(hessian, group)
    weights = np.repeat(1 / np.sqrt(masses), 3)
    dynamical = symmetric * np.outer(weights, weights)
    shifts, turns = _rigid_motions(group.positions, masses, group.linear)
    internal = np.eye(len(dynamical)) - sum(vectors @ vectors.T for vectors in (shifts, turns))
    dynamical_of = internal @ dynamical @ internal
    vector, tensor = characters_of_light(group.rotations)
    sets = []
    for representation in representations(group, masses):
        basis = _basis(internal @ _projector(representation, group) @ internal)
        squares, vectors = np.linalg.eigh(basis.T @ dynamical_of @ basis)
        modes = (basis @ vectors).T.reshape(len(squares), len(masses), 3)
        for start in range(0, len(squares), representation.dimension):
            chosen = slice(start, start + representation.dimension)
            sets.append(
                Vibration(
                    float(_per_cm(squares[chosen]).mean()),
                    representation.name,
                    times_in(representation.character, vector) > _HALF,
                    times_in(representation.character, tensor) > _HALF,
                    modes[chosen],
                )
            )
    rigid = (float(np.abs(_per_cm(np.linalg.eigvalsh(v.T @ dynamical @ v))).max()) for v in (shifts, turns))
    asymmetry = float(np.abs(hessian - symmetric).max())
    return Vibrations(sorted(sets, key=lambda one: one.per_cm), next(rigid), next(rigid), asymmetry)


def _symmetrised(hessian: np.ndarray, group: PointGroup) -> np.ndarray:
    """Return the mean of a Hessian, its transpose, and what the group's operations make of them."""
    n_atoms = len(group.positions)
    blocks = ((hessian + hessian.T) / 2).reshape(n_atoms, 3, n_atoms, 3).transpose(0, 2, 1, 3)
    mean = np.zeros_like(blocks)
    for rotation, permutation in zip(group.rotations, group.permutations, strict=True):
        mean += rotation.T @ blocks[np.ix_(permutation, permutation)] @ rotation / len(group.rotations)
    return np.asarray(mean.transpose(0, 2, 1, 3).reshape(hessian.shape))


def _rigid_motions(positions: np.ndarray, masses: np.ndarray, linear: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return three translations and three rotations, or two, mass-weighted and orthonormal, as columns."""
    roots = np.sqrt(masses)
    shifts = np.kron(roots / np.linalg.norm(roots), np.eye(3)).T
    turns = np.array([(roots[:, None] * np.cross(axis, positions)).ravel() for axis in np.eye(3)])
    # about an axis that all atoms lie on, there is no rotation
    return shifts, np.linalg.svd(turns)[2][: 2 if linear else 3].T


def _projector(representation: Representation, group: PointGroup) -> np.ndarray:
    """Return the projector onto all displacements of a representation, shape (3 n_atoms, 3 n_atoms)."""
    n_atoms = len(group.positions)
    projector = np.zeros((n_atoms, 3, n_atoms, 3))
    atoms = np.arange(n_atoms)
    for rotation, permutation, character in zip(
        group.rotations, group.permutations, representation.character, strict=True
    ):
        projector[permutation, :, atoms, :] += character * rotation
    factor = representation.dimension / representation.copies / len(group.rotations)
    return projector.reshape(3 * n_atoms, 3 * n_atoms) * factor


def _basis(projector: np.ndarray) -> np.ndarray:
    """Return orthonormal columns that span what a projector keeps."""
    values, vectors = np.linalg.eigh(projector)
    return np.asarray(vectors[:, values > _HALF])


def _per_cm(squares: np.ndarray) -> np.ndarray:
    """Return wave numbers in cm⁻¹ of squared frequencies in eV/Å²/u; those of negative ones are negative."""
    units = get_physical_units()
    found: np.ndarray = np.sign(squares) * np.sqrt(np.abs(squares)) * units.DefaultToTHz * units.THzToCm
    return found
