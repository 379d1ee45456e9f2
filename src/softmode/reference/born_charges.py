"""Born effective charges and the dielectric tensor, where a data set has them.

They split longitudinal from transverse optical modes on the page of an entry. No number of the benchmark knows of them:
charges that cannot be used are left out, and the entry stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from phonopy import Phonopy
from phonopy.file_IO import parse_BORN_from_strings

from softmode.reference.cells import build_cells

# Largest sum of the charges in e per atom, which is zero in a crystal: codes come to 0.1 with few k points. With a
# larger one, charges of atoms in another order would pass.
_LARGEST_DRIFT = 0.3


@dataclass(frozen=True)
class BornCharges:
    """Charges of the unit cell's atoms.

    Attributes:
        charges: in e, first index that of the field, shape (n, 3, 3)
        dielectric: high-frequency dielectric tensor, shape (3, 3)
    """

    charges: np.ndarray
    dielectric: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "BornCharges | None":
        """Return the charges that a record's arrays hold; None where they hold none."""
        if "born_charges" not in arrays:
            return None
        return cls(arrays["born_charges"], arrays["dielectric_tensor"])

    def of_primitive(self, phonopy: Phonopy) -> np.ndarray:
        """Return the charges of the primitive cell's atoms, whose sum is made zero; in e, shape (n_primitive, 3, 3)."""
        supercell = phonopy.supercell
        atoms = [supercell.u2u_map[int(supercell.s2u_map[atom])] for atom in phonopy.primitive.p2s_map]
        charges: np.ndarray = self.charges[atoms] - self.charges[atoms].mean(axis=0)
        return charges

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return them as a record's arrays."""
        return {"born_charges": self.charges, "dielectric_tensor": self.dielectric}


def of_born_file(
    text: str | None, unit_cell: Atoms, primitive_matrix: np.ndarray, tolerance: float
) -> BornCharges | None:
    """Return what phonopy's file BORN gives, which lists atoms that symmetry does not make of one another.

    Args:
        text: of the file, or None where there is none
        primitive_matrix: that the file was written for, as in phonopy
        tolerance: of symmetry, in Å

    Returns:
        None where the file does not fit the crystal
    """
    if text is None:
        return None
    _, primitive = build_cells(unit_cell, np.eye(3, dtype=int), primitive_matrix, tolerance)
    try:
        found = parse_BORN_from_strings(text, primitive, symprec=tolerance)
    except Exception:  # phonopy's parser raises many kinds; a picture less is no reason to lose an entry
        return None
    return _of_primitive(found, unit_cell, primitive_matrix, tolerance)


def of_yaml(
    found: Mapping[str, Any] | None, unit_cell: Atoms, primitive_matrix: np.ndarray, tolerance: float
) -> BornCharges | None:
    """Return what the key `nac` of phonopy's YAML gives, as its loader reads it; None where that does not fit.

    Args:
        primitive_matrix: of the file, as in phonopy
        tolerance: in Å, within which atoms are images of one another
    """
    if found is None or len(found["born"]) != round(abs(np.linalg.det(primitive_matrix)) * len(unit_cell)):
        return None
    return _of_primitive(found, unit_cell, primitive_matrix, tolerance)


def _of_primitive(
    found: Mapping[str, Any], unit_cell: Atoms, primitive_matrix: np.ndarray, tolerance: float
) -> BornCharges | None:
    """Return the charges of the unit cell, whose atoms are images of those of the primitive one."""
    charges, dielectric = np.array(found["born"], dtype=float), np.array(found["dielectric"], dtype=float)
    # not "larger than": of what is not a number, nothing is
    if not np.abs(charges.mean(axis=0)).max() <= _LARGEST_DRIFT:
        return None
    if not np.isfinite(dielectric).all() or np.linalg.eigvalsh((dielectric + dielectric.T) / 2).min() < 1:
        return None
    _, primitive = build_cells(unit_cell, np.eye(3, dtype=int), primitive_matrix, tolerance)
    return BornCharges(charges[[primitive.p2p_map[int(atom)] for atom in primitive.s2p_map]], dielectric)
