"""The displaced supercells of a cell: phonopy's, without what of phonopy only force constants need."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import spglib
from ase import Atoms
from phonopy.harmonic.displacement import generate_systematic_displacements
from phonopy.structure.atoms import PhonopyAtoms
from phonopy.structure.cells import get_supercell
from phonopy.structure.symmetry import Symmetry

from softmode.protocol import ForceSets
from softmode.reference.cells import to_ase, to_phonopy
from softmode.reference.entry import ForceSet


@dataclass(frozen=True)
class Displaced:
    """What phonopy says is to be computed for one entry.

    Attributes:
        force_set: atoms that are displaced and by how much, without forces
        supercells: the displaced supercells
    """

    force_set: ForceSet
    supercells: list[Atoms]


def displace(cell: tuple[Atoms, np.ndarray] | None, settings: ForceSets) -> Displaced | None:
    """Return phonopy's displacements for a unit cell and a supercell matrix; None for nothing.

    They are those of `Phonopy.generate_displacements`, to the bit.
    """
    if cell is None:
        return None
    unit_cell, supercell_matrix = cell
    tolerance = settings.symmetry_tolerance_A
    supercell = get_supercell(to_phonopy(unit_cell), supercell_matrix, symprec=tolerance)
    dataset = generate_systematic_displacements(
        supercell,
        cast(Symmetry, SiteSymmetries(supercell, tolerance)),
        distance=settings.displacement_distance_A,
        is_plusminus=settings.plus_minus,
        is_diagonal=settings.diagonal,
    )
    force_set = ForceSet.from_phonopy(dataset)
    pristine = to_ase(supercell)
    supercells = []
    for atom, displacement in zip(force_set.atoms, force_set.displacements, strict=True):
        displaced = pristine.copy()
        displaced.positions[atom] += displacement
        supercells.append(displaced)
    return Displaced(force_set, supercells)


class SiteSymmetries:
    """The two answers of phonopy's `Symmetry` that displacements need.

    phonopy's own also finds how each operation permutes the atoms, one operation after the other. The supercell of a
    cubic crystal has up to 1,536 of them, which takes longer than a GPU needs for the forces.
    """

    def __init__(self, supercell: PhonopyAtoms, tolerance: float) -> None:
        symmetry = spglib.get_symmetry_dataset(cast(Any, supercell.totuple()), tolerance)
        assert symmetry is not None, f"spglib finds no symmetry of the supercell within {tolerance} Å"
        self._equivalent_atoms = symmetry.equivalent_atoms
        self._rotations = np.asarray(symmetry.rotations, dtype=int)
        self._translations = symmetry.translations
        self._supercell = supercell
        self._tolerance = tolerance

    def get_independent_atoms(self) -> np.ndarray:
        """Return the first atom of each set of equivalent ones, shape (n,)."""
        return np.unique(self._equivalent_atoms)

    def get_site_symmetry(self, atom_number: int) -> np.ndarray:
        """Return the rotations that leave an atom where it is, in fractional coordinates, shape (n, 3, 3)."""
        position = self._supercell.scaled_positions[atom_number]
        moved = position - (self._rotations @ position + self._translations)
        distance = np.linalg.norm((moved - np.rint(moved)) @ self._supercell.cell, axis=1)
        return self._rotations[distance < self._tolerance]
