"""One material of a data set, with the displacements and forces of its reference where they are known."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from phonopy.structure.cells import Supercell

from softmode.errors import EntryError
from softmode.reference.born_charges import BornCharges
from softmode.reference.cells import EXACT, build_cells, find_primitive_matrix, masses_of, to_phonopy
from softmode.reference.dimensionality import dimensionality, vacuum_axis

# Lengths in Å between which displacements lie: a shorter one gives noise, a longer one no harmonic force. Wider
# bounds would let displacements in another unit pass.
_DISPLACEMENTS = (1e-4, 0.5)
# Shortest distance of two atoms in Å: H2 has 0.74, the shortest bond of the Kyoto database 0.76. With more, hydrogen
# would be refused; with less, cells in another unit, or with an atom twice, would not.
SHORTEST_DISTANCE = 0.5
# Volumes of an atom in Å³ between which cells lie: metallic hydrogen of the Kyoto database has 2.8, and a thousand Å³
# of vacuum for one atom are still a molecule. Wider bounds would let cells in another unit pass.
_VOLUMES_PER_ATOM = (1.0, 1e5)
# Largest force in eV/Å: the stiffest bonds (N2, 140 eV/Å²) at the longest displacement give 70; the Kyoto database
# has at most 2.2. With a larger bound, damaged numbers would pass for forces.
_LARGEST_FORCE = 1000.0
# Largest number of atoms of a supercell: the Kyoto database has at most 224, and force constants of this many take 2
# GB. With more, one damaged matrix could take all memory of a job.
LARGEST_SUPERCELL = 5000


@dataclass(frozen=True)
class ForceSet:
    """Displaced supercells and their forces.

    Attributes:
        atoms: index of the one displaced atom of each supercell, counted from 0, shape (n,); None where all atoms are
            displaced (phonopy's type 2, random displacements)
        displacements: Cartesian displacements in Å, shape (n, 3); of all atoms, (n, n_supercell, 3)
        forces: forces on all supercell atoms in eV/Å, shape (n, n_supercell, 3)
    """

    atoms: np.ndarray | None
    displacements: np.ndarray
    forces: np.ndarray

    @classmethod
    def from_phonopy(cls, dataset: Any) -> "ForceSet":
        """Return what phonopy's displacement data set of either type has; forces may be missing: an empty array."""
        if "first_atoms" not in dataset:
            return cls(None, np.array(dataset["displacements"]), np.array(dataset.get("forces", [])))
        rows = dataset["first_atoms"]
        return cls(
            atoms=np.array([row["number"] for row in rows], dtype=int),
            displacements=np.array([row["displacement"] for row in rows], dtype=float).reshape(-1, 3),
            forces=np.array([row["forces"] for row in rows if "forces" in row], dtype=float),
        )

    def to_phonopy(self) -> Any:
        """Return phonopy's displacement data set."""
        if self.atoms is None:
            return {"displacements": self.displacements, "forces": self.forces}
        rows = [
            {"number": int(atom), "displacement": displacement, "forces": forces}
            for atom, displacement, forces in zip(self.atoms, self.displacements, self.forces, strict=True)
        ]
        return {"natom": self.forces.shape[1], "first_atoms": rows}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "ForceSet | None":
        """Return the force set that a record's arrays hold; None where they hold none."""
        if "forces" not in arrays:
            return None
        return cls(arrays.get("atoms"), arrays["displacements"], arrays["forces"])

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return it as a record's arrays."""
        return {name: array for name, array in vars(self).items() if array is not None}

    def reordered(self, order: np.ndarray) -> "ForceSet":
        """Return the same for a supercell whose atom i is atom `order[i]` of this one."""
        if self.atoms is None:
            return ForceSet(None, self.displacements[:, order], self.forces[:, order])
        return ForceSet(np.argsort(order)[self.atoms], self.displacements, self.forces[:, order])

    def in_units(self, length: float, force: float) -> "ForceSet":
        """Return it in Å and eV/Å, whose multiples its own units are."""
        return ForceSet(self.atoms, self.displacements * length, self.forces * force)


@dataclass(frozen=True)
class Entry:
    """One material: its cells and, if known, its reference.

    Attributes:
        id: unique in the data set
        unit_cell: the cell that is relaxed, as the data set gives it (often the conventional cell), with masses and
            magnetic moments where they are the crystal's own
        supercell_matrix: integer, shape (3, 3), from the unit cell to the supercell, as in phonopy
        primitive_matrix: shape (3, 3), from the unit cell to the primitive cell, as in phonopy
        source: the file it was read from
        force_set: the reference's displacements and forces, or None
        force_constants: the reference's force constants in eV/Å² where it has no forces, of shape (n, n_supercell, 3,
            3) with n the number of atoms of the primitive cell, as phonopy's compact form; or None
        symmetry_tolerance: in Å, under which the reference's displacements suffice and the primitive cell is found
        energy: the reference's energy of the unit cell in eV, or None
        functional: the reference's exchange-correlation functional, if the data set says so
        own_numbers: thermodynamics and frequencies that the reference's file states, see `own_numbers`
        born_charges: for pictures only; in no digest, as no number comes of them
        lines: displacements of all atoms and forces along straight lines, of the unit cell (`cell`), and of the
            primitive cell (`gamma`) with its atoms in the order in which they are first in the unit cell; or empty
    """

    id: str
    unit_cell: Atoms
    supercell_matrix: np.ndarray
    primitive_matrix: np.ndarray
    source: str
    force_set: ForceSet | None = None
    force_constants: np.ndarray | None = None
    symmetry_tolerance: float = EXACT
    energy: float | None = None
    functional: str = ""
    own_numbers: Mapping[str, Any] = field(default_factory=dict)
    born_charges: BornCharges | None = None
    lines: Mapping[str, ForceSet] = field(default_factory=dict)

    @property
    def n_supercell(self) -> int:
        """Number of atoms of the supercell."""
        return round(abs(np.linalg.det(self.supercell_matrix))) * len(self.unit_cell)

    @property
    def n_primitive(self) -> int:
        """Number of atoms of the primitive cell, of which thermodynamics are given per mole."""
        return round(abs(np.linalg.det(self.primitive_matrix)) * len(self.unit_cell))

    @property
    def reference(self) -> str:
        """What the reference is made of, in words; empty where there is none."""
        if self.force_set is not None:
            return "force set" if self.force_set.atoms is not None else "random displacements"
        return "" if self.force_constants is None else "force constants"

    @cached_property
    def dimensionality(self) -> int:
        """In how many directions it goes on without vacuum, see `reference.dimensionality`; found once."""
        return dimensionality(self.unit_cell)

    def check_dimensionality(self) -> None:
        """Refuse what has no phonons of a crystal, and slabs of which no two-dimensional mesh can be made.

        Raises:
            EntryError: (kind `bad_entry`) with what to do.
        """
        if self.dimensionality < 2:
            what = ("a molecule in a box", "a wire in vacuum")[self.dimensionality]
            raise EntryError(
                "bad_entry",
                f"is {what}, which has no phonons of a crystal: its atoms are in contact in {self.dimensionality} of "
                "three directions; leave it out, or correct the cell if it is meant to be a crystal",
            )
        if self.dimensionality == 2 and vacuum_axis(self.unit_cell, self.primitive_matrix) is None:
            raise EntryError(
                "bad_entry",
                "is a slab whose primitive cell does not fit it: write the cell with two vectors in the plane of the "
                "slab and the third across the vacuum, without a primitive matrix",
            )

    def check(self) -> Supercell:
        """Return phonopy's supercell, in which cell, matrices and force set fit together.

        Raises:
            EntryError: (kind `bad_entry`) they do not.
        """
        self._check_unit_cell()
        n_supercell = self.n_supercell
        if n_supercell == 0:
            raise EntryError("bad_entry", "the supercell matrix is singular")
        self.check_force_set()
        # phonopy looks for the supercell's atoms in a box of unit cells around it
        n_searched = np.abs(np.asarray(self.supercell_matrix, dtype=float)).sum(axis=1).prod() * len(self.unit_cell)
        if n_supercell > LARGEST_SUPERCELL or n_searched > 100 * LARGEST_SUPERCELL:
            raise EntryError("bad_entry", f"the supercell has {n_supercell} atoms, or is too skewed to be built")
        try:
            supercell, primitive = build_cells(
                self.unit_cell, self.supercell_matrix, self.primitive_matrix, self.symmetry_tolerance
            )
        except Exception as error:  # phonopy raises many kinds here
            raise EntryError(
                "bad_entry",
                f"phonopy cannot build supercell and primitive cell within {self.symmetry_tolerance:g} Å "
                f"({type(error).__name__}: {error}); correct the matrices, or the positions",
            ) from error
        if len(primitive) != self.n_primitive:
            raise EntryError(
                "bad_entry", f"the primitive matrix makes {len(primitive)} atoms of {self.n_primitive}; correct it"
            )
        return supercell

    def _check_unit_cell(self) -> None:
        cell = self.unit_cell
        n_atoms = len(cell)
        if n_atoms == 0:
            raise EntryError("bad_entry", "the unit cell has no atoms")
        if n_atoms > LARGEST_SUPERCELL:
            raise EntryError("bad_entry", f"the unit cell has {n_atoms} atoms, more than {LARGEST_SUPERCELL}")
        if not np.isfinite(cell.cell.array).all() or not np.isfinite(cell.positions).all():
            raise EntryError("bad_entry", "cell or positions are not finite numbers")
        if not (cell.numbers > 0).all():
            raise EntryError("bad_entry", "an atom of the unit cell is of no element (X)")
        if cell.get_initial_magnetic_moments().ndim != 1:
            raise EntryError("bad_entry", "has non-collinear magnetic moments, which a database of ASE cannot hold")
        masses = masses_of(cell)
        if not (np.isfinite(masses) & (masses > 0)).all():
            raise EntryError("bad_entry", f"atom {np.argmin(masses > 0) + 1} has a mass of {masses.min():g} u")
        volume = cell.cell.volume / n_atoms
        if not _VOLUMES_PER_ATOM[0] < volume < _VOLUMES_PER_ATOM[1] or cell.cell.lengths().min() < SHORTEST_DISTANCE:
            raise EntryError("bad_entry", f"the unit cell has {cell.cell.volume:.3g} Å³ for {n_atoms} atoms")
        first, second, distances = neighbor_list("ijd", cell, SHORTEST_DISTANCE)
        if len(distances):
            closest = distances.argmin()
            raise EntryError(
                "bad_entry",
                f"atoms {first[closest] + 1} and {second[closest] + 1} of the unit cell are {distances[closest]:.3g} Å "
                f"apart, less than {SHORTEST_DISTANCE} Å; correct the positions",
            )

    def check_force_set(self) -> None:
        """Refuse a force set that is not of the supercell, or not of numbers that are displacements and forces.

        Raises:
            EntryError: (kind `bad_entry`) with what is wrong.
        """
        if self.force_set is None:
            return
        force_set, n_supercell = self.force_set, self.n_supercell
        forces, n_displacements = force_set.forces, len(force_set.displacements)
        if n_displacements == 0 or forces.shape != (n_displacements, n_supercell, 3):
            raise EntryError(
                "bad_entry",
                f"{len(forces)} sets of forces on {forces.shape[1] if forces.ndim == 3 else 0} atoms for "
                f"{n_displacements} displacements of a supercell of {n_supercell} atoms; "
                "are they of another supercell?",
            )
        displacements = force_set.displacements.reshape(-1, 3)
        if force_set.atoms is None and len(displacements) != n_displacements * n_supercell:
            raise EntryError("bad_entry", f"displacements of other atoms than the {n_supercell} of the supercell")
        if not np.isfinite(forces).all() or not np.isfinite(displacements).all():
            raise EntryError("bad_entry", "displacements or forces are not finite numbers")
        if not forces.any():
            raise EntryError("bad_entry", "all forces are zero; they were not computed, or not written")
        if np.abs(forces).max() > _LARGEST_FORCE:
            raise EntryError("bad_entry", f"a force of {np.abs(forces).max():.3g} eV/Å, which no displacement gives")
        lengths = np.linalg.norm(displacements, axis=1)
        # of random displacements, any one may be small
        shortest = lengths.min() if force_set.atoms is not None else lengths.max()
        if shortest < _DISPLACEMENTS[0] or lengths.max() > _DISPLACEMENTS[1]:
            raise EntryError("bad_entry", f"displacements of {lengths.min():.3g} to {lengths.max():.3g} Å")
        if force_set.atoms is not None and (force_set.atoms.min() < 0 or force_set.atoms.max() >= n_supercell):
            raise EntryError("bad_entry", "a displaced atom is not in the supercell")

    def digest(self) -> str:
        """SHA-256 over everything that influences a result."""
        parts = hashlib.sha256(self.id.encode())
        arrays = [self.unit_cell.numbers, self.unit_cell.cell.array, to_phonopy(self.unit_cell).scaled_positions]
        arrays += [self.supercell_matrix, self.primitive_matrix]
        if self.force_set is not None:
            arrays += list(self.force_set.to_arrays().values())
        arrays += [np.array([np.nan if self.energy is None else self.energy])]
        for array in arrays:
            _add(parts, array)
        # what most entries do not have is counted with its name, so that the digests of the others stay what they were
        own = {name: self.unit_cell.arrays.get(name) for name in ("masses", "initial_magmoms")}
        own["force_constants"] = self.force_constants
        if self.reference and self.symmetry_tolerance != EXACT:
            # tolerances differ by factors, not in the tenth digit
            own["symmetry_tolerance"] = np.log10([self.symmetry_tolerance])
        for which, of_lines in sorted(self.lines.items()):
            own |= {f"lines {which} {name}": array for name, array in of_lines.to_arrays().items()}
        own |= {f"own_numbers {name}": values for name, values in sorted(self.own_numbers.items())}
        for name, array in own.items():
            if array is not None:
                parts.update(name.encode())
                _add(parts, array)
        return parts.hexdigest()


def with_primitive_cell(entry: Entry) -> Entry:
    """Return the entry with a primitive matrix that leads to a smallest cell, and checked; see `find_primitive_matrix`.

    Raises:
        EntryError: (kind `bad_entry`) phonopy cannot build that cell.
    """
    matrix = find_primitive_matrix(entry.unit_cell, entry.primitive_matrix, entry.symmetry_tolerance)
    if matrix is not entry.primitive_matrix:
        entry = replace(entry, primitive_matrix=matrix)
        entry.check()
    return entry


def _add(parts: Any, array: np.ndarray) -> None:
    # ten digits: what survives a round trip through any of the file formats; adding nothing makes 0.0 of -0.0
    parts.update((np.round(np.asarray(array, dtype=float), 10) + 0.0).tobytes())
