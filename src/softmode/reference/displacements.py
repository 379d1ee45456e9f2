"""Whether a force set's displacements can give all force constants: a lost one makes wrong phonons, not an error."""

from typing import Any

import numpy as np
import spglib
from phonopy.structure.atoms import PhonopyAtoms
from phonopy.structure.cells import Supercell

from softmode.errors import EntryError
from softmode.reference.cells import to_phonopy
from softmode.reference.entry import Entry

# in Å; loose on purpose: more symmetry asks for fewer displacements, and nothing that suffices is ever refused
_SYMMETRY_TOLERANCE = 1e-2
# the smallest singular value of unit vectors that do not span space
_PARALLEL = 1e-4


def check_displacements(entry: Entry, supercell: Supercell) -> None:
    """Raise EntryError (kind `bad_entry`) where the entry's force set lacks displacements.

    Every site needs displacements that, with the symmetry of the crystal, span space. The supercell may have less
    symmetry than the crystal and need more of them: what passes here may still be too little.
    """
    assert entry.force_set is not None
    cell = to_phonopy(entry.unit_cell)
    crystal: Any = (cell.cell, cell.scaled_positions, cell.numbers)
    symmetry = spglib.get_symmetry_dataset(crystal, symprec=_SYMMETRY_TOLERANCE)
    if symmetry is None:
        return
    displaced = [supercell.u2u_map[supercell.s2u_map[atom]] for atom in entry.force_set.atoms]
    sites = symmetry.equivalent_atoms
    to_cartesian = cell.cell.T
    rotations = [to_cartesian @ rotation @ np.linalg.inv(to_cartesian) for rotation in symmetry.rotations]
    for site in sorted(set(sites.tolist())):
        directions = [
            cartesian @ displacement / np.linalg.norm(displacement)
            for atom, displacement in zip(displaced, entry.force_set.displacements, strict=True)
            if sites[atom] == site
            for rotation, translation, cartesian in zip(
                symmetry.rotations, symmetry.translations, rotations, strict=True
            )
            if _same_place(cell, rotation @ cell.scaled_positions[atom] + translation, cell.scaled_positions[site])
        ]
        if len(directions) < 3 or np.linalg.svd(np.array(directions), compute_uv=False)[2] < _PARALLEL:
            raise EntryError(
                "bad_entry",
                f"the displacements do not determine the force constants of {cell.symbols[site]} (atom {site + 1} of "
                "the unit cell and those equivalent to it); displacements are missing, fetch or compute them again",
            )


def _same_place(cell: PhonopyAtoms, first: np.ndarray, second: np.ndarray) -> bool:
    difference = first - second
    return bool(np.linalg.norm((difference - np.rint(difference)) @ cell.cell) < 10 * _SYMMETRY_TOLERANCE)
