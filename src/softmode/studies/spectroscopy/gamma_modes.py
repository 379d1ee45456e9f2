"""The optical modes at Γ of a crystal: irreducible representations, and whether light sees them.

A mode is infrared active if its representation is in that of a vector, and Raman active if it is in that of a symmetric
tensor (Wilson, Decius, Cross, Molecular Vibrations, 1955; Dresselhaus, Dresselhaus, Jorio, Group Theory, 2008). That
says nothing of how strong its line is.
"""

from dataclasses import dataclass

import numpy as np
from phonopy import Phonopy
from phonopy.phonon.irreps import IrReps

from softmode.studies.spectroscopy.mulliken import mulliken

# Part of a set of modes that are translations of the whole crystal, from which on the set is acoustic. Others have less
# than rounding leaves, as long as the sum rule holds; without it, a set may be half of each.
_ACOUSTIC = 0.5
# How often a representation must be in that of light to be active; counts are integers but for rounding.
_ONCE = 0.5


@dataclass(frozen=True)
class ModeSet:
    """Modes that symmetry makes degenerate.

    Attributes:
        frequency_THz: imaginary ones negative
        label: Mulliken symbol of its irreducible representation; empty where it is none, or ambiguous
        acoustic: they are translations of the whole crystal
        infrared: infrared active
        raman: Raman active
        eigenvectors: shape (degeneracy, 3 n_primitive), complex, normalised
    """

    frequency_THz: float
    label: str
    acoustic: bool
    infrared: bool
    raman: bool
    eigenvectors: np.ndarray

    @property
    def degeneracy(self) -> int:
        """How many modes there are of this frequency."""
        return len(self.eigenvectors)


def gamma_modes(phonopy: Phonopy) -> list[ModeSet]:
    """Return the modes at Γ, without the term of the long-range Coulomb field, from the lowest frequency on.

    Degenerate are those modes that symmetry makes so, not those whose frequencies happen to be near each other.

    Args:
        phonopy: with force constants that have the crystal's symmetry

    Raises:
        RuntimeError: phonopy's primitive cell is not the crystal's, so that Γ stands for other q points too.
    """
    assert phonopy.dynamical_matrix is not None
    found = IrReps(
        phonopy.dynamical_matrix, np.zeros(3), phonopy.primitive_symmetry, symmetry_adapted=True, log_level=0
    )
    vector, tensor = characters_of_light(found.conventional_rotations)
    translations = _translations(phonopy.primitive.masses)
    sets = []
    for bands, character in zip(found.band_indices, found.characters, strict=True):
        eigenvectors = found.eigenvectors[:, bands].T
        acoustic = float((np.abs(eigenvectors.conj() @ translations.T) ** 2).sum()) / len(bands)
        sets.append(
            ModeSet(
                float(found.frequencies[bands].mean()),
                mulliken(character, found.conventional_rotations),
                acoustic > _ACOUSTIC,
                times_in(character, vector) > _ONCE,
                times_in(character, tensor) > _ONCE,
                eigenvectors,
            )
        )
    return sets


def characters_of_light(rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the characters of a vector and of a symmetric tensor of second rank for each rotation.

    Args:
        rotations: shape (n, 3, 3), in any basis
    """
    vector = np.trace(rotations, axis1=1, axis2=2)
    squared = np.trace(rotations @ rotations, axis1=1, axis2=2)
    return vector.astype(float), (vector**2 + squared) / 2


def times_in(character: np.ndarray, other: np.ndarray) -> float:
    """Return how often a representation is in another one, by their characters: the mean of their product."""
    return float((character.conj() * other).real.mean())


def _translations(masses: np.ndarray) -> np.ndarray:
    """Return the three displacements of the whole crystal as eigenvectors, shape (3, 3 n_atoms)."""
    weights = np.sqrt(masses / masses.sum())
    return np.kron(weights, np.eye(3))
