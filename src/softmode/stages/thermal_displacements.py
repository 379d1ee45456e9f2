"""Displacements of all atoms as they are at a temperature, and the harmonic forces there: snapshots.

They are drawn from the quantum covariance of the harmonic crystal, ⟨u uᵀ⟩ = Σ ħ/2ω coth(ħω/2kT) e e† / √(m m'), by
phonopy's RandomDisplacements (West and Estreicher, Phys. Rev. Lett. 96, 115504 (2006)). A snapshot is known by entry,
seed and number alone: none has to be stored, and none depends on which others are drawn.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from phonopy import Phonopy
from phonopy.harmonic.force_constants import compact_fc_to_full_fc
from phonopy.phonon.random_displacements import RandomDisplacements

from softmode.errors import EntryError
from softmode.reference.cells import to_ase
from softmode.reference.entry import Entry
from softmode.stages.acoustic_modes import acoustic_at_gamma
from softmode.stages.phonons import HowForceConstantsAreMade, phonopy_of, task_of_reference

# Frequency in THz (0.5 K) up to which phonopy leaves a mode out: the acoustic ones at Gamma, which the sum rule makes
# zero to 1e-6. With a higher one, soft modes would be left out; without one, crystals would drift by any distance.
_LEFT_OUT = 0.01


@dataclass(frozen=True)
class Snapshots:
    """Displaced supercells.

    Attributes:
        displacements: of all atoms in Å, shape (n, n_supercell, 3)
        forces: in eV/Å, of the same shape
    """

    displacements: np.ndarray
    forces: np.ndarray

    @property
    def energies(self) -> np.ndarray:
        """The harmonic energies above rest, ½ uᵀΦu, in eV, shape (n,)."""
        energies: np.ndarray = -0.5 * np.einsum("nij,nij->n", self.displacements, self.forces)
        return energies

    @property
    def largest_displacement_A(self) -> float:
        """The longest displacement of an atom."""
        return float(np.linalg.norm(self.displacements, axis=-1).max())


class ThermalDisplacements:
    """The thermal displacements of one crystal by its force constants.

    Args:
        entry: id of the crystal; its snapshots are its own
        phonopy: with force constants

    Attributes:
        unit_cell: at rest
        supercell: at rest
        primitive_cell: its vectors in Å, rows
        force_constants: in eV/Å², shape (n_supercell, n_supercell, 3, 3)

    Raises:
        EntryError: (kind `imaginary_modes`) a mode other than the acoustic ones at Gamma is imaginary, or softer than
            0.01 THz; phonopy would take the first for a real one and leave out the second, both without a word.
            Kind `rounding`: phonopy refuses its force constants.
    """

    def __init__(self, entry: str, phonopy: Phonopy) -> None:
        constants = phonopy.force_constants
        assert constants is not None
        self.entry = entry
        self.unit_cell: Atoms = to_ase(phonopy.unitcell)
        self.supercell: Atoms = to_ase(phonopy.supercell)
        self.primitive_cell: np.ndarray = phonopy.primitive.cell
        try:
            self._random = RandomDisplacements(
                phonopy.supercell, phonopy.primitive, constants, cutoff_frequency=_LEFT_OUT
            )
        except AssertionError as error:
            raise EntryError(
                "rounding",
                "phonopy draws no displacements: a dynamical matrix at the boundary of the zone, which must be real to "
                "1e-8, is not; in some rhombohedral supercells rounding does that; leave the entry out",
            ) from error
        if len(constants) < len(self.supercell):
            constants = compact_fc_to_full_fc(phonopy.primitive, constants)
        self.force_constants = constants
        self._check_modes()

    def _check_modes(self) -> None:
        frequencies = self._random.frequencies
        acoustic = acoustic_at_gamma(self._random.qpoints, frequencies)
        lowest, drift = frequencies[~acoustic].min(initial=np.inf), np.abs(frequencies[acoustic]).max()
        if lowest <= _LEFT_OUT:
            raise EntryError(
                "imaginary_modes",
                f"its lowest mode is at {lowest:.3g} THz; thermal displacements are those of a stable crystal, all of "
                f"whose modes but the acoustic ones at Gamma are above {_LEFT_OUT} THz; leave the entry out",
            )
        if drift > _LEFT_OUT:
            raise EntryError(
                "imaginary_modes",
                f"an acoustic mode at Gamma is at {drift:.3g} THz: its force constants break the sum rule; symmetrise "
                "them (phonons.symmetrization_level of the protocol)",
            )

    def snapshots(self, temperature_K: float, seed: int, first: int, number: int) -> Snapshots:
        """Return snapshots `first` to `first + number - 1`, with the forces −Φu.

        Numbers of the same entry, seed and temperature are always the same snapshots, to rounding; they are others with
        another version of numpy's random numbers (NEP 19).
        """
        self._random.run(temperature_K, number, random_seed=_seed(self.entry, seed), first_snapshot=first)
        displacements = self._random.u
        assert displacements is not None
        return Snapshots(displacements, harmonic_forces(self.force_constants, displacements))


def harmonic_forces(force_constants: np.ndarray, displacements: np.ndarray) -> np.ndarray:
    """Return −Φu in eV/Å.

    Args:
        force_constants: in eV/Å², shape (n_supercell, n_supercell, 3, 3)
        displacements: in Å, shape (n, n_supercell, 3)
    """
    size = 3 * len(force_constants)
    matrix = force_constants.transpose(0, 2, 1, 3).reshape(size, size)
    forces: np.ndarray = -(displacements.reshape(-1, size) @ matrix.T).reshape(displacements.shape)
    return forces


def made_small(displacements: np.ndarray, distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return displacements of which the largest of an atom has this length, and by how much the given ones are larger.

    Args:
        displacements: in Å, shape (..., n_supercell, 3); each supercell is made small by itself
        distance: in Å
    """
    larger = np.linalg.norm(displacements, axis=-1).max(axis=-1) / distance
    return displacements / larger[..., None, None], larger


def moved(atoms: Atoms, displacements: np.ndarray) -> Atoms:
    """Return a crystal with displaced atoms."""
    other: Atoms = atoms.copy()
    other.positions += displacements
    return other


def reference_displacements(entry: Entry, settings: HowForceConstantsAreMade) -> ThermalDisplacements:
    """Return the thermal displacements of an entry by its reference's force constants.

    Raises:
        InputError: it has no reference.
        EntryError: it is not stable in it, see `ThermalDisplacements`.
    """
    return ThermalDisplacements(entry.id, phonopy_of(task_of_reference(entry), settings))


def _seed(entry: str, seed: int) -> int:
    """Return the seed of an entry: the same seed must not draw the same numbers for each of them."""
    return int.from_bytes(hashlib.sha256(f"{entry} {seed}".encode()).digest()[:8], "big")
