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
from softmode.settings.protocol import ForceSets


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
    assert force_set.atoms is not None
    pristine = to_ase(supercell)
    supercells = []
    for atom, displacement in zip(force_set.atoms, force_set.displacements, strict=True):
        displaced = pristine.copy()
        displaced.positions[atom] += displacement
        supercells.append(displaced)
    return Displaced(force_set, supercells)
