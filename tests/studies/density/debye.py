"""A model of densities for tests, which knows masses and volumes alone: of each atom Debye's density."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from softmode.reference.cells import masses_of
from softmode.studies.density.density import N_BINS, Density, bin_edges_THz


class Debye:
    """An ensemble of two, whose cutoffs differ by a fifth."""

    name = "debye"
    elements = frozenset(range(1, 84)) - {2}
    checkpoint_sha256 = "0" * 64
    # what a source of a campaign has beside that
    dtype, device, conservative, packages = "float32", "cpu", False, ("numpy",)

    def density(self, structures: Sequence[Atoms]) -> list[Density]:
        """Return the density of each structure."""
        return [self._density(atoms) for atoms in structures]

    def _density(self, atoms: Atoms) -> Density:
        masses = masses_of(atoms)
        cutoffs = 90 / np.sqrt(masses) / (atoms.cell.volume / len(atoms)) ** (1 / 6)
        members = np.array([[_states(factor * cutoff) for cutoff in cutoffs] for factor in (0.9, 1.1)])
        return Density(atoms.numbers, masses, members, np.full(len(atoms), 50.0))


def _states(cutoff: float) -> np.ndarray:
    states = np.zeros(N_BINS)
    below = np.minimum(bin_edges_THz() / cutoff, 1) ** 3
    states[:-1] = 3 * np.diff(below)
    states[-1] = 3 - states.sum()
    return states
