"""One material of a data set, with the displacements and forces of its reference where they are known."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from softmode.errors import EntryError
from softmode.reference.cells import build_cells, to_phonopy

# in Å: a shorter displacement gives noise, a longer one no harmonic force
_DISPLACEMENTS = (1e-4, 0.5)


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

    def check(self) -> None:
        """Raise EntryError (kind `bad_entry`) where cell, matrices and force set do not fit together."""
        n_atoms = len(self.unit_cell)
        if n_atoms == 0:
            raise EntryError("bad_entry", "the unit cell has no atoms")
        if not np.isfinite(self.unit_cell.cell.array).all() or not np.isfinite(self.unit_cell.positions).all():
            raise EntryError("bad_entry", "cell or positions are not finite numbers")
        if self.unit_cell.cell.volume < 1.0 * n_atoms:
            raise EntryError("bad_entry", f"the unit cell has {self.unit_cell.cell.volume:.3g} Å³ for {n_atoms} atoms")
        if abs(np.linalg.det(self.supercell_matrix)) < 0.5:
            raise EntryError("bad_entry", "the supercell matrix is singular")
        try:
            supercell, _ = build_cells(self.unit_cell, self.supercell_matrix, self.primitive_matrix)
        except Exception as error:  # phonopy raises many kinds here
            raise EntryError("bad_entry", f"phonopy cannot build the cells: {error}") from error
        if self.force_set is None:
            return
        forces, n_supercell = self.force_set.forces, len(supercell)
        if forces.ndim != 3 or forces.shape[1:] != (n_supercell, 3) or len(forces) != len(self.force_set.atoms):
            raise EntryError(
                "bad_entry",
                f"forces of shape {forces.shape} for {len(self.force_set.atoms)} displacements of a supercell of "
                f"{n_supercell} atoms",
            )
        if not np.isfinite(forces).all() or not np.isfinite(self.force_set.displacements).all():
            raise EntryError("bad_entry", "displacements or forces are not finite numbers")
        lengths = np.linalg.norm(self.force_set.displacements, axis=1)
        if lengths.min() < _DISPLACEMENTS[0] or lengths.max() > _DISPLACEMENTS[1]:
            raise EntryError("bad_entry", f"displacements of {lengths.min():.3g} to {lengths.max():.3g} Å")
        if self.force_set.atoms.min() < 0 or self.force_set.atoms.max() >= n_supercell:
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
            # ten digits: what survives a round trip through any of the file formats
            parts.update(np.round(np.asarray(array, dtype=float), 10).tobytes())
        return parts.hexdigest()
