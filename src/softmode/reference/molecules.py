"""One molecule from a file of any format that ASE reads, as it says, or not at all."""

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from scipy.spatial.distance import pdist

from softmode.errors import EntryError
from softmode.reference.cells import masses_of
from softmode.reference.dimensionality import contact_radii, dimensionality
from softmode.reference.entry import SHORTEST_DISTANCE
from softmode.reference.structure_files import keep_masses, read_as_written

# Keys by which files say the charge of a molecule, and its spin multiplicity; what is under another one is not seen.
_CHARGES = ("charge", "total_charge", "net_charge")
_MULTIPLICITIES = ("spin", "spin_multiplicity", "multiplicity")
# Charge in e up to which partial charges of atoms add up to none; programs write them with few digits.
_NEUTRAL = 0.05


def read_molecule(path: Path) -> Atoms:
    """Return the molecule in a file, without a cell, with masses where they are its own.

    A molecule in a periodic box is taken out of it.

    Raises:
        EntryError: (kind `bad_entry`) the file holds several structures, a crystal, one atom, or what no potential
            here knows of, such as a charge.
        Exception: what ASE says of a file that it does not understand.
    """
    structures = read_as_written(path)
    if len(structures) > 1:
        raise EntryError("bad_entry", f"{path.name} holds {len(structures)} structures; give each a file of its own")
    atoms = structures[0]
    try:
        _check_told(atoms)
        bare = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        keep_masses(atoms, bare)
        _check_atoms(bare)
        return whole_molecule(bare)
    except EntryError as error:
        raise EntryError(error.kind, f"{path.name} {error.message}") from None


def whole_molecule(atoms: Atoms) -> Atoms:
    """Return a molecule in one piece and without a cell.

    Args:
        atoms: periodic or not

    Raises:
        EntryError: (kind `bad_entry`) it is a crystal, or in several pieces.
    """
    if atoms.pbc.any() and (atoms.cell.rank < 3 or dimensionality(atoms) > 0):
        raise EntryError(
            "bad_entry",
            "is periodic: its atoms touch their images, or vacuum is too narrow to tell. For a crystal take 'softmode "
            "phonons'; for a molecule, write it without a cell (XYZ), or in a box with 5 Å or more of vacuum",
        )
    radii = contact_radii(atoms.numbers)
    first, second, shifts = neighbor_list("ijS", atoms, radii)
    offsets = {0: np.zeros(3)}
    waiting = [0]
    while waiting:
        atom = waiting.pop()
        for contact in np.flatnonzero(first == atom):
            if (other := int(second[contact])) not in offsets:
                offsets[other] = offsets[atom] + shifts[contact]
                waiting.append(other)
    if len(offsets) < len(atoms):
        apart = min(set(range(len(atoms))) - offsets.keys())
        raise EntryError("bad_entry", f"is no single molecule: nothing is near atoms 1 and {apart + 1} that links them")
    whole = Atoms(atoms.numbers, positions=atoms.positions)
    whole.positions += np.array([offsets[atom] for atom in range(len(atoms))]) @ atoms.cell.array
    if atoms.has("masses"):
        whole.set_masses(atoms.get_masses())
    return whole


def _check_told(atoms: Atoms) -> None:
    """Raise EntryError where a file says of a molecule what no potential here is told."""
    charges = [float(atoms.info[key]) for key in _CHARGES if key in atoms.info]
    charges.append(float(atoms.get_initial_charges().sum()))
    if charge := next((charge for charge in charges if abs(charge) > _NEUTRAL), None):
        raise EntryError(
            "bad_entry", f"has a charge of {charge:g} e, which no potential here knows of; take the neutral molecule"
        )
    multiplicities = [float(atoms.info[key]) for key in _MULTIPLICITIES if key in atoms.info]
    if any(multiplicity > 1 for multiplicity in multiplicities) or atoms.get_initial_magnetic_moments().any():
        raise EntryError(
            "bad_entry", "has a spin, which no potential here is told; leave it out of the file if any spin will do"
        )


def _check_atoms(atoms: Atoms) -> None:
    if len(atoms) < 2:
        raise EntryError("bad_entry", f"has {len(atoms)} atom(s); a molecule that vibrates has two or more")
    if not (atoms.numbers > 0).all():
        raise EntryError("bad_entry", f"has an atom of no element (X), number {int(np.argmin(atoms.numbers)) + 1}")
    if not np.isfinite(atoms.positions).all():
        raise EntryError("bad_entry", "has positions that are not finite numbers")
    masses = masses_of(atoms)
    if not (np.isfinite(masses) & (masses > 0)).all():
        raise EntryError("bad_entry", f"has an atom with a mass of {masses.min():g} u")
    if not atoms.pbc.any() and pdist(atoms.positions).min() < SHORTEST_DISTANCE:
        raise EntryError(
            "bad_entry",
            f"has atoms nearer than {SHORTEST_DISTANCE:g} Å to each other; is it in Å, and each atom there once?",
        )
