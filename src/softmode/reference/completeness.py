"""Whether a force set can give all force constants: what is missing makes wrong phonons, not an error.

It is judged under the symmetry with which phonopy makes the force constants: that of the supercell, within a tolerance.
A file whose coordinates have few digits, or a crystal that was relaxed without symmetry, has less of it than its
displacements were made for; phonopy then solves a singular problem without a word.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms
from phonopy.harmonic.displacement import estimate_number_of_snapshots
from phonopy.structure.cells import Supercell
from phonopy.structure.symmetry import Symmetry

from softmode.errors import EntryError
from softmode.reference.cells import EXACT
from softmode.reference.entry import Entry, ForceSet
from softmode.reference.exact_symmetry import has_few_digits, make_exact, number_of_operations, rounding
from softmode.reference.site_symmetries import SiteSymmetries

# Tolerances in Å that are tried where a file records none: the first under which the displacements suffice is taken.
# The last is as much asymmetry as changes no frequency by more than half a per cent: a looser one in a file is not
# taken, and no atom is moved further to make a symmetry exact. With 4e-3, frequencies of rattled crystals changed by
# 0.8 %.
TOLERANCES = (EXACT, 1e-4, 1e-3, 2e-3)
# Largest tolerance in Å with which hidden symmetry is looked for; with a larger one spglib finds symmetry in
# anything, and crystals with few digits would be refused in vain.
_LARGEST_ROUNDING = 0.02
# Smallest singular value of unit vectors that span space; two of them at an angle of 6° have 0.07. With a smaller
# bound, what is solved for is the noise of the forces.
_SPANNING = 0.05


def recorded_tolerance(recorded: Any, length: float = 1.0) -> float:
    """Return a symmetry tolerance in Å from what a file records.

    Args:
        length: the file's unit of length in Å

    Raises:
        EntryError: (kind `bad_entry`) it is no length.
    """
    try:
        tolerance = float(str(recorded))
    except ValueError:
        tolerance = np.nan
    if not 0 < tolerance < np.inf:
        raise EntryError("bad_entry", f"symmetry_tolerance: {recorded!r:.40} is no length")
    return max(tolerance * length, EXACT)


def settle_symmetry(entry: Entry, recorded: float | None) -> Entry:
    """Return the entry with the tolerance under which its displacements determine the force constants.

    Args:
        recorded: the tolerance in Å that the entry's file records; None lets the displacements tell

    Raises:
        EntryError: (kind `bad_entry`) they determine them under none, or not under the recorded one.
    """
    tried = TOLERANCES if recorded is None else (min(recorded, TOLERANCES[-1]),)
    lacking = ""
    for tolerance in tried:
        lacking = _lacking_within(entry, tolerance)
        if not lacking:
            return _made_exact(replace(entry, symmetry_tolerance=tolerance))
    others = [] if recorded is None else [tolerance for tolerance in TOLERANCES if tolerance > tried[0]]
    enough = next((tolerance for tolerance in others if not _lacking_within(entry, tolerance)), None)
    if recorded is not None and recorded > tried[0]:
        advice = (
            f"the displacements were reduced by a symmetry that the crystal has within {recorded:g} Å only, which "
            f"gives no trustworthy frequencies; displace it anew with a tolerance of at most {TOLERANCES[-1]:g} Å"
        )
    elif enough is not None:
        advice = (
            f"with a symmetry tolerance of {enough:g} Å they would, but the file records {recorded:g} Å; if they were "
            f"made with the former, write that there, or give the positions "
            "more digits"
        )
    else:
        advice = "displacements are missing; find the complete force set, or compute those that are missing"
    raise EntryError("bad_entry", f"{lacking}; {advice}")


def _made_exact(entry: Entry) -> Entry:
    """Return the entry with its cell exactly symmetric, by the loosest tolerance that leaves its displacements enough.

    Where they suffice for the symmetry that is exact, and the positions have all their digits, the crystal is what its
    file says, however near it is to more symmetry.

    Raises:
        EntryError: (kind `bad_entry`) it has no symmetry that can be made exact, and its displacements need one.
    """
    if entry.symmetry_tolerance <= EXACT and not has_few_digits(entry.unit_cell):
        return entry
    _check_digits(entry.unit_cell)
    for tolerance in reversed(TOLERANCES):
        found = make_exact(entry, tolerance)
        if found is None:
            continue
        known_to_suffice = found[0] is entry and entry.symmetry_tolerance <= EXACT
        if known_to_suffice or not _lacking_within(found[0], EXACT):
            return found[0]
    if entry.symmetry_tolerance > EXACT:
        raise EntryError(
            "bad_entry",
            f"its displacements suffice under the symmetry that spglib finds within {entry.symmetry_tolerance:g} Å, "
            "but the atoms cannot be moved so that it is exact; give positions and lattice more digits",
        )
    return entry


def _check_digits(cell: Atoms) -> None:
    """Raise EntryError (kind `bad_entry`) where digits hide more symmetry than can be made exact."""
    hidden = min(rounding(cell), _LARGEST_ROUNDING)
    if hidden > TOLERANCES[-1] and number_of_operations(cell, hidden) > number_of_operations(cell, TOLERANCES[-1]):
        raise EntryError(
            "bad_entry", f"its positions, known to {hidden:.2g} Å by their digits, do not tell its symmetry; give more"
        )


def _lacking_within(entry: Entry, tolerance: float) -> str:
    """Return what the entry's force set lacks under a tolerance in Å; nothing where it suffices."""
    force_set = entry.force_set
    assert force_set is not None
    try:
        supercell = replace(entry, symmetry_tolerance=tolerance).check()
    except EntryError as error:
        return error.message
    if force_set.atoms is None:
        return _lacking_snapshots(force_set, supercell, tolerance)
    return _lacking_displacements(force_set, supercell, tolerance)


def _lacking_displacements(force_set: ForceSet, supercell: Supercell, tolerance: float) -> str:
    """Return what displacements of single atoms lack."""
    assert force_set.atoms is not None
    symmetries = SiteSymmetries(supercell, tolerance)
    equivalent = symmetries.get_equivalent_atoms()
    for atom in symmetries.get_independent_atoms():
        if not np.isin(equivalent[force_set.atoms], equivalent[atom]).any():
            return f"neither atom {atom + 1} of the supercell ({supercell.symbols[atom]}) is displaced nor one like it"
    to_cartesian = supercell.cell.T
    for atom in np.unique(force_set.atoms):
        displacements = force_set.displacements[force_set.atoms == atom]
        directions = displacements / np.linalg.norm(displacements, axis=1)[:, None]
        rotations = to_cartesian @ symmetries.get_site_symmetry(atom) @ np.linalg.inv(to_cartesian)
        images = np.einsum("rij,dj->rdi", rotations, directions).reshape(-1, 3)
        if len(images) < 3 or np.linalg.svd(images, compute_uv=False)[2] < _SPANNING:
            return (
                f"the displacements of atom {atom + 1} of the supercell ({supercell.symbols[atom]}) do not determine "
                "its force constants in all directions"
            )
    return ""


def _lacking_snapshots(force_set: ForceSet, supercell: Supercell, tolerance: float) -> str:
    """Return what random displacements lack: symfc, which solves for the force constants, does not say."""
    needed = estimate_number_of_snapshots(supercell, Symmetry(supercell, symprec=tolerance))
    found = int(np.linalg.matrix_rank(force_set.displacements.reshape(len(force_set.displacements), -1)))
    if found >= min(needed, 3 * len(supercell)):
        return ""
    return (
        f"{len(force_set.displacements)} random displacements, {found} of them independent, do not determine the force "
        f"constants: {needed} are needed"
    )


def with_single_atoms(force_set: ForceSet) -> ForceSet:
    """Return displacements of all atoms as those of single atoms, where each supercell has one that is displaced."""
    if force_set.atoms is not None or force_set.displacements.ndim != 3:
        return force_set
    moved = np.linalg.norm(force_set.displacements, axis=2) > 0
    if not (moved.sum(axis=1) == 1).all():
        return force_set
    return ForceSet(moved.argmax(axis=1), force_set.displacements[moved], force_set.forces)
