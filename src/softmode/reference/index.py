"""An entry's row of the index: what one wants to know of a crystal before anything is computed."""

from typing import Any

import numpy as np
from ase import Atoms

from softmode.rates import EntrySize, displaced_atoms, relax_atoms
from softmode.reference.cells import masses_of, symmetry_dataset, unusual_masses
from softmode.reference.chemical_formula import chemical_formula
from softmode.reference.entry import Entry
from softmode.reference.structures import image_distance

# Tolerance in Å with which the space group of the index is found. `softmode sample` draws by it: with another one,
# entries with few digits get another crystal system, and the same seed another sample. That of tables is the
# protocol's, `report.symmetry_tolerance_A`.
_SYMMETRY_TOLERANCE = 1e-3


def describe(entry: Entry) -> dict[str, Any]:
    """Return the entry's row of the index.

    `estimated_cost` counts atoms to evaluate: those of all displaced supercells and of a relaxation.
    """
    cell = entry.unit_cell
    number = space_group(cell, _SYMMETRY_TOLERANCE)
    # of random displacements, a potential takes none
    systematic = entry.force_set is not None and entry.force_set.atoms is not None
    n_displacements = len(entry.force_set.displacements) if entry.force_set and systematic else 0
    size = EntrySize(len(cell), entry.n_supercell, n_displacements)
    return {
        "entry": entry.id,
        "formula": chemical_formula(cell.get_chemical_symbols()),
        "elements": " ".join(sorted(set(cell.get_chemical_symbols()))),
        "space_group": number,
        "crystal_system": crystal_system(number),
        "dimensionality": entry.dimensionality,
        "n_sites": len(cell),
        "n_primitive": entry.n_primitive,
        "n_supercell": entry.n_supercell,
        "n_displacements": n_displacements,
        "estimated_cost": relax_atoms(size) + displaced_atoms(size),
        "functional": entry.functional,
        "reference": entry.reference,
        "symmetry_tolerance_A": entry.symmetry_tolerance,
        "image_distance_A": round(image_distance(entry), 3),
        "masses": _unusual_masses(entry),
        "file": entry.source,
    }


def _unusual_masses(entry: Entry) -> str:
    """Return the masses in u that no natural element has, such as `H 2.014`."""
    atoms = entry.unit_cell
    masses = masses_of(atoms)
    unusual = np.flatnonzero(unusual_masses(atoms.numbers, masses))
    return ", ".join(sorted({f"{atoms.symbols[atom]} {masses[atom]:.4g}" for atom in unusual}))


def space_group(cell: Atoms, tolerance: float) -> int:
    """Return the number of the space group of a unit cell within a tolerance in Å; 1 where spglib finds none."""
    symmetry = symmetry_dataset(cell, tolerance)
    return symmetry.number if symmetry else 1


def crystal_system(number: int) -> str:
    """Return the crystal system of a space group number (International Tables A)."""
    bounds = [(2, "triclinic"), (15, "monoclinic"), (74, "orthorhombic"), (142, "tetragonal"), (167, "trigonal")]
    bounds += [(194, "hexagonal"), (230, "cubic")]
    return next(name for last, name in bounds if number <= last)
