"""The symmetry of a supercell, without what of phonopy's only force constants need."""

from typing import Any

import numpy as np
import spglib
from phonopy.structure.atoms import PhonopyAtoms


class SiteSymmetries:
    """The two answers of phonopy's `Symmetry` that displacements need; tolerance in Å.

    phonopy's own also finds how each operation permutes the atoms, one operation after the other. The supercell of a
    cubic crystal has up to 1,536 of them, which takes longer than a GPU needs for the forces.
    """

    def __init__(self, supercell: PhonopyAtoms, tolerance: float) -> None:
        find: Any = spglib.get_symmetry_dataset
        if supercell.magnetic_moments is not None:
            find = spglib.get_magnetic_symmetry_dataset
        symmetry = find(supercell.totuple(), symprec=tolerance)
        assert symmetry is not None, f"spglib finds no symmetry of the supercell within {tolerance} Å"
        self._equivalent_atoms = symmetry.equivalent_atoms
        self._rotations = np.asarray(symmetry.rotations, dtype=int)
        self._translations = symmetry.translations
        self._supercell = supercell
        self._tolerance = tolerance

    def get_equivalent_atoms(self) -> np.ndarray:
        """Return for each atom the first of those that symmetry makes equivalent to it, shape (n_supercell,)."""
        return np.asarray(self._equivalent_atoms)

    def get_independent_atoms(self) -> np.ndarray:
        """Return the first atom of each set of equivalent ones, shape (n,)."""
        return np.unique(self._equivalent_atoms)

    def get_site_symmetry(self, atom_number: int) -> np.ndarray:
        """Return the rotations that leave an atom where it is, in fractional coordinates, shape (n, 3, 3)."""
        position = self._supercell.scaled_positions[atom_number]
        moved = position - (self._rotations @ position + self._translations)
        distance = np.linalg.norm((moved - np.rint(moved)) @ self._supercell.cell, axis=1)
        return self._rotations[distance < self._tolerance]
