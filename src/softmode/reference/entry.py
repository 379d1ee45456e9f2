"""One material of a data set, with the displacements and forces of its reference where they are known."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from phonopy.structure.cells import Supercell

from softmode.errors import EntryError
from softmode.reference.cells import build_cells, to_phonopy

# in Å: a shorter displacement gives noise, a longer one no harmonic force
_DISPLACEMENTS = (1e-4, 0.5)
# in Å: the shortest bond there is, that of H2, has 0.74; the shortest of the Kyoto database 0.76
_SHORTEST_DISTANCE = 0.5
# in Å³: metallic hydrogen of the Kyoto database has 2.8; a thousand Å³ of vacuum for one atom are still a molecule
_VOLUMES_PER_ATOM = (1.0, 1e5)
# in eV/Å: the stiffest bonds (N2, 140 eV/Å²) at the longest displacement give 70; the Kyoto database has at most 2.2
_LARGEST_FORCE = 1000.0
# in atoms: the Kyoto database has at most 224; force constants of this many take 2 GB
LARGEST_SUPERCELL = 5000


@dataclass(frozen=True)
class ForceSet:
    """Displaced supercells and their forces, one displaced atom each (phonopy's type 1).

    Attributes:
        atoms: index of the displaced atom in the supercell, counted from 0, shape (n,)
        displacements: Cartesian displacements in Å, shape (n, 3)
        forces: forces on all supercell atoms in eV/Å, shape (n, n_supercell, 3)
    """

    atoms: np.ndarray
    displacements: np.ndarray
    forces: np.ndarray

    @classmethod
    def from_phonopy(cls, dataset: Any) -> "ForceSet":
        """Return the data of phonopy's type-1 displacement data set; one without forces gives an empty array."""
        rows = dataset["first_atoms"]
        return cls(
            atoms=np.array([row["number"] for row in rows], dtype=int),
            displacements=np.array([row["displacement"] for row in rows], dtype=float).reshape(-1, 3),
            forces=np.array([row["forces"] for row in rows if "forces" in row], dtype=float),
        )

    def reordered(self, order: np.ndarray) -> "ForceSet":
        """Return the same for a supercell whose atom i is atom `order[i]` of this one."""
        return ForceSet(np.argsort(order)[self.atoms], self.displacements, self.forces[:, order])

    def to_phonopy(self) -> Any:
        """Return phonopy's type-1 displacement data set."""
        rows = [
            {"number": int(atom), "displacement": displacement, "forces": forces}
            for atom, displacement, forces in zip(self.atoms, self.displacements, self.forces, strict=True)
        ]
        return {"natom": self.forces.shape[1], "first_atoms": rows}


@dataclass(frozen=True)
class Entry:
    """One material: its cells and, if known, its reference.

    Attributes:
        id: unique in the data set
        unit_cell: the cell that is relaxed, as the data set gives it (often the conventional cell)
        supercell_matrix: integer, shape (3, 3), from the unit cell to the supercell, as in phonopy
        primitive_matrix: shape (3, 3), from the unit cell to the primitive cell, as in phonopy
        source: the file it was read from
        force_set: the reference's displacements and forces, or None
        energy: the reference's energy of the unit cell in eV, or None
        functional: the reference's exchange-correlation functional, if the data set says so
    """

    id: str
    unit_cell: Atoms
    supercell_matrix: np.ndarray
    primitive_matrix: np.ndarray
    source: str
    force_set: ForceSet | None = None
    energy: float | None = None
    functional: str = ""

    @property
    def n_supercell(self) -> int:
        """Number of atoms of the supercell."""
        return round(abs(np.linalg.det(self.supercell_matrix))) * len(self.unit_cell)

    def check(self) -> Supercell:
        """Return phonopy's supercell, in which cell, matrices and force set fit together.

        Raises:
            EntryError: (kind `bad_entry`) they do not.
        """
        self._check_unit_cell()
        n_supercell = self.n_supercell
        if n_supercell == 0:
            raise EntryError("bad_entry", "the supercell matrix is singular")
        if self.force_set is not None:
            self._check_force_set(self.force_set, n_supercell)
        # phonopy looks for the supercell's atoms in a box of unit cells around it
        n_searched = np.abs(np.asarray(self.supercell_matrix, dtype=float)).sum(axis=1).prod() * len(self.unit_cell)
        if n_supercell > LARGEST_SUPERCELL or n_searched > 100 * LARGEST_SUPERCELL:
            raise EntryError("bad_entry", f"the supercell has {n_supercell} atoms, or is too skewed to be built")
        try:
            supercell, _ = build_cells(self.unit_cell, self.supercell_matrix, self.primitive_matrix)
        except Exception as error:  # phonopy raises many kinds here
            raise EntryError("bad_entry", f"phonopy cannot build the cells: {error}") from error
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
        volume = cell.cell.volume / n_atoms
        if not _VOLUMES_PER_ATOM[0] < volume < _VOLUMES_PER_ATOM[1] or cell.cell.lengths().min() < _SHORTEST_DISTANCE:
            raise EntryError("bad_entry", f"the unit cell has {cell.cell.volume:.3g} Å³ for {n_atoms} atoms")
        first, second, distances = neighbor_list("ijd", cell, _SHORTEST_DISTANCE)
        if len(distances):
            closest = distances.argmin()
            raise EntryError(
                "bad_entry",
                f"atoms {first[closest] + 1} and {second[closest] + 1} of the unit cell are {distances[closest]:.3g} Å "
                f"apart, less than {_SHORTEST_DISTANCE} Å; correct the positions",
            )

    def _check_force_set(self, force_set: ForceSet, n_supercell: int) -> None:
        forces, n_displacements = force_set.forces, len(force_set.atoms)
        if n_displacements == 0 or forces.shape != (n_displacements, n_supercell, 3):
            raise EntryError(
                "bad_entry",
                f"forces of shape {forces.shape} for {n_displacements} displacements of a supercell of "
                f"{n_supercell} atoms",
            )
        if not np.isfinite(forces).all() or not np.isfinite(force_set.displacements).all():
            raise EntryError("bad_entry", "displacements or forces are not finite numbers")
        if np.abs(forces).max() > _LARGEST_FORCE:
            raise EntryError("bad_entry", f"a force of {np.abs(forces).max():.3g} eV/Å, which no displacement gives")
        lengths = np.linalg.norm(force_set.displacements, axis=1)
        if lengths.min() < _DISPLACEMENTS[0] or lengths.max() > _DISPLACEMENTS[1]:
            raise EntryError("bad_entry", f"displacements of {lengths.min():.3g} to {lengths.max():.3g} Å")
        if force_set.atoms.min() < 0 or force_set.atoms.max() >= n_supercell:
            raise EntryError("bad_entry", "a displaced atom is not in the supercell")

    def digest(self) -> str:
        """SHA-256 over everything that influences a result."""
        parts = hashlib.sha256(self.id.encode())
        arrays = [self.unit_cell.numbers, self.unit_cell.cell.array, to_phonopy(self.unit_cell).scaled_positions]
        arrays += [self.supercell_matrix, self.primitive_matrix]
        if self.force_set is not None:
            arrays += [self.force_set.atoms, self.force_set.displacements, self.force_set.forces]
        arrays += [np.array([np.nan if self.energy is None else self.energy])]
        for array in arrays:
            # ten digits: what survives a round trip through any of the file formats; adding nothing makes 0.0 of -0.0
            parts.update((np.round(np.asarray(array, dtype=float), 10) + 0.0).tobytes())
        return parts.hexdigest()
