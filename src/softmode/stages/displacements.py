"""The displaced supercells of a cell: phonopy's, without what of phonopy only force constants need."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from ase import Atoms
from phonopy.harmonic.displacement import generate_systematic_displacements
from phonopy.structure.cells import get_supercell
from phonopy.structure.symmetry import Symmetry

from softmode.reference.cells import to_ase, to_phonopy
from softmode.reference.entry import ForceSet
from softmode.reference.site_symmetries import SiteSymmetries
from softmode.settings.harmonic import ForceSets


@dataclass(frozen=True)
class Displaced:
    """What phonopy says is to be computed for one entry.

    Attributes:
        force_set: atoms that are displaced and by how much, without forces
        pristine: the supercell without displacements
    """

    force_set: ForceSet
    pristine: Atoms

    @property
    def directions(self) -> np.ndarray:
        """The displacements of all atoms in Å, shape (n, n_supercell, 3)."""
        assert self.force_set.atoms is not None
        directions = np.zeros((len(self.force_set.atoms), len(self.pristine), 3))
        for direction, atom, displacement in zip(
            directions, self.force_set.atoms, self.force_set.displacements, strict=True
        ):
            direction[atom] = displacement
        return directions

    @property
    def supercells(self) -> list[Atoms]:
        """The displaced supercells."""
        supercells = []
        for direction in self.directions:
            displaced = self.pristine.copy()
            displaced.positions += direction
            supercells.append(displaced)
        return supercells


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
        is_plusminus=settings.plus_minus if settings.method == "finite_displacement" else False,
        is_diagonal=settings.diagonal,
    )
    return Displaced(ForceSet.from_phonopy(dataset), to_ase(supercell))
